// What phones ask for, in which shares, and in which order: sessions of a start and what follows it, dealt to the arrivals.
import { shuffled, wholeOf, type Random } from './random.ts'

/**
 * The share of each operation in all requests. A start is always the three calls together (every app opens with them, and
 * mostly nothing is new); the rest of a session is drawn by its shares. Reads outnumber writes by seven to one, as in an app that
 * is looked at more often than written into.
 */
export const mix = [
  { name: 'config', share: 0.08, start: true, what: 'the app starts: its configuration, If-None-Match' },
  { name: 'sync', share: 0.08, start: true, what: 'the app starts: changes since its cursor, If-None-Match' },
  { name: 'accounts', share: 0.08, start: true, what: 'the app starts: balances, If-None-Match' },
  { name: 'list', share: 0.24, start: false, what: 'the newest 20 transactions' },
  { name: 'next', share: 0.08, start: false, what: 'scrolling: the next page of the last list' },
  { name: 'account', share: 0.1, start: false, what: 'the newest 20 transactions of one account' },
  { name: 'row', share: 0.12, start: false, what: 'one transaction of the last list' },
  { name: 'add', share: 0.08, start: false, what: "a new transaction, with the phone's own id and an Idempotency-Key" },
  { name: 'batch', share: 0.04, start: false, what: 'the outbox of an offline phone: 2 new transactions and 1 to 3 reads' },
  { name: 'reread', share: 0.1, start: false, what: 'coming back to the list: If-None-Match' },
] as const

export type StepName = (typeof mix)[number]['name']
export type Planned = { index: number; atMs: number; phone: number; step: StepName }

const starting = mix.filter((one) => one.start).map((one) => one.name)
const following = mix.filter((one) => !one.start)
const followingShare = following.reduce((sum, one) => sum + one.share, 0)
const startShare = 1 - followingShare

/** What follows a start: 9.5 calls on average, which makes the starts the share that they are in the table. */
const followingMean = (starting.length * followingShare) / startShare
const followingMin = 4
const followingMax = Math.round(2 * followingMean) - followingMin

/** How long a phone rests between two calls, roughly: as many sessions are under way as this takes. */
const thinkS = 3

/** Requests of a batch, which are charged one by one. */
export const chargedPerRequest = 1 + 3 * mix.find((one) => one.name === 'batch')!.share

type Session = { phone: number; at: number; steps: StepName[] }

function drawStep(random: Random): StepName {
  let left = random() * followingShare
  return (following.find((one) => (left -= one.share) < 0) ?? following[0]!).name
}

/** Deals each moment to the next phone that is under way; a phone has one session at a time, and all phones have their turn. */
export function* plan(moments: Iterable<number>, phones: number, highestPerS: number, random: Random): Generator<Planned> {
  const resting = shuffled(random, phones)
  // A queue by its head, for a shift of thousands would cost at every session.
  let head = 0
  const begin = (): Session => {
    const steps = Array.from({ length: wholeOf(random, followingMin, followingMax) }, () => drawStep(random))
    return { phone: resting[head++]!, at: 0, steps: [...starting, ...steps] }
  }
  const sessions = Array.from({ length: Math.min(phones, Math.max(1, Math.round(highestPerS * thinkS))) }, () => {
    const session = begin()
    // Not all have just started when the clock does.
    session.at = wholeOf(random, 0, session.steps.length - 1)
    return session
  })
  let turn = 0
  let index = 0
  for (const atMs of moments) {
    const session = sessions[turn]!
    yield { index: index++, atMs, phone: session.phone, step: session.steps[session.at]! }
    session.at++
    if (session.at < starting.length) continue
    if (session.at === session.steps.length) {
      resting.push(session.phone)
      sessions[turn] = begin()
      if (head > 50_000) head -= resting.splice(0, head).length
    }
    turn = (turn + 1) % sessions.length
  }
}
