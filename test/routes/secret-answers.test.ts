// Idempotency-Key on calls that carry secrets: a repeat gets the same answer, and the database holds neither it nor the request.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { z } from 'zod'
import { operation } from '../../src/http/operation.ts'
import { Cursors } from '../../src/http/page.ts'
import { perform } from '../../src/http/perform.ts'
import { hashRequest } from '../../src/http/replay.ts'
import { open, type Person } from '../harness.ts'

const djinn = await open()
after(() => djinn.close())

let runs = 0
const revealing = operation({
  name: 'test.reveal',
  tag: 'Test',
  summary: 'Answers a secret once',
  method: 'POST',
  path: '/api/test/reveal',
  access: 'user',
  criticality: 'write',
  effect: 'write',
  noStore: true,
  body: z.strictObject({ password: z.string() }),
  run: async () => ({ status: 201, body: { secret: `shown-once-${++runs}` }, headers: { location: '/api/test/1' } }),
})

const reveal = (person: Person, key: string | undefined, password = 'a phrase') =>
  perform(
    {
      database: djinn.resources.database,
      cursors: new Cursors(Buffer.alloc(32)),
      replicas: null,
      lineage: 'test',
      gate: { readOnly: false, isOn: () => true },
    },
    revealing,
    {
      requestId: 'request',
      nowMs: Date.now(),
      address: '127.0.0.1',
      principal: { userId: person.userId, sessionId: person.userId, tier: 'standard', memberships: new Map() },
      authenticateAgain: async () => null,
      householdHeader: undefined,
      params: {},
      query: {},
      url: '/api/test/reveal',
      body: { password },
      network: 'ordinary',
      headers: { idempotencyKey: key },
    },
  )

test('a repeat gets the secret again, whatever happened to the answer, and runs nothing', async () => {
  const ana = await djinn.person()
  const first = await reveal(ana, 'key-1')
  const ran = runs
  const again = await reveal(ana, 'key-1')
  assert.deepEqual([again.status, again.body], [first.status, first.body])
  assert.deepEqual(again.headers, { ...first.headers, 'idempotency-replayed': 'true' })
  assert.equal(runs, ran)
})

test('the table holds neither the secret, nor the key, nor a quick digest of the request', async () => {
  const ana = await djinn.person()
  const { body } = await reveal(ana, 'key-of-ana', 'a phrase of hers')
  const [row] = await djinn.sql<{ key: string; hash: Buffer; text: string }>(
    `select key, request_hash as hash, row_to_json(k)::text as text from idempotency_keys k where user_id = $1`,
    [ana.userId],
  )
  const { secret } = JSON.parse(String(body)) as { secret: string }
  for (const hidden of [secret, 'key-of-ana', 'a phrase of hers']) assert.ok(!row!.text.includes(hidden), hidden)
  assert.notDeepEqual(row!.hash, hashRequest('?', { password: 'a phrase of hers' }))
  assert.match(row!.key, /^sealed [\w-]{43}$/)
})

test('the key with another body is refused, and the first answer stays to be had', async () => {
  const ana = await djinn.person()
  const first = await reveal(ana, 'key-1')
  await assert.rejects(reveal(ana, 'key-1', 'another phrase'), { code: 'idempotency-key-reused' })
  assert.equal((await reveal(ana, 'key-1')).body, first.body)
})

test('the key of somebody else opens nothing', async () => {
  const [ana, ben] = [await djinn.person(), await djinn.person()]
  const hers = await reveal(ana, 'shared')
  const his = await reveal(ben, 'shared')
  assert.equal(his.headers['idempotency-replayed'], undefined)
  assert.notEqual(his.body, hers.body)
})

test('without a key every call runs', async () => {
  const ana = await djinn.person()
  assert.notEqual((await reveal(ana, undefined)).body, (await reveal(ana, undefined)).body)
  assert.deepEqual(await djinn.sql('select 1 from idempotency_keys where user_id = $1', [ana.userId]), [])
})

test('two at once with one key run once', async () => {
  const ana = await djinn.person()
  const before = runs
  const settled = await Promise.allSettled(Array.from({ length: 5 }, () => reveal(ana, 'storm')))
  assert.equal(runs, before + 1)
  for (const one of settled) {
    if (one.status === 'rejected') assert.equal((one.reason as { code: string }).code, 'idempotency-in-progress')
  }
})

test('a repeated password change is answered as the first was, though the old password is wrong by then', async () => {
  const ana = await djinn.person()
  const change = () =>
    ana.post(
      '/api/auth/password',
      { currentPassword: ana.password, newPassword: 'glacier pinwheel 6072 tundra' },
      { 'idempotency-key': 'change' },
    )
  const [first, again] = [await change(), await change()]
  assert.deepEqual([first.status, again.status], [204, 204], again.text)
  assert.deepEqual([first.headers['idempotency-replayed'], again.headers['idempotency-replayed']], [undefined, 'true'])
  const kept = await djinn.sql<{ key: string }>('select key from idempotency_keys where user_id = $1', [ana.userId])
  assert.equal(kept.length, 1)
  assert.match(kept[0]!.key, /^sealed /)
})
