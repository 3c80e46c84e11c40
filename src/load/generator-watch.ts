// Watches the generator itself, second by second: when it was the limit, what it measured is not the server's.
import { monitorEventLoopDelay } from 'node:perf_hooks'

/** A request given to the connections later than this is late; it takes one in a hundred to spoil a second. */
export const lateMs = 20
const lateShareMax = 0.01
/** The longest that the event loop may stand still in a second. */
export const loopDelayMsMax = 100
/** A run of which more seconds than this share were the generator's is void. */
export const limitedShareMax = 0.05

export class GeneratorWatch {
  readonly #delay = monitorEventLoopDelay({ resolution: 10 })
  #sent = 0
  #late = 0
  #cpu = process.cpuUsage()
  #cpuAtMs = performance.now()
  #timer: NodeJS.Timeout | undefined
  seconds = 0
  limitedSeconds = 0
  delayMsMax = 0
  cpuShare = 0

  start() {
    this.#delay.enable()
    this.#cpu = process.cpuUsage()
    this.#cpuAtMs = performance.now()
    this.#timer = setInterval(() => this.#close(), 1_000)
  }

  dispatched(lagMs: number) {
    this.#sent++
    if (lagMs > lateMs) this.#late++
  }

  stop() {
    clearInterval(this.#timer)
    if (this.#sent > 0) this.#close()
    const { user, system } = process.cpuUsage(this.#cpu)
    this.cpuShare = (user + system) / 1_000 / Math.max(1, performance.now() - this.#cpuAtMs)
    this.#delay.disable()
  }

  get void(): boolean {
    return this.limitedSeconds > limitedShareMax * this.seconds
  }

  #close() {
    const delayMs = this.#delay.max / 1e6
    this.delayMsMax = Math.max(this.delayMsMax, delayMs)
    this.seconds++
    if (this.#late > lateShareMax * this.#sent || delayMs > loopDelayMsMax) this.limitedSeconds++
    this.#sent = this.#late = 0
    this.#delay.reset()
  }
}
