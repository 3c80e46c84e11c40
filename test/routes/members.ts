// People who share a household as the service has it: by invitations.
import assert from 'node:assert/strict'
import { makeApi } from '../../src/app/api.ts'
import { openResources } from '../../src/app/resources.ts'
import { makePerson, type Djinn, type Person, type Reply } from '../harness.ts'

export type Role = 'owner' | 'editor' | 'viewer'
type Draft = { role: Role; email?: string; expiresInHours?: number }

/** Invites and answers the invitation, its token among it. */
export async function invite(owner: Person, draft: Draft, household = owner.householdId): Promise<Reply['body']> {
  const { status, body, text } = await owner.post(`/api/households/${household}/invitations`, draft)
  assert.equal(status, 201, text)
  return body
}

export function accept(person: Person, token: string, headers: Record<string, string> = {}): Promise<Reply> {
  return person.post('/api/invitations/accept', { token }, headers)
}

/** Makes a person a member of the owner's household. */
export async function join(owner: Person, person: Person, role: Role) {
  const { token } = await invite(owner, { role })
  const { status, text } = await accept(person, token)
  assert.equal(status, 200, text)
}

/** A new person who has this role in the owner's household, besides a household of their own. */
export async function member(djinn: Djinn, owner: Person, role: Role, draft: Record<string, unknown> = {}): Promise<Person> {
  const person = await djinn.person(draft)
  await join(owner, person, role)
  return person
}

export const membersPath = (owner: Person) => `/api/households/${owner.householdId}/members`
export const memberPath = (owner: Person, person: Person) => `${membersPath(owner)}/${person.userId}`
export const inside = (owner: Person) => ({ 'djinn-household': owner.householdId })

export async function rolesIn(djinn: Djinn, household: string): Promise<Record<string, string>> {
  const rows = await djinn.sql<{ user: string; role: string }>(`select user_id as user, role from memberships where household_id = $1`, [
    household,
  ])
  return Object.fromEntries(rows.map(({ user, role }) => [user, role]))
}

export type OtherProcess = { url: string; call: Djinn['call']; as: (person: Person) => Person; close: () => Promise<void> }

/** Another process of the service on the same database. */
export async function openAnother(djinn: Djinn): Promise<OtherProcess> {
  const resources = await openResources(djinn.resources.config)
  const api = await makeApi(resources)
  const url = await api.app.listen({ host: '127.0.0.1', port: 0 })
  const call: Djinn['call'] = async (method, path, sent = {}) => {
    const body = sent.raw ?? (sent.body === undefined ? undefined : JSON.stringify(sent.body))
    const headers = { ...(sent.body === undefined ? {} : { 'content-type': 'application/json' }), ...sent.headers }
    const answer = await fetch(url + path, { method, headers, ...(body === undefined ? {} : { body: body as string }) })
    const text = await answer.text()
    return { status: answer.status, headers: Object.fromEntries(answer.headers), text, body: text === '' ? null : JSON.parse(text) }
  }
  return {
    url,
    call,
    as: (person) => makePerson(call, person),
    close: async () => {
      await api.close()
      await resources.close()
    },
  }
}

/** Asks until the answer has the status, which must be within the second that the contract gives. */
export async function within1s(what: string, status: number, ask: () => Promise<Reply>): Promise<Reply> {
  const until = performance.now() + 1_000
  for (;;) {
    const reply = await ask()
    if (reply.status === status) return reply
    assert.ok(performance.now() < until, `${what}: still ${reply.status} after 1 s`)
  }
}
