// The audit trail: one entry a change, chained; whoever edits, cuts or reorders it is found out.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { invariants } from '../../src/resources/invariants.ts'
import { newId } from '../../src/values/id.ts'
import { cluster, open, type Djinn, type Person } from '../harness.ts'
import { asRole } from './app-role.ts'

// Opened here, the cluster lasts for the file, not for the first test that needs it.
await cluster()

type Entry = {
  number: number
  kind: string
  operation: string
  entity_id: string
  changes: Record<string, unknown>
  actor_id: string | null
  device_id: string | null
  request_id: string | null
}

const entries = (djinn: Djinn, person: Person, after: number) =>
  djinn.sql<Entry>(
    `select number::int, kind, operation, entity_id, changes, actor_id, device_id, request_id from journal
     where household_id = $1 and number > $2 order by number`,
    [person.householdId, after],
  )
const lastNumber = async (djinn: Djinn, person: Person) =>
  (await djinn.sql<{ entries: number }>('select entries::int from revisions where household_id = $1', [person.householdId]))[0]!.entries

/** A person with a few changes behind them. */
async function busyPerson(djinn: Djinn): Promise<Person> {
  const person = await djinn.person()
  const accountId = await person.account()
  for (const amount of [-1, -2, -3]) await person.post('/api/transactions', { accountId, date: '2026-02-28', amount })
  return person
}

test('each change has one entry with its columns before and after, its user, device and request', async () => {
  await using djinn = await open()
  const ana = await djinn.person()
  const account = await ana.account()
  const id = newId()
  const start = await lastNumber(djinn, ana)
  const path = `/api/transactions/${id}`
  await ana.post(
    '/api/transactions',
    { id, accountId: account, date: '2026-02-28', amount: -100, payee: 'Bakery' },
    { 'x-request-id': 'step-1' },
  )
  await ana.patch(path, { amount: -120, note: 'bread' })
  await ana.patch(path, { amount: -120 })
  await ana.delete(path)
  await ana.delete(path)
  await ana.post(`${path}/restore`)
  const told = await entries(djinn, ana, start)
  assert.deepEqual(
    told.map(({ number, kind, operation, entity_id }) => [number - start, kind, operation, entity_id]),
    ['create', 'update', 'delete', 'restore'].map((operation, index) => [index + 1, 'transaction', operation, id]),
  )
  assert.deepEqual([told[0]!.changes['amount'], told[0]!.changes['payee']], [-100, 'Bakery'])
  assert.deepEqual(told[1]!.changes, { amount: [-100, -120], note: ['', 'bread'] })
  assert.deepEqual(Object.keys(told[2]!.changes), ['deleted_at'])
  assert.equal(told[0]!.request_id, 'step-1')
  const [session] = await djinn.sql<{ id: string }>('select id from sessions where user_id = $1', [ana.userId])
  for (const entry of told) assert.deepEqual([entry.actor_id, entry.device_id], [ana.userId, session!.id])
})

test('a statement over many rows has an entry for each row that it changed', async () => {
  await using djinn = await open()
  const ana = await busyPerson(djinn)
  const start = await lastNumber(djinn, ana)
  await asRole(djinn, { household: ana.householdId, user: ana.userId }, (run) =>
    run(`update transactions set note = 'many', payee = case when amount = -2 then 'one' else payee end where household_id = $1`, [
      ana.householdId,
    ]),
  )
  await asRole(djinn, { household: ana.householdId, user: ana.userId }, (run) =>
    run(`update transactions set note = case when amount < -1 then 'few' else note end where household_id = $1`, [ana.householdId]),
  )
  const told = await entries(djinn, ana, start)
  assert.equal(told.length, 5)
  assert.equal(new Set(told.slice(0, 3).map((entry) => entry.entity_id)).size, 3)
  assert.deepEqual(
    told.map((entry) => Object.keys(entry.changes).length).toSorted((a, b) => a - b),
    [1, 1, 1, 1, 2],
  )
})

test('what is refused or rolled back leaves no entry and no gap', async () => {
  await using djinn = await open()
  const ana = await busyPerson(djinn)
  const accountId = await ana.account()
  const start = await lastNumber(djinn, ana)
  const splits = [{ amount: -1 }, { amount: -2 }]
  const refused = await ana.post('/api/transactions', { accountId, date: '2026-02-28', amount: -100, splits })
  assert.equal(refused.status, 422)
  await asRole(djinn, { household: ana.householdId }, async (run) => {
    await run('savepoint before')
    await run(`update accounts set note = 'gone'`)
    await run('rollback to before')
    await run(`update accounts set note = 'stays' where id = $1`, [accountId])
  })
  const told = await entries(djinn, ana, start)
  assert.deepEqual(
    told.map((entry) => [entry.number, entry.changes]),
    [[start + 1, { note: ['', 'stays'] }]],
  )
  await djinn.verify()
})

test("each entry's hash is SHA-256 of the hash before it and its content", async () => {
  await using djinn = await open()
  const ana = await busyPerson(djinn)
  const rows = await djinn.sql<{ previous: Buffer; hash: Buffer; content: Buffer; digest: Buffer; salt: Buffer; changes: string }>(
    `select previous_hash as previous, hash, entry_content(journal) as content, changes_digest as digest, salt, changes::text
     from journal where household_id = $1 order by number`,
    [ana.householdId],
  )
  assert.ok(rows.length > 10)
  const sha256 = (...parts: (Buffer | string)[]) => {
    const hash = createHash('sha256')
    for (const part of parts) hash.update(part)
    return hash.digest('hex')
  }
  let head: Buffer = Buffer.alloc(0)
  for (const row of rows) {
    assert.equal(row.previous.toString('hex'), head.toString('hex'))
    assert.equal(row.hash.toString('hex'), sha256(head, row.content))
    assert.equal(row.digest.toString('hex'), sha256(row.salt, row.changes))
    assert.ok(row.content.toString().includes(row.digest.toString('hex')), 'the hash covers the changes')
    head = row.hash
  }
  const [kept] = await djinn.sql<{ head: Buffer }>('select head from revisions where household_id = $1', [ana.householdId])
  assert.equal(kept!.head.toString('hex'), head.toString('hex'))
})

/** What a superuser may do to a journal of at least nine entries, and the entries that verify then names. */
const tampering: Record<string, { sql: string; named: (last: number) => [number, string][] }> = {
  'edits the changes': {
    sql: `update journal set changes = jsonb_set(changes, '{amount}', '-200') where household_id = $1 and number = $2 - 1`,
    named: (last) => [[last - 1, 'changes']],
  },
  'edits the changes and their digest': {
    sql: `update journal set changes = '{}', changes_digest = digest_of_changes(salt, '{}') where household_id = $1 and number = 3 and $2 > 0`,
    named: () => [[3, 'hash']],
  },
  'edits who did it': {
    sql: `update journal set actor_id = gen_random_uuid() where household_id = $1 and number = 5 and $2 > 0`,
    named: () => [[5, 'hash']],
  },
  'edits when it was': {
    sql: `update journal set at = at - interval '1 day' where household_id = $1 and number = 5 and $2 > 0`,
    named: () => [[5, 'hash']],
  },
  'deletes an entry in the middle': {
    sql: 'delete from journal where household_id = $1 and number = 5 and $2 > 0',
    named: () => [[6, 'gap']],
  },
  'deletes the first entry': {
    sql: 'delete from journal where household_id = $1 and number = 1 and $2 > 0',
    named: () => [[2, 'gap']],
  },
  'deletes the last entry': {
    sql: 'delete from journal where household_id = $1 and number = $2',
    named: (last) => [[last, 'head']],
  },
  'deletes an entry and closes the gap': {
    sql: `with gone as (delete from journal where household_id = $1 and number = $2 returning *)
      update journal j set kind = g.kind, entity_id = g.entity_id, operation = g.operation, changes = g.changes, salt = g.salt,
        changes_digest = g.changes_digest, hash = g.hash, previous_hash = g.previous_hash
      from gone g where j.household_id = $1 and j.number = $2 - 1`,
    named: (last) => [
      [last - 1, 'link'],
      [last, 'head'],
    ],
  },
  'swaps two entries': {
    sql: `update journal a set kind = b.kind, entity_id = b.entity_id, operation = b.operation, changes = b.changes, salt = b.salt,
        changes_digest = b.changes_digest, hash = b.hash, previous_hash = b.previous_hash
      from journal b where a.household_id = $1 and b.household_id = $1 and a.number in (4, 6) and b.number = 10 - a.number and $2 > 0`,
    named: () => [
      [4, 'link'],
      [5, 'link'],
      [6, 'link'],
      [7, 'link'],
    ],
  },
  'adds an entry at the end': {
    sql: `insert into journal select household_id, $2 + 1, revision, kind, entity_id, operation, changes, salt, changes_digest, actor_id, device_id,
        request_id, at, hash, sha256(hash) from journal where household_id = $1 and number = $2`,
    named: (last) => [
      [last, 'head'],
      [last + 1, 'hash'],
    ],
  },
}

for (const [deed, { sql, named }] of Object.entries(tampering)) {
  test(`a superuser who ${deed} is found out, and the entry is named`, async () => {
    await using djinn = await open()
    const [ana, ben] = [await busyPerson(djinn), await busyPerson(djinn)]
    await djinn.verify()
    const last = await lastNumber(djinn, ana)
    await djinn.sql(sql, [ana.householdId, last])
    const broken = await djinn.broken()
    assert.deepEqual(
      broken.map((finding) => finding.name),
      ['journal'],
    )
    const found = broken[0]!.examples as { household_id: string; number: number; broken: string }[]
    assert.deepEqual(
      found.map((row) => [row.number, row.broken]).toSorted(([a], [b]) => Number(a) - Number(b)),
      named(last),
    )
    assert.ok(found.every((row) => row.household_id === ana.householdId && row.household_id !== ben.householdId))
  })
}

test('changes erased for privacy leave the chain whole', async () => {
  await using djinn = await open()
  const ana = await busyPerson(djinn)
  await djinn.sql('update journal set changes = null, salt = null where household_id = $1', [ana.householdId])
  await djinn.verify()
})

async function verifyByCommand(djinn: Djinn, ...flags: string[]) {
  const child = spawn(process.execPath, [fileURLToPath(new URL('../../src/djinn.ts', import.meta.url)), 'verify', ...flags], {
    env: { PATH: process.env['PATH'], DATABASE_URL: djinn.adminUrl },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const [out, errors, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit') as Promise<[number]>])
  assert.equal(errors, '')
  return { code, out }
}

test('djinn verify exits 0 on whole books, and 1 with the broken rows named', async () => {
  await using djinn = await open()
  const ana = await busyPerson(djinn)
  const whole = await verifyByCommand(djinn, '--json')
  assert.equal(whole.code, 0, whole.out)
  const report = JSON.parse(whole.out)
  assert.deepEqual([report.ok, report.findings.length], [true, invariants.length])
  await djinn.sql('delete from journal where household_id = $1 and number = 5', [ana.householdId])
  const broken = await verifyByCommand(djinn, '--json')
  assert.equal(broken.code, 1)
  const { ok, findings } = JSON.parse(broken.out)
  assert.equal(ok, false)
  const journal = findings.find((finding: { name: string }) => finding.name === 'journal')
  assert.deepEqual([journal.broken, journal.examples[0].number, journal.examples[0].household_id], [1, 6, ana.householdId])
  const plain = await verifyByCommand(djinn)
  assert.equal(plain.code, 1)
  assert.match(plain.out, new RegExp(`1 broken, for instance .*${ana.householdId}`))
})
