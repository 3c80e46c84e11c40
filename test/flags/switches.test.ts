// Flags as callers notice them: what is refused and what goes on, on every process, whatever becomes of the connections.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { flagHistory, listFlags, setFlag, showFlag, type Wanted } from '../../src/features/flags/administration.ts'
import { isWriting } from '../../src/http/gate.ts'
import { refusalsOf } from '../../src/http/openapi.ts'
import { featureNames, flagNames, seedOf, standingOf } from '../../src/values/flags.ts'
import { assertRefused, open, type Person } from '../harness.ts'
import { Stream } from '../routes/event-streams.ts'
import { makeFeed, send } from '../routes/feed-pushes.ts'
import { openAnother } from '../routes/members.ts'
import { noticed, setOn } from './setting.ts'

const djinn = await open()
after(() => djinn.close())

const patient = { timeout: 20_000 }
const flags = djinn.resources.flags

const set = (name: string, value: string, more: Partial<Wanted> = {}) => setOn(djinn, name, value, more)

const account = { name: 'Current', kind: 'checking', currency: 'EUR' }
const seen = (person: Person) => person.get('/api/me/features').then(({ body }) => body)

test('without a change everything is on, and an app is told so before and after signing in', async () => {
  const ana = await djinn.person()
  const { body } = await djinn.call('GET', '/api/system/config/mobile')
  const on = Object.fromEntries(featureNames.map((name) => [name, true]))
  assert.deepEqual([body.registration, body.readOnly, body.features], ['open', false, on])
  assert.deepEqual(await seen(ana), { readOnly: false, features: on })
  const standings = await listFlags(djinn.resources.directDatabase)
  assert.deepEqual(
    standings.map(({ name, value, changedAt }) => [name, value, changedAt]),
    flagNames.map((name) => [name, name === 'registration' ? 'open' : name === 'readOnly' ? 'off' : 'on', null]),
  )
})

test(
  'read-only: what writes is 503 with Retry-After and writes nothing; reads, signing in, refreshing and signing out go on',
  patient,
  async () => {
    const ana = await djinn.person()
    const id = await ana.account()
    await set('readOnly', 'on')
    try {
      const refused = await ana.post('/api/accounts', account)
      assertRefused(refused, 503, 'read-only')
      assert.equal(refused.headers['retry-after'], '30')
      for (const [method, path, body] of [
        ['PATCH', `/api/accounts/${id}`, { name: 'Other' }],
        ['DELETE', `/api/accounts/${id}`, undefined],
        ['POST', '/api/auth/password', { currentPassword: 'a', newPassword: 'b' }],
        ['DELETE', '/api/me', {}],
      ] as const) {
        assertRefused(await ana.call(method, path, body === undefined ? {} : { body }), 503, 'read-only')
      }
      assertRefused(
        await djinn.call('POST', '/api/auth/register', { body: { email: 'new@example.org', password: ana.password } }),
        503,
        'read-only',
      )
      assert.equal((await ana.get(`/api/accounts/${id}`)).body.name, 'Current')
      assert.equal((await ana.get('/api/sync')).status, 200)
      assert.equal((await ana.post('/api/exports', { kind: 'household' })).status, 200)
      const signedIn = await djinn.call('POST', '/api/auth/login', { body: { email: ana.email, password: ana.password } })
      assert.equal(signedIn.status, 200)
      const refreshed = await djinn.call('POST', '/api/auth/refresh', { body: { refreshToken: signedIn.body.refreshToken } })
      assert.equal(refreshed.status, 200)
      const headers = { authorization: `Bearer ${refreshed.body.accessToken}` }
      assert.equal((await djinn.call('POST', '/api/auth/logout', { headers })).status, 204)
      assert.equal((await djinn.call('GET', '/api/system/config/mobile')).body.readOnly, true)
      assert.equal((await seen(ana)).readOnly, true)
      assert.equal((await djinn.call('GET', '/health/ready')).status, 200)
    } finally {
      await set('readOnly', 'off')
    }
    assert.equal((await ana.post('/api/accounts', account)).status, 201)
  },
)

test('read-only: each operation of a batch is asked by itself, and an atomic one is undone as a whole', patient, async () => {
  const ana = await djinn.person()
  const operations = [
    { id: 'read', method: 'GET', path: '/api/accounts' },
    { id: 'write', method: 'POST', path: '/api/accounts', body: account, headers: { 'Idempotency-Key': 'kept' } },
  ]
  await set('readOnly', 'on')
  try {
    const { body } = await ana.post('/api/batch', { operations })
    assert.deepEqual(
      body.results.map((one: { status: number }) => one.status),
      [200, 503],
    )
    assert.deepEqual([body.results[1].body.code, body.results[1].headers['retry-after']], ['read-only', '30'])
    const atomic = await ana.post('/api/batch', { operations, atomic: true })
    assert.deepEqual(
      atomic.body.results.map((one: { body: { code: string } }) => one.body.code),
      ['batch-undone', 'read-only'],
    )
  } finally {
    await set('readOnly', 'off')
  }
  const { body } = await ana.post('/api/batch', { operations })
  assert.equal(body.results[1].status, 201, 'the key was not used up by the refusal')
})

test('every operation that writes refuses by the document, and those that go on are these', () => {
  const writing = new Set(djinn.api.operations.filter((operation) => isWriting(operation)))
  for (const operation of djinn.api.operations) {
    assert.equal(refusalsOf(operation).includes('read-only'), writing.has(operation), operation.name)
    assert.equal(refusalsOf(operation).includes('feature-off'), operation.feature !== undefined, operation.name)
    assert.ok(operation.effect !== 'write' || operation.method !== 'GET', `${operation.name} is a GET that writes`)
  }
  const goOn = djinn.api.operations.filter(({ method, goesOnReadOnly }) => method !== 'GET' && goesOnReadOnly).map(({ name }) => name)
  assert.deepEqual(goOn.toSorted(), [
    'auth.login',
    'auth.logout',
    'auth.refresh',
    'batch',
    'exports.create',
    'invitations.preview',
    'me.endOtherSessions',
    'me.endSession',
    'rules.preview',
  ])
  const used = new Set(djinn.api.operations.map(({ feature }) => feature))
  // What is no operation: messages to devices.
  for (const name of featureNames) assert.ok(used.has(name) || name === 'push', name)
})

test('a feature that is off refuses its operations by name, in batches too, and what it left can be read and undone', patient, async () => {
  const ana = await djinn.person()
  const accountId = await ana.account()
  const file = 'Date,Description,Amount\n2026-02-03,Coffee,-3.20\n'
  const { body: preview } = await ana.upload(`/api/imports?accountId=${accountId}`, file)
  assert.equal((await ana.post(`/api/imports/${preview.id}/commit`)).status, 200)
  await set('imports', 'off')
  try {
    const refused = await ana.upload(`/api/imports?accountId=${accountId}`, file)
    assertRefused(refused, 403, 'feature-off')
    assert.equal(refused.body.feature, 'imports')
    const operations = [{ id: 'a', method: 'POST', path: `/api/imports/${preview.id}/commit` }]
    assert.equal((await ana.post('/api/batch', { operations })).body.results[0].body.code, 'feature-off')
    assert.equal((await ana.get('/api/imports')).body.data.length, 1)
    assert.equal((await ana.delete(`/api/imports/${preview.id}`)).status, 204)
    assert.equal((await ana.get('/api/reports/spending?from=2026-01&to=2026-02')).status, 200, 'the others are on')
    assert.equal((await djinn.call('GET', '/api/system/config/mobile')).body.features.imports, false)
    assert.equal((await seen(ana)).features.imports, false)
  } finally {
    await set('imports', 'on')
  }
})

test('a share is on for those below it and nobody else, and stays so while it grows', patient, async () => {
  const people: Person[] = []
  for (let index = 0; index < 6; index++) people.push(await djinn.person())
  const standing = (person: Person) => standingOf(seedOf('reports'), person.userId)
  people.sort((one, other) => standing(one) - standing(other))
  const allowed = async () => {
    const statuses = await Promise.all(people.map((person) => person.get('/api/reports/spending?from=2026-01&to=2026-02')))
    return statuses.filter(({ status }) => status === 200).length
  }
  try {
    for (const count of [1, 3, 5]) {
      await set('reports', `${standing(people[count]!) / 100}%`)
      assert.equal(await allowed(), count, 'the first ones, in the order in which they stand')
      assert.deepEqual(
        await Promise.all(people.map(async (person) => (await seen(person)).features.reports)),
        people.map((_, index) => index < count),
      )
    }
    assert.equal((await djinn.call('GET', '/api/system/config/mobile')).body.features.reports, true, 'for some')
  } finally {
    await set('reports', 'default')
  }
  assert.equal(await allowed(), people.length)
})

test(
  'rules that are off are not run on what is imported; feeds that are off take no push, and a share of feeds decides about making them',
  patient,
  async () => {
    const ana = await djinn.person()
    const accountId = await ana.account()
    const feed = await makeFeed(ana, accountId)
    const rule = {
      name: 'Coffee',
      match: 'all',
      conditions: [{ field: 'payee', operator: 'contains', value: 'Coffee' }],
      actions: { note: 'ruled' },
    }
    assert.equal((await ana.post('/api/rules', rule)).status, 201)
    const row = (externalId: string) => ({ externalId, date: '2026-02-03', amount: -320, payee: 'Coffee Bar', status: 'posted' })
    const notes = async () => (await ana.get('/api/transactions?fields=note')).body.data.map(({ note }: { note: string }) => note)
    await set('rules', 'off')
    try {
      assert.equal((await send(djinn, feed, { transactions: [row('a')] })).status, 200)
      assert.deepEqual(await notes(), [''])
      assertRefused(await ana.post('/api/rules/preview', { rule }), 403, 'feature-off')
    } finally {
      await set('rules', 'on')
    }
    await set('feeds', 'off')
    try {
      assertRefused(await send(djinn, feed, { transactions: [row('b')] }), 403, 'feature-off')
      assertRefused(await ana.post('/api/feeds', { accountId, name: 'Second' }), 403, 'feature-off')
      await set('feeds', '0.01%')
      assert.equal((await send(djinn, feed, { transactions: [row('b')] })).status, 200)
      assert.deepEqual((await notes()).toSorted(), ['', 'ruled'])
    } finally {
      await set('feeds', 'on')
    }
  },
)

test('streams of live events end when they are switched off, and none is opened until they are on', patient, async () => {
  const ana = await djinn.person()
  const stream = await Stream.open(djinn.url, ana)
  assert.equal((await stream.next())?.event, 'revision')
  await set('liveEvents', 'off')
  try {
    const ended = await stream.next()
    assert.deepEqual([ended?.event, ended?.data.reason], ['end', 'off'])
    assert.equal(await stream.next(), null)
    assertRefused(await ana.get('/api/events'), 403, 'feature-off')
  } finally {
    await set('liveEvents', 'on')
  }
  const again = await Stream.open(djinn.url, ana)
  again.close()
})

test(
  'a change is kept: who, when, from what to what and why; psql is told apart by its login, and nothing of it can be rewritten',
  patient,
  async () => {
    const { directDatabase } = djinn.resources
    await set('exports', '25%', { by: 'Ana', reason: 'a first part' })
    await set('exports', '25.00%', { by: 'Ben' })
    await set('exports', 'default', { by: 'Ben' })
    await djinn.sql(`insert into flags values ('exports', 'off')`)
    const [{ login }] = (await djinn.sql<{ login: string }>('select session_user as login')) as [{ login: string }]
    const changes = await flagHistory(directDatabase, { name: 'exports' })
    assert.deepEqual(
      changes.map(({ name, old, new: now, by, reason }) => [name, old, now, by, reason]),
      [
        ['exports', null, 'off', login, null],
        ['exports', '25%', null, 'Ben', null],
        ['exports', null, '25%', 'Ana', 'a first part'],
      ],
    )
    assert.ok(changes.every(({ at }) => Math.abs(Date.parse(at) - Date.now()) < 3_600_000))
    assert.deepEqual(await flagHistory(directDatabase, { name: 'exports', before: changes[1]!.number }), changes.slice(2))
    const shown = await showFlag(directDatabase, 'exports')
    assert.deepEqual([shown.value, shown.changedBy, shown.changedAt], ['off', login, changes[0]!.at])
    for (const rewrite of [
      'update flag_changes set changed_by = $1',
      'delete from flag_changes where changed_by <> $1',
      'truncate flags',
    ]) {
      await assert.rejects(djinn.sql(rewrite, rewrite.includes('$1') ? ['nobody'] : []), /kept as they were/)
    }
    await djinn.verify()
    await djinn.sql('alter table flags disable trigger keep_change')
    await djinn.sql(`update flags set value = 'on' where name = 'exports'`)
    assert.deepEqual(
      (await djinn.broken()).map(({ name }) => name),
      ['flags'],
    )
    await djinn.sql(`update flags set value = 'off' where name = 'exports'`)
    await djinn.sql('alter table flags enable trigger keep_change')
    await set('exports', 'on')
  },
)

test('what there is none of is refused with what there is, and nothing is written', async () => {
  const { directDatabase } = djinn.resources
  const before = (await flagHistory(directDatabase, {})).length
  const refused = async (wanted: Partial<Wanted>, message: RegExp) =>
    await assert.rejects(setFlag(directDatabase, { name: 'imports', value: 'on', by: 'test', ...wanted }), { name: 'FlagRefused', message })
  await refused({ name: 'import' }, /There is no flag "import"\. There are: registration, readOnly, imports/)
  await refused({ name: '__proto__' }, /There is no flag/)
  await refused({ value: '250%' }, /imports takes on, off, or a percentage .* default \(on\), not "250%"/)
  await refused({ name: 'registration', value: 'on' }, /registration takes open, invite, closed/)
  await refused({ by: '  ' }, /Say who/)
  await refused({ reason: 'x'.repeat(501) }, /at most 500/)
  await refused({ reason: 'a\u001b[2J' }, /cannot be shown/)
  await assert.rejects(flagHistory(directDatabase, { name: 'nothing' }), /There is no flag/)
  assert.equal((await flagHistory(directDatabase, {})).length, before)
})

test('two operators at once: each change begins where the other ended', patient, async () => {
  const { directDatabase } = djinn.resources
  const wanted = Array.from({ length: 12 }, (_, index) => ({ name: 'push', value: `${index + 1}%`, by: `operator ${index}` }))
  const done = await Promise.all(wanted.map((one) => setFlag(directDatabase, one)))
  const changes = (await flagHistory(directDatabase, { name: 'push' })).toReversed()
  assert.equal(changes.length, wanted.length)
  changes.forEach((change, index) => assert.equal(change.old, index === 0 ? null : changes[index - 1]!.new))
  for (const { old, value } of done) assert.ok(changes.some((change) => (change.old ?? 'on') === old && change.new === value))
  await djinn.verify()
  await set('push', 'default')
})

test('a change is in force on another process within a second', patient, async () => {
  const ana = await djinn.person()
  const other = await openAnother(djinn)
  try {
    const there = other.as(ana)
    assert.equal((await there.post('/api/accounts', account)).status, 201)
    await set('readOnly', 'on')
    const until = performance.now() + 1_000
    while ((await there.post('/api/accounts', account)).status !== 503) assert.ok(performance.now() < until, 'it still writes after 1 s')
  } finally {
    await set('readOnly', 'off')
    await other.close()
  }
})

test('what changed while nothing could be heard is caught up with', patient, async () => {
  const own = await open()
  const { flags: known } = own.resources
  const heard = noticed(known)
  // The change comes in the moment of the loss: no process hears it. It is found while nothing can be heard, or with what is heard next.
  await own.sql(`with lost as (select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'djinn listen' and datname = current_database())
    select count(*) from lost`)
  await setFlag(own.resources.directDatabase, { name: 'readOnly', value: 'on', by: 'test' })
  await heard
  assert.equal(known.readOnly, true)
  await own.close()
})

test('flags that cannot be read stay as they were last known, and are read again by themselves', patient, async () => {
  const lines: string[] = []
  const own = await open({ LOG_LEVEL: 'warn' }, (line) => lines.push(line))
  const { flags: known, directDatabase } = own.resources
  await setOn(own, 'readOnly', 'on')
  await own.sql('revoke select on flags from djinn_app')
  await setFlag(directDatabase, { name: 'readOnly', value: 'off', by: 'test' })
  await known.read()
  assert.equal(known.readOnly, true, 'as last known')
  const heard = noticed(known)
  await own.sql('grant select on flags to djinn_app')
  await heard
  assert.equal(known.readOnly, false)
  assert.equal(lines.filter((line) => line.includes('cannot be read')).length, 1, 'said once')
  // A later version's value says nothing to this one.
  await own.sql(
    `insert into flags values ('readOnly', 'partly'), ('telepathy', 'on') on conflict (name) do update set value = excluded.value`,
  )
  await known.read()
  assert.equal(known.readOnly, false)
  await own.close()
})

test('a process that cannot read the flags when it starts goes by the defaults, and by the flags as soon as it can', patient, async () => {
  const ana = await djinn.person()
  await set('readOnly', 'on')
  await djinn.sql('revoke select on flags from djinn_app')
  const other = await openAnother(djinn)
  try {
    assert.equal((await other.as(ana).post('/api/accounts', account)).status, 201)
    await djinn.sql('grant select on flags to djinn_app')
    const until = performance.now() + 3_000
    while ((await other.as(ana).post('/api/accounts', account)).status !== 503) assert.ok(performance.now() < until)
  } finally {
    await djinn.sql('grant select on flags to djinn_app')
    await set('readOnly', 'off')
    await other.close()
  }
})

test('asking costs a request no statement', patient, async () => {
  const ana = await djinn.person()
  await set('reports', '50%')
  try {
    await ana.get('/api/accounts')
    const { statements } = await djinn.count(() => ana.get('/api/accounts'))
    assert.ok(!statements.some((name) => name.startsWith('flags.')), statements.join())
    assert.equal(statements.length, 1)
  } finally {
    await set('reports', 'default')
  }
  assert.equal(flags.isOn('reports', ana.userId), true)
})
