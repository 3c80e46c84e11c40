// One device of a person: a real client whose network a test may watch, break and answer for.
import { Api, DjinnClient, MemoryStorage, type Conflict, type Entry, type Resolution, type Storage } from '../../src/client/index.ts'
import type { Djinn, Person } from '../harness.ts'

export type Send = () => Promise<Response>
/** What becomes of a request, named like `POST /api/batch`; `send` lets it reach the server. */
export type Network = (request: string, send: Send, init: RequestInit) => Promise<Response>
export type Rejected = { entry: Entry; problem: Record<string, unknown> }
type Pair = { accessToken: string; refreshToken: string }

export class Device {
  readonly requests: string[] = []
  readonly rejected: Rejected[] = []
  readonly conflicts: Conflict[] = []
  /** The pairs that the app was told to keep. */
  readonly kept: (Pair | null)[] = []
  readonly storage: Storage
  network: Network = (_request, send) => send()
  resolve: (conflict: Conflict) => Resolution = () => 'theirs'
  changes = 0
  tokens: Pair | null
  api!: Api
  client!: DjinnClient
  readonly #url: string
  #awaited: (() => void)[] = []

  private constructor(djinn: Djinn, person: Person, storage: Storage) {
    this.#url = djinn.url
    this.tokens = { accessToken: person.accessToken, refreshToken: person.refreshToken }
    this.storage = storage
  }

  static async open(djinn: Djinn, person: Person, storage: Storage = new MemoryStorage()): Promise<Device> {
    const device = new Device(djinn, person, storage)
    await device.restart()
    return device
  }

  /** Opened and synced for the first time. */
  static async synced(djinn: Djinn, person: Person): Promise<Device> {
    const device = await Device.open(djinn, person)
    await device.client.sync()
    device.requests.length = 0
    return device
  }

  /** The app is killed and started again: only what was kept on the device is left. */
  async restart() {
    this.api = new Api({
      url: this.#url,
      tokens: this.tokens,
      onTokens: (tokens) => {
        this.tokens = tokens
        this.kept.push(tokens)
      },
      fetch: (input, init = {}) => this.#fetch(input as URL, init),
    })
    this.client = await DjinnClient.open({
      api: this.api,
      storage: this.storage,
      onConflict: (conflict) => {
        this.conflicts.push(conflict)
        return this.resolve(conflict)
      },
      onRejected: (entry, problem) => this.rejected.push({ entry, problem }),
      onChange: () => {
        this.changes++
        for (const check of this.#awaited) check()
      },
    })
  }

  /** Resolves once the condition holds for what the user sees. */
  async until(condition: () => boolean): Promise<void> {
    if (condition()) return
    await new Promise<void>((resolve) => {
      const check = () => {
        if (!condition()) return
        this.#awaited = this.#awaited.filter((one) => one !== check)
        resolve()
      }
      this.#awaited.push(check)
    })
  }

  async #fetch(url: URL, init: RequestInit): Promise<Response> {
    const request = `${init.method} ${url.pathname}`
    this.requests.push(request)
    return await this.network(request, () => fetch(url, init), init)
  }
}

/** No request reaches the server. */
export const offline: Network = () => Promise.reject(new TypeError('no network'))

/** The server carries these requests out, and its answers never come. */
export function losing(wanted: string): Network {
  return async (request, send) => {
    const answer = await send()
    if (request !== wanted) return answer
    await answer.arrayBuffer()
    throw new TypeError('the connection broke before the answer')
  }
}

/** Answers these requests, once, in place of the server. */
export function answering(wanted: string, status: number, body: string, headers: Record<string, string>): Network {
  let done = false
  return async (request, send) => {
    if (request !== wanted || done) return await send()
    done = true
    return new Response(body, { status, headers })
  }
}

/** Makes a person a member of another's household, as its invitation does in the end. */
export async function share(djinn: Djinn, owner: Person, guest: Person, role = 'editor') {
  await djinn.sql(
    `with scope as (select set_config('djinn.household', $1::text, true))
     insert into memberships (household_id, user_id, role) select $1::uuid, $2::uuid, $3 from scope`,
    [owner.householdId, guest.userId, role],
  )
}

/** A condition on what the server has, as its own clients see it. */
export async function transactionsOf(person: Person): Promise<Record<string, unknown>[]> {
  return (await person.get('/api/transactions?limit=100')).body.data
}
