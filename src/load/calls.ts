// Calls outside of the measured run, one after another: to sign in, and to let each phone see what is there.
import type { Connections } from './connections.ts'
import type { Outcome } from './connection.ts'
import { judge } from './drive.ts'
import type { StepName } from './mix.ts'
import { Phone, type Session } from './phone.ts'
import { bodyValue } from './response.ts'
import { wireOf, type Wire } from './wire.ts'

export type Reply = { status: number; body: unknown }
/** Says what is under way. */
export type Progress = (done: number, of: number) => void

/** How many phones are got ready at once. */
const atOnce = 8
/** A first sync has at most so many pages here; a phone goes on with the rest in the run. */
const pagesMax = 50

function send(connections: Connections, url: URL, request: Wire): Promise<Outcome> {
  return new Promise((resolve) => connections.send(wireOf(url, request), () => {}, resolve))
}

/** One call; throws when there is no answer. */
export async function call(
  connections: Connections,
  url: URL,
  [method, path, body]: ['GET', string] | ['POST', string, unknown],
  session?: Pick<Session, 'accessToken'>,
): Promise<Reply> {
  const headers: Record<string, string> = {
    ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
    ...(session === undefined ? {} : { Authorization: `Bearer ${session.accessToken}` }),
  }
  const outcome = await send(connections, url, { method, path, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) })
  if ('fault' in outcome) throw new Error(`${url.origin}${path}: no answer (${outcome.fault})`)
  return { status: outcome.response.status, body: bodyValue(outcome.response) }
}

/** Runs the work for each item, a few at a time. */
export async function forEach<T>(items: readonly T[], progress: Progress, work: (item: T, index: number) => Promise<void>) {
  let next = 0
  let done = 0
  const worker = async () => {
    while (next < items.length) {
      const index = next++
      await work(items[index]!, index)
      progress(++done, items.length)
    }
  }
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, worker))
}

/** Makes a phone of each session; those that will call have synced, know their accounts and their newest transactions. */
export async function readyPhones(
  connections: Connections,
  url: URL,
  sessions: readonly Session[],
  calling: ReadonlySet<number>,
  progress: Progress,
): Promise<Phone[]> {
  const phones = sessions.map((session) => new Phone(session))
  const moment = { random: () => 0, today: '' }
  await forEach([...calling], progress, async (index) => {
    const phone = phones[index]!
    const ask = async (step: StepName) => {
      const request = phone.request(step, moment)
      const { outcome, error, codes } = judge(phone, step, await send(connections, url, request))
      if (error) throw new Error(`token ${index + 1}: ${request.path.split('?')[0]} answered ${[outcome, ...codes].join(' ')}`)
    }
    let pages = 0
    do await ask('sync')
    while (phone.hasMore && ++pages < pagesMax)
    await ask('accounts')
    await ask('list')
  })
  return phones
}
