// Charges a call against its caller's window and says how much is left (RateLimit headers, IETF draft).
import { Failure } from '../values/failure.ts'
import { limits } from '../values/limits.ts'
import { networkOf } from './address.ts'
import { SlidingWindows, type Verdict } from './limit.ts'
import type { Principal } from './operation.ts'

export type Rates = { anonymous: number; authenticated: number; premium: number; login: number }

/** Takes `cost` from the caller's minute and answers the headers; refuses with `rate-limited`, which carries them too. */
export type Charge = (principal: Principal | null, address: string, cost: number) => Record<string, string>

export function makeCharge(rates: Rates, windows = new SlidingWindows()): Charge {
  return (principal, address, cost) => {
    const policy = principal === null ? 'anonymous' : principal.tier === 'premium' ? 'premium' : 'authenticated'
    const limit = rates[policy]
    const verdict = windows.take(principal === null ? `a ${networkOf(address)}` : `u ${principal.userId}`, cost, limit)
    if (!verdict.allowed) throw tooMany(policy, limit, verdict)
    return headersOf(policy, limit, verdict)
  }
}

function headersOf(policy: string, limit: number, verdict: Verdict): Record<string, string> {
  return {
    'ratelimit-policy': `"${policy}";q=${limit};w=${limits.rateWindowMs / 1000}`,
    ratelimit: `"${policy}";r=${verdict.remaining};t=${verdict.resetS}`,
  }
}

function tooMany(policy: string, limit: number, verdict: Verdict): Failure {
  return new Failure('rate-limited', `At most ${limit} requests in any ${limits.rateWindowMs / 1000} s.`, {
    retryAfterS: verdict.retryAfterS,
    headers: headersOf(policy, limit, verdict),
  })
}

/** Charges signed calls: right ones to who signed, however many sign at one address, wrong ones to the address. */
export type ChargeSigned = {
  /** Refuses before a signature is looked at where this address gave too many wrong ones for the same path: so guessing has an end. */
  admit: (address: string, path: string) => void
  refused: (address: string, path: string) => void
  /** Takes one from the signer's minute and answers the headers. */
  accepted: (id: string) => Record<string, string>
}

export function makeChargeSigned(rates: Rates, charge: Charge, windows = new SlidingWindows()): ChargeSigned {
  const wrong = (address: string, path: string) => `w ${networkOf(address)} ${path}`
  return {
    admit: (address, path) => {
      const verdict = windows.look(wrong(address, path), 1, rates.anonymous)
      if (!verdict.allowed) throw tooMany('anonymous', rates.anonymous, verdict)
    },
    refused: (address, path) => {
      windows.take(wrong(address, path), 1, rates.anonymous)
      charge(null, address, 1)
    },
    accepted: (id) => {
      const verdict = windows.take(`s ${id}`, 1, rates.authenticated)
      if (!verdict.allowed) throw tooMany('authenticated', rates.authenticated, verdict)
      return headersOf('authenticated', rates.authenticated, verdict)
    },
  }
}

/** Charges an attempt to sign in against (address, account): the owner at another address is not locked out. */
export type ChargeLogin = (address: string, account: string) => void

export function makeChargeLogin(rates: Rates, windows = new SlidingWindows(limits.loginWindowMs)): ChargeLogin {
  return (address, account) => {
    const verdict = windows.take(`${networkOf(address)} ${account}`, 1, rates.login)
    if (!verdict.allowed) {
      throw new Failure('rate-limited', `At most ${rates.login} attempts in 15 minutes.`, { retryAfterS: verdict.retryAfterS })
    }
  }
}
