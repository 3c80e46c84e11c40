// A household of two with a phone each, a service that pushes to a stub of FCM, and a worker that runs when the test says so.
import assert from 'node:assert/strict'
import { makeTasks } from '../../src/app/tasks.ts'
import { FcmStub } from '../fcm-stub.ts'
import { makePerson, open, type Djinn, type Person } from '../harness.ts'

export type Stage = {
  djinn: Djinn
  fcm: FcmStub
  /** Founded the household and writes to it. */
  ana: Person
  /** A member who is told. */
  ben: Person
  account: string
  /** Does what is due now. */
  work: (nowMs?: () => number) => Promise<void>
  /** Makes what waits for later due now. */
  hurry: () => Promise<void>
  /** Jobs that are waiting, by task. */
  waiting: () => Promise<Record<string, number>>
  /** Adds a transaction as Ana; answers its id. */
  spend: (amount?: number) => Promise<string>
  close: () => Promise<void>
  [Symbol.asyncDispose]: () => Promise<void>
}

/** Makes a person a member of a household, as an invitation does. */
export async function join(djinn: Djinn, household: string, user: string) {
  await djinn.sql(
    `select set_config('djinn.household', '${household}', true);
    insert into memberships (household_id, user_id, role) values ('${household}', '${user}', 'editor')`,
  )
}

export async function signIn(djinn: Djinn, person: Person, deviceName: string): Promise<Person> {
  const { status, body, text } = await djinn.call('POST', '/api/auth/login', {
    body: { email: person.email, password: person.password, deviceName },
  })
  assert.equal(status, 200, text)
  const { userId, householdId, email, password } = person
  return makePerson(djinn.call, {
    userId,
    householdId,
    email,
    password,
    accessToken: body.accessToken,
    refreshToken: body.refreshToken,
  })
}

/** Browsers, unless said otherwise: they are not poked, so that nothing but what a test asks for is queued. */
export async function register(person: Person, token: string, platform = 'web'): Promise<string> {
  const { status, body, text } = await person.post('/api/devices', { platform, pushToken: token })
  assert.ok(status === 201 || status === 200, text)
  return body.id
}

export async function setStage({ push = true } = {}): Promise<Stage> {
  const fcm = await FcmStub.open()
  const djinn = await open(push ? fcm.environment : {})
  const ana = await djinn.person({ displayName: 'Ana' })
  const ben = await djinn.person({ displayName: 'Ben' })
  await join(djinn, ana.householdId, ben.userId)
  const account = await ana.account()
  await register(ana, 'token-ana')
  await register(ben, 'token-ben')
  const close = async () => {
    await djinn.close()
    await fcm.close()
  }
  return {
    djinn,
    fcm,
    ana,
    ben,
    account,
    work: (nowMs) => djinn.resources.queue.runOnce(makeTasks(djinn.resources, nowMs)),
    hurry: async () => void (await djinn.sql('update graphile_worker._private_jobs set run_at = now() where attempts < max_attempts')),
    waiting: async () => {
      const rows = await djinn.sql<{ task: string; count: number }>(
        'select task_identifier as task, count(*)::int as count from graphile_worker.jobs where attempts < max_attempts group by 1 order by 1',
      )
      return Object.fromEntries(rows.map((row) => [row.task, row.count]))
    },
    spend: async (amount = -1250) => {
      const { status, body, text } = await ana.post('/api/transactions', {
        accountId: account,
        date: '2026-02-28',
        amount,
        payee: 'Bakery',
      })
      assert.equal(status, 201, text)
      return body.id
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}
