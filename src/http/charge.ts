// Charges a call against its caller's window and says how much is left (RateLimit headers, IETF draft).
import { Failure } from '../values/failure.ts'
import { limits } from '../values/limits.ts'
import { networkOf } from './address.ts'
import { SlidingWindows } from './limit.ts'
import type { Principal } from './operation.ts'

export type Rates = { anonymous: number; authenticated: number; premium: number; login: number }

/** Takes `cost` from the caller's minute and answers the headers; refuses with `rate-limited`, which carries them too. */
export type Charge = (principal: Principal | null, address: string, cost: number) => Record<string, string>

export function makeCharge(rates: Rates, windows = new SlidingWindows()): Charge {
  return (principal, address, cost) => {
    const policy = principal === null ? 'anonymous' : principal.tier === 'premium' ? 'premium' : 'authenticated'
    const limit = rates[policy]
    const verdict = windows.take(principal === null ? `a ${networkOf(address)}` : `u ${principal.userId}`, cost, limit)
    const headers = {
      'ratelimit-policy': `"${policy}";q=${limit};w=${limits.rateWindowMs / 1000}`,
      ratelimit: `"${policy}";r=${verdict.remaining};t=${verdict.resetS}`,
    }
    if (!verdict.allowed) {
      throw new Failure('rate-limited', `At most ${limit} requests in any ${limits.rateWindowMs / 1000} s.`, {
        retryAfterS: verdict.retryAfterS,
        headers,
      })
    }
    return headers
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
