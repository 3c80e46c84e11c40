// Charges a call against its caller's window and says how much is left (RateLimit headers, IETF draft).
import { Failure } from '../values/failure.ts'
import { limits } from '../values/limits.ts'
import { networkOf } from './address.ts'
import { SlidingWindows, type Verdict } from './limit.ts'
import type { Principal } from './operation.ts'
import { decided, type Windows } from './shared-limit.ts'

export type Rates = { anonymous: number; authenticated: number; premium: number; login: number }
type Headers = Record<string, string>

/** Takes one from the caller's minute and answers the headers; refuses with `rate-limited`, which carries them too. */
export type Charge = (principal: Principal | null, address: string) => Headers | Promise<Headers>

/** Takes as many as there are, up to `count`; the headers are of the last one, and `refusal` is for those that got none. */
export type ChargeSteps = (principal: Principal | null, address: string, count: number) => ChargedSteps | Promise<ChargedSteps>
export type ChargedSteps = { granted: number; headers: Headers; refusal: Failure | null }

export function makeCharge(rates: Rates, windows: Windows = new SlidingWindows()): { charge: Charge; chargeSteps: ChargeSteps } {
  const policyOf = (principal: Principal | null) =>
    principal === null ? 'anonymous' : principal.tier === 'premium' ? 'premium' : 'authenticated'
  const keyOf = (principal: Principal | null, address: string) => (principal === null ? `a ${networkOf(address)}` : `u ${principal.userId}`)
  return {
    charge: (principal, address) => {
      const policy = policyOf(principal)
      const limit = rates[policy]
      return decided(windows.take(keyOf(principal, address), 1, limit), (verdict) => {
        if (!verdict.allowed) throw tooMany(policy, limit, verdict)
        return headersOf(policy, limit, verdict)
      })
    },
    chargeSteps: (principal, address, count) => {
      const policy = policyOf(principal)
      const limit = rates[policy]
      return decided(windows.take(keyOf(principal, address), count, limit, 'some'), (verdict) => ({
        granted: verdict.taken,
        headers: verdict.taken === 0 ? {} : headersOf(policy, limit, verdict),
        refusal: verdict.allowed ? null : tooMany(policy, limit, verdict),
      }))
    },
  }
}

function headersOf(policy: string, limit: number, verdict: Verdict): Headers {
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
  admit: (address: string, path: string) => void | Promise<void>
  refused: (address: string, path: string) => Promise<void>
  /** Takes one from the signer's minute and answers the headers. */
  accepted: (id: string) => Headers | Promise<Headers>
}

export function makeChargeSigned(rates: Rates, charge: Charge, windows: Windows = new SlidingWindows()): ChargeSigned {
  const wrong = (address: string, path: string) => `w ${networkOf(address)} ${path}`
  return {
    admit: (address, path) =>
      decided(windows.look(wrong(address, path), 1, rates.anonymous), (verdict) => {
        if (!verdict.allowed) throw tooMany('anonymous', rates.anonymous, verdict)
      }),
    refused: async (address, path) => {
      // Sent together: an answer that is too many for the address has still been counted for the path.
      await Promise.all([windows.take(wrong(address, path), 1, rates.anonymous), charge(null, address)])
    },
    accepted: (id) =>
      decided(windows.take(`s ${id}`, 1, rates.authenticated), (verdict) => {
        if (!verdict.allowed) throw tooMany('authenticated', rates.authenticated, verdict)
        return headersOf('authenticated', rates.authenticated, verdict)
      }),
  }
}

/** Charges an attempt to sign in against (address, account): the owner at another address is not locked out. */
export type ChargeLogin = (address: string, account: string) => void | Promise<void>

export function makeChargeLogin(rates: Rates, windows: Windows = new SlidingWindows(limits.loginWindowMs)): ChargeLogin {
  return (address, account) =>
    decided(windows.take(`${networkOf(address)} ${account}`, 1, rates.login), (verdict) => {
      if (!verdict.allowed) {
        throw new Failure('rate-limited', `At most ${rates.login} attempts in 15 minutes.`, { retryAfterS: verdict.retryAfterS })
      }
    })
}
