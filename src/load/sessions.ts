// Whose phones call: sessions from a file, users signed up for the run, or one sign-in.
import { newId } from '../values/id.ts'
import { call, forEach, type Progress, type Reply } from './calls.ts'
import type { Connections } from './connections.ts'
import type { Session } from './phone.ts'
import { randomOf, wholeOf } from './random.ts'

export const sessionsMax = 100_000
export const signUpsMax = 1_000
/** Transactions of a user signed up here: a list has a next page. */
const firstBatches = 3
const batchRows = 10

/** Reads JSON lines `{accessToken, userId, householdId}`; other members are let be. */
export function readSessions(text: string, name: string): Session[] {
  const lines = text.split('\n').map((line) => line.trim())
  const sessions: Session[] = []
  for (const [index, line] of lines.entries()) {
    if (line === '') continue
    const session = parse(line)
    if (session === null) throw new Error(`${name}:${index + 1} is not {"accessToken","userId","householdId"}`)
    if (sessions.push(session) > sessionsMax) throw new Error(`${name} has more than ${sessionsMax} sessions`)
  }
  if (sessions.length === 0) throw new Error(`${name} has no sessions`)
  return sessions
}

function parse(line: string): Session | null {
  let value: Partial<Session> | null
  try {
    value = JSON.parse(line) as Partial<Session> | null
  } catch {
    return null
  }
  const { accessToken, userId, householdId } = value ?? {}
  const plain = (text: unknown): text is string => typeof text === 'string' && /^[\x21-\x7e]{1,500}$/.test(text)
  // They become header lines as they are.
  return plain(accessToken) && plain(userId) && plain(householdId) ? { accessToken, userId, householdId } : null
}

export async function signIn(connections: Connections, url: URL, who: { email: string; password: string }): Promise<Session> {
  const signingIn = call(connections, url, ['POST', '/api/auth/login', who])
  const { accessToken, user } = (await succeed(signingIn, 'sign in')) as { accessToken: string; user: { id: string } }
  const reading = call(connections, url, ['GET', '/api/households'], { accessToken })
  const { data } = (await succeed(reading, 'read the households')) as { data: { id: string }[] }
  if (data[0] === undefined) throw new Error(`${who.email} has no household`)
  return { accessToken, userId: user.id, householdId: data[0].id }
}

type SignedUp = { accessToken: string; user: { id: string }; household: { id: string } }

/** Registers users, each with an account and some transactions. */
export async function signUp(connections: Connections, url: URL, count: number, today: string, progress: Progress): Promise<Session[]> {
  const sessions: Session[] = []
  const password = `load ${newId()}`
  await forEach(Array.from({ length: count }), progress, async (_nothing, index) => {
    const registering = call(connections, url, ['POST', '/api/auth/register', { email: `load-${newId()}@example.org`, password }])
    const { accessToken, user, household } = (await succeed(registering, 'sign up')) as SignedUp
    const session = { accessToken, userId: user.id, householdId: household.id }
    const account = { name: 'Current', kind: 'checking', currency: 'EUR', openingBalance: 100_000 }
    const { id: accountId } = (await succeed(call(connections, url, ['POST', '/api/accounts', account], session), 'open an account')) as {
      id: string
    }
    const random = randomOf(index)
    for (let batch = 0; batch < firstBatches; batch++) {
      const operations = Array.from({ length: batchRows }, (_each, at) => ({
        id: `add${at}`,
        method: 'POST',
        path: '/api/transactions',
        body: { accountId, date: today, amount: -wholeOf(random, 100, 9_000), payee: 'Groceries' },
      }))
      await succeed(call(connections, url, ['POST', '/api/batch', { operations, atomic: true }], session), 'add transactions')
    }
    sessions.push(session)
  })
  return sessions
}

async function succeed(calling: Promise<Reply>, what: string): Promise<unknown> {
  const { status, body } = await calling
  if (status === 202) throw new Error(`could not ${what}: the server mails a link first; sign up where SMTP_URL is not set`)
  if (status < 300) return body
  const hint =
    status === 429 ? '; for a run on a machine of your own, start the server with RATE_LIMIT_ANONYMOUS=100000 RATE_LIMIT_LOGIN=100000' : ''
  throw new Error(`could not ${what}: ${status} ${(body as { code?: string } | undefined)?.code ?? ''}${hint}`)
}
