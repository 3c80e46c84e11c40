// Feeds for the tests: made by a member, pushed to as a connector does.
import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import type { Djinn, Person, Reply } from '../harness.ts'

export type Feed = { id: string; accountId: string; keyId: string; secret: string }
export type PushedRow = Record<string, unknown> & { externalId: string }

export async function makeFeed(person: Person, accountId: string, draft: object = {}): Promise<Feed> {
  const { status, body, text } = await person.post('/api/feeds', { accountId, name: 'Bank', ...draft })
  assert.equal(status, 201, text)
  return body
}

export type Signing = {
  timestamp?: string | number
  /** In place of what is signed, of the signature, or of any header. */
  signed?: string
  headers?: Record<string, string>
  path?: string
}

export const nowS = () => Math.floor(Date.now() / 1000)
/** The next moment that nothing was signed at: two equal bodies of one moment have one signature. */
let moment = nowS() + 240

/** Headers of a body, signed at a moment of its own. */
export function signedHeaders(feed: Feed, raw: string | Buffer, { timestamp = moment--, signed }: Signing = {}) {
  const signature = createHmac('sha256', feed.secret)
    .update(`${timestamp}.`)
    .update(signed ?? raw)
    .digest('hex')
  return {
    'content-type': 'application/json',
    'djinn-key': feed.keyId,
    'djinn-timestamp': String(timestamp),
    'djinn-signature': `v1=${signature}`,
  }
}

export async function send(djinn: Djinn, feed: Feed, body: unknown, signing: Signing = {}): Promise<Reply> {
  const raw = typeof body === 'string' ? body : JSON.stringify(body)
  const headers = { ...signedHeaders(feed, raw, signing), ...signing.headers }
  return await djinn.call('POST', signing.path ?? `/api/feeds/${feed.id}/transactions`, { raw, headers })
}

/** Pushes rows and answers what became of them. */
export async function push(djinn: Djinn, feed: Feed, transactions: PushedRow[], removed?: string[]) {
  const reply = await send(djinn, feed, { transactions, ...(removed === undefined ? {} : { removed }) })
  assert.equal(reply.status, 200, reply.text)
  return reply.body as Answer
}

export type Answer = {
  created: number
  updated: number
  unchanged: number
  removed: number
  results: { externalId: string; transactionId: string | null; outcome: string }[]
}

export const outcomes = (answer: Answer) => answer.results.map(({ outcome }) => outcome)

export function row(externalId: string, changes: object = {}): PushedRow {
  return { externalId, date: '2026-02-03', amount: -320, payee: 'Coffee Bar', status: 'posted', ...changes }
}
