// Whether this process goes on taking requests: what a balancer asks, and what each answer says once the process is about to end.

/** Who asked so lately is a balancer, and is told before nothing new is taken. */
const watchedMs = 60_000

export class Readiness {
  #askedAtMs = -Infinity
  /** About to end: whoever asks is told so, and each answer is the last of its connection. */
  leaving = false

  /** Somebody asked, and will again. */
  asked() {
    this.#askedAtMs = performance.now()
  }

  /** Whether somebody asks again and again, who must be told before nothing is taken any more. */
  get watched(): boolean {
    return performance.now() - this.#askedAtMs < watchedMs
  }
}
