// Phones for the simulation: real clients on a real server, with a network that fails on demand.
import { Api, DjinnClient, MemoryStorage, OfflineError, type Entry } from '../../src/client/index.ts'
import type { Djinn, Person } from '../harness.ts'

/** What the network does with a request. */
export type Weather = { online: boolean; losesAnswers: number; losesRequests: number }

/** Draws numbers from 0 to 1; the same for the same seed. */
export type Draw = () => number

export function drawFrom(seed: number): Draw {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

export class Phone {
  readonly name: string
  readonly weather: Weather = { online: true, losesAnswers: 0, losesRequests: 0 }
  readonly rejected: { entry: Entry; code: string }[] = []
  repaired = 0
  conflicts = 0
  answersLost = 0
  readonly #djinn: Djinn
  readonly #storage = new MemoryStorage()
  readonly #draw: Draw
  #tokens: { accessToken: string; refreshToken: string }
  #client!: DjinnClient

  private constructor(djinn: Djinn, person: Person, name: string, draw: Draw) {
    this.#djinn = djinn
    this.#tokens = person
    this.name = name
    this.#draw = draw
  }

  static async open(djinn: Djinn, person: Person, name: string, draw: Draw): Promise<Phone> {
    const phone = new Phone(djinn, person, name, draw)
    await phone.restart()
    return phone
  }

  get client(): DjinnClient {
    return this.#client
  }

  /** The app is killed and started again: only what was kept on the device is left. */
  async restart() {
    const api = new Api({
      url: this.#djinn.url,
      tokens: this.#tokens,
      onTokens: (tokens) => void (this.#tokens = tokens ?? this.#tokens),
      fetch: (input, init) => this.#fetch(input as URL, init),
    })
    this.#client = await DjinnClient.open({
      api,
      storage: this.#storage,
      onConflict: () => {
        this.conflicts++
        return this.#draw() < 0.5 ? 'mine' : 'theirs'
      },
      onRejected: (entry, problem) => this.rejected.push({ entry, code: String(problem['code']) }),
    })
  }

  async #fetch(input: URL, init: RequestInit | undefined): Promise<Response> {
    if (!this.weather.online || this.#draw() < this.weather.losesRequests) throw new TypeError('no network')
    // Short pages end within a revision and in the middle of a household.
    if (input.pathname === '/api/sync' && this.#draw() < 0.5) input.searchParams.set('limit', '7')
    const answer = await fetch(input, init)
    if (this.#draw() < this.weather.losesAnswers) {
      await answer.arrayBuffer()
      this.answersLost++
      throw new TypeError('the connection broke before the answer')
    }
    return answer
  }

  /** Tries to sync; false when the network did not let it. */
  async sync(): Promise<boolean> {
    try {
      const { repaired } = await this.#client.sync()
      this.repaired += repaired.length
      return true
    } catch (error) {
      if (error instanceof OfflineError) return false
      throw error
    }
  }
}
