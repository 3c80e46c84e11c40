// True sliding windows: no window of 60 s ever holds more accepted requests than the limit.
import { limits } from '../values/limits.ts'

export type Verdict = {
  allowed: boolean
  remaining: number
  /** Seconds until the window has room again for one more (0 when it has now). */
  resetS: number
  /** Seconds until this request would be accepted. */
  retryAfterS: number
}

/** The moments of the accepted requests of one caller, oldest first, in a ring that grows up to the limit. */
class Window {
  times = new Float64Array(8)
  start = 0
  count = 0

  dropBefore(moment: number) {
    while (this.count > 0 && this.times[this.start]! <= moment) {
      this.start = (this.start + 1) % this.times.length
      this.count--
    }
  }

  push(moment: number) {
    if (this.count === this.times.length) {
      const grown = new Float64Array(this.times.length * 2)
      for (let index = 0; index < this.count; index++) grown[index] = this.at(index)
      this.times = grown
      this.start = 0
    }
    this.times[(this.start + this.count) % this.times.length] = moment
    this.count++
  }

  at(index: number): number {
    return this.times[(this.start + index) % this.times.length]!
  }
}

export class SlidingWindows {
  readonly #windowMs: number
  readonly #windows = new Map<string, Window>()
  readonly #now: () => number

  /** `now` is monotonic milliseconds, so that setting the clock neither opens nor locks a window. */
  constructor(windowMs: number = limits.rateWindowMs, now: () => number = () => performance.now()) {
    this.#windowMs = windowMs
    this.#now = now
  }

  /** Takes `cost` places for the caller, all or none. */
  take(key: string, cost: number, limit: number): Verdict {
    const now = this.#now()
    let window = this.#windows.get(key)
    if (window) {
      // Moved to the end: the map's order is that of last use.
      this.#windows.delete(key)
      window.dropBefore(now - this.#windowMs)
    } else {
      window = new Window()
      if (this.#windows.size >= limits.rateKeysMax) this.#forgetIdle(now)
    }
    this.#windows.set(key, window)
    const allowed = window.count + cost <= limit
    if (allowed) for (let taken = 0; taken < cost; taken++) window.push(now)
    return this.#verdict(window, cost, limit, allowed, now)
  }

  /** What taking would be answered; nothing is taken. */
  look(key: string, cost: number, limit: number): Verdict {
    const now = this.#now()
    const window = this.#windows.get(key) ?? new Window()
    window.dropBefore(now - this.#windowMs)
    return this.#verdict(window, cost, limit, window.count + cost <= limit, now)
  }

  #verdict(window: Window, cost: number, limit: number, allowed: boolean, now: number): Verdict {
    const freed = window.count + cost - limit
    const until = (index: number) => Math.max(1, Math.ceil((window.at(index) + this.#windowMs - now) / 1000))
    return {
      allowed,
      remaining: Math.max(0, limit - window.count),
      resetS: window.count === 0 ? 0 : until(0),
      retryAfterS: allowed ? 0 : cost > limit ? Math.ceil(this.#windowMs / 1000) : until(freed - 1),
    }
  }

  /** Makes room by dropping those unused for longest; one that still counts is dropped only when all are in use. */
  #forgetIdle(now: number) {
    let looked = 0
    for (const [key, window] of this.#windows) {
      window.dropBefore(now - this.#windowMs)
      if (window.count === 0) this.#windows.delete(key)
      if (++looked >= 1_000) break
    }
    if (this.#windows.size >= limits.rateKeysMax) this.#windows.delete(this.#windows.keys().next().value!)
  }
}
