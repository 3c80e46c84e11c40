// True sliding windows: no window of 60 s ever holds more accepted requests than the limit.
import { limits } from '../values/limits.ts'

export type Verdict = {
  allowed: boolean
  /** How many places it got. */
  taken: number
  /** When, by the clock of the windows: what a place is given back by. */
  atMs: number
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

  /** The latest of that moment, if there is one. */
  remove(moment: number) {
    let index = this.count - 1
    while (index >= 0 && this.at(index) > moment) index--
    if (index < 0 || this.at(index) !== moment) return
    for (; index < this.count - 1; index++) this.times[(this.start + index) % this.times.length] = this.at(index + 1)
    this.count--
  }

  at(index: number): number {
    return this.times[(this.start + index) % this.times.length]!
  }
}

/** All of the places that are asked for or none of them, or as many as there are. */
export type Share = 'all' | 'some'

export class SlidingWindows {
  readonly #windowMs: number
  readonly #windows = new Map<string, Window>()
  readonly #now: () => number

  /** `now` is monotonic milliseconds, so that setting the clock neither opens nor locks a window. */
  constructor(windowMs: number = limits.rateWindowMs, now: () => number = () => performance.now()) {
    this.#windowMs = windowMs
    this.#now = now
  }

  /** Takes `cost` places for the caller. */
  take(key: string, cost: number, limit: number, share: Share = 'all'): Verdict {
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
    const room = Math.max(0, limit - window.count)
    const taken = cost <= room ? cost : share === 'some' ? room : 0
    for (let one = 0; one < taken; one++) window.push(now)
    // Of what was shared out, one more is what can be waited for.
    return this.#verdict(window, share === 'some' ? 1 : cost, limit, taken === cost, now, taken)
  }

  /** Takes back places that were taken at that moment and not used. */
  giveBack(key: string, atMs: number, count: number) {
    const window = this.#windows.get(key)
    for (let one = 0; one < count; one++) window?.remove(atMs)
  }

  /** What taking would be answered; nothing is taken. */
  look(key: string, cost: number, limit: number): Verdict {
    const now = this.#now()
    const window = this.#windows.get(key) ?? new Window()
    window.dropBefore(now - this.#windowMs)
    return this.#verdict(window, cost, limit, window.count + cost <= limit, now)
  }

  #verdict(window: Window, cost: number, limit: number, allowed: boolean, now: number, taken = 0): Verdict {
    const freed = window.count + cost - limit
    const until = (index: number) => Math.max(1, Math.ceil((window.at(index) + this.#windowMs - now) / 1000))
    return {
      allowed,
      taken,
      atMs: now,
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
