// Reads an event stream as WHATWG HTML has it, block by block, for the tests of live events.
import assert from 'node:assert/strict'
import type { Person } from '../harness.ts'

export type ServerEvent = { id: string; event: string; data: { householdId?: string; revision?: number; reason?: string } }

async function* readEvents(body: ReadableStream<Uint8Array>): AsyncGenerator<ServerEvent, null> {
  const decoder = new TextDecoder()
  let text = ''
  for await (const bytes of body) {
    text += decoder.decode(bytes, { stream: true })
    const blocks = text.split('\n\n')
    text = blocks.pop()!
    for (const block of blocks) {
      const fields = new Map(
        block
          .split('\n')
          .filter((line) => !line.startsWith(':'))
          .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()]),
      )
      for (const name of fields.keys()) assert.ok(['id', 'event', 'data', 'retry'].includes(name), block)
      if (fields.has('data')) yield { id: fields.get('id')!, event: fields.get('event')!, data: JSON.parse(fields.get('data')!) as object }
    }
  }
  return null
}

export class Stream {
  readonly answer: Response
  readonly #events: AsyncGenerator<ServerEvent, null>
  readonly #abort: AbortController

  private constructor(answer: Response, abort: AbortController) {
    this.answer = answer
    this.#abort = abort
    this.#events = readEvents(answer.body!)
  }

  static async open(url: string, person: Person, headers: Record<string, string> = {}): Promise<Stream> {
    const abort = new AbortController()
    const answer = await fetch(`${url}/api/events`, {
      headers: { authorization: `Bearer ${person.accessToken}`, ...headers },
      signal: abort.signal,
    })
    assert.equal(answer.status, 200)
    return new Stream(answer, abort)
  }

  /** The next event; null when the stream is over. */
  async next(): Promise<ServerEvent | null> {
    const { value } = await this.#events.next()
    return value ?? null
  }

  /** The revision that the next event pokes with. */
  async poke(): Promise<number> {
    const event = await this.next()
    assert.equal(event?.event, 'revision', JSON.stringify(event))
    return event.data.revision!
  }

  /** Why the stream ends, which the next event must say. */
  async end(): Promise<string> {
    const event = await this.next()
    assert.equal(event?.event, 'end', JSON.stringify(event))
    assert.equal(await this.next(), null, 'nothing comes after the end')
    return event.data.reason!
  }

  close() {
    this.#abort.abort()
  }
}
