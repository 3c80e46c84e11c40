// The first look is red beyond each threshold and not at it, and tells the truth of a real database.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import pg from 'pg'
import { judged, looked } from '../../src/features/inspecting/check.ts'
import { databaseChecks, type DatabaseLook } from '../../src/features/inspecting/database-checks.ts'
import { hostChecks, type Host } from '../../src/features/inspecting/host-checks.ts'
import { lookAt } from '../../src/features/inspecting/look.ts'
import { inspectionText } from '../../src/features/inspecting/report.ts'
import { shippedIndexes } from '../../src/resources/indexes.ts'
import { open } from '../harness.ts'

const host: Host = {
  cpus: 2,
  load: 0,
  cpuPercent: 0,
  memory: { bytes: 100, availableBytes: 100 },
  disks: { data: { bytes: 100, availableBytes: 100 }, service: { bytes: 100, availableBytes: 100 } },
}
const calm: DatabaseLook = {
  server: {
    version: '18.4',
    uptimeS: 30 * 86_400,
    backend: 1,
    address: null,
    folder: null,
    connections: 5,
    connectionsMax: 100,
    blocksHit: 100_000,
    blocksRead: 0,
    deadlocks: 0,
    sizeBytes: 1,
    statisticsS: 30 * 86_400,
    transactionIds: 0,
    standby: false,
  },
  activity: [],
  tables: [],
  unused: [],
  missing: [],
  bloat: [],
  replicas: [],
  queue: { due: 0, running: 0, dead: 0, oldestDueS: 0 },
  slow: [],
  backups: { baseAgeS: null, base: null, encrypted: null, drillAgeS: null, drillMs: null, follows: null, lagBytes: null },
}
const table = { name: 'journal', liveRows: 100_000, deadRows: 0, sequentialScans: 0, sequentialRows: 0, vacuumedAt: null }
const active = { pid: 7, application: 'psql', state: 'active', openMs: 0, waits: false, blockers: [] as number[], query: 'select 1' }

/** The checks that are red of a host and a database that are calm but for this. */
function red(draft: Partial<DatabaseLook>, ofHost: Partial<Host> = {}): string[] {
  return [...hostChecks({ ...host, ...ofHost }), ...databaseChecks({ ...calm, ...draft })]
    .filter(({ verdict }) => verdict === 'red')
    .map(({ section, check }) => `${section}: ${check}`)
}

test('nothing is red of what is calm, and no backup is known', () => {
  assert.deepEqual(red({}), [])
  const backups = databaseChecks(calm).filter(({ section }) => section === 'backups')
  assert.deepEqual(
    backups.map(({ verdict, value }) => [verdict, value]),
    [
      ['unknown', null],
      ['unknown', null],
      ['unknown', null],
    ],
  )
})

const memoryOf = (used: number) => ({ memory: { bytes: 100, availableBytes: 100 - used } })
const serverOf = (draft: Partial<DatabaseLook['server']>) => ({ server: { ...calm.server, ...draft } })
const backupOf = (draft: Partial<DatabaseLook['backups']>) => ({ backups: { ...calm.backups, ...draft } })
const slowOf = (calls: number) => ({ slow: [{ query: 'select', calls, meanUs: 200_000, totalUs: 1 }] })

for (const [what, at, beyond] of [
  ['host: CPU', [{}, { cpuPercent: 80 }], [{}, { cpuPercent: 80.1 }]],
  ['host: load for each CPU', [{}, { load: 4 }], [{}, { load: 4.1 }]],
  ['backups: age of the last', [backupOf({ baseAgeS: 26 * 3_600 })], [backupOf({ baseAgeS: 26.1 * 3_600 })]],
  ['backups: age of the last drill', [backupOf({ drillAgeS: 35 * 86_400 })], [backupOf({ drillAgeS: 35.1 * 86_400 })]],
  ['backups: the log is followed', [backupOf({ follows: true })], [backupOf({ follows: false })]],
  ['host: memory', [{}, memoryOf(80)], [{}, memoryOf(81)]],
  [
    "disk: of PostgreSQL's data",
    [{}, { disks: { data: { bytes: 100, availableBytes: 20 } } }],
    [{}, { disks: { data: { bytes: 100, availableBytes: 19 } } }],
  ],
  ['database: connections', [serverOf({ connections: 80 })], [serverOf({ connections: 81 })]],
  ['database: connections', [serverOf({ connections: 40, connectionsMax: 50 })], [serverOf({ connections: 41, connectionsMax: 50 })]],
  [
    'database: blocks found in buffers',
    [serverOf({ blocksHit: 95_000, blocksRead: 5_000 })],
    [serverOf({ blocksHit: 94_999, blocksRead: 5_001 })],
  ],
  ['database: transactions since the last freeze', [serverOf({ transactionIds: 500e6 })], [serverOf({ transactionIds: 501e6 })]],
  ['locks: waiting for a lock', [{ activity: [active] }], [{ activity: [{ ...active, waits: true, blockers: [9] }] }]],
  ['locks: longest open transaction', [{ activity: [{ ...active, openMs: 60_000 }] }], [{ activity: [{ ...active, openMs: 61_000 }] }]],
  ['statements: kinds with a mean above 100 ms', [slowOf(looked.callsMin - 1)], [slowOf(looked.callsMin)]],
  ['indexes: missing', [{}], [{ missing: [{ name: 'x', table: 'y', definition: 'create index x on y (z)' }] }]],
  [
    'indexes: unused, of 8 MB and more',
    [{ ...serverOf({ statisticsS: 6 * 86_400 }), unused: [{ name: 'x', table: 'y', bytes: 1e7 }] }],
    [{ unused: [{ name: 'x', table: 'y', bytes: 1e7 }] }],
  ],
  [
    'tables: rows read by each scan from end to end',
    [{ tables: [{ ...table, sequentialScans: 100, sequentialRows: 1_000_000 }] }],
    [{ tables: [{ ...table, sequentialScans: 100, sequentialRows: 1_001_000 }] }],
  ],
  ['tables: dead rows of a table', [{ tables: [{ ...table, deadRows: 25_000 }] }], [{ tables: [{ ...table, deadRows: 26_000 }] }]],
  [
    'tables: bloat of a table, estimated',
    [{ bloat: [{ name: 'x', bytes: 100, packedBytes: 60 }] }],
    [{ bloat: [{ name: 'x', bytes: 100, packedBytes: 59 }] }],
  ],
  [
    'replication: lag of the slowest replica',
    [{ replicas: [{ name: 'r', state: 'streaming', lagMs: 10_000, lagBytes: 0 }] }],
    [{ replicas: [{ name: 'r', state: 'streaming', lagMs: 11_000, lagBytes: 0 }] }],
  ],
  ['queue: longest wait of a due job', [{ queue: { ...calm.queue, oldestDueS: 300 } }], [{ queue: { ...calm.queue, oldestDueS: 301 } }]],
  ['queue: dead letters', [{ queue: { ...calm.queue, dead: 0 } }], [{ queue: { ...calm.queue, dead: 1 } }]],
] as [string, [Partial<DatabaseLook>, Partial<Host>?], [Partial<DatabaseLook>, Partial<Host>?]][]) {
  test(`${what}: red beyond its threshold, not at it`, () => {
    assert.deepEqual(red(...at), [])
    assert.deepEqual(red(...beyond), [what])
  })
}

test('what cannot be known is neither good nor red, and details are few and of one line', () => {
  assert.equal(judged({ section: 's', check: 'c', value: null, unit: '', threshold: 1 }).verdict, 'unknown')
  assert.deepEqual(
    hostChecks({ ...host, cpuPercent: null, memory: null }).map(({ verdict }) => verdict),
    ['unknown', 'ok', 'unknown', 'ok', 'ok'],
  )
  const many = Array.from({ length: 20 }, (_, pid) => ({
    ...active,
    pid,
    waits: true,
    blockers: [1],
    application: 'evil\u001b[2J\nname',
    query: 'select\n1',
  }))
  const checks = databaseChecks({ ...calm, activity: many })
  assert.equal(checks.find(({ check }) => check === 'waiting for a lock')!.details.length, looked.detailsMax)
  const text = inspectionText(checks)
  assert.ok(!text.includes('\u001b[2J'), 'no name moves the cursor')
  assert.match(text, /pid 0 \(evil\?\[2J name, active\) for 0 s: select 1 - waits for pid 1$/m)
  assert.match(text, /^1 of \d+ are red\.$/m)
})

test('a real database: who waits for whom, dead letters, missing and broken indexes, dead rows and bloat', async () => {
  await using djinn = await open()
  await djinn.sql(`create table large as select n, repeat('x', 200) as filling from generate_series(1, 60000) n`)
  await djinn.sql('delete from large where n % 3 > 0')
  await djinn.sql('analyze large')
  const holder = new pg.Client({ connectionString: djinn.adminUrl, application_name: 'holder' })
  const waiter = new pg.Client({ connectionString: djinn.adminUrl, application_name: 'waiter' })
  await Promise.all([holder.connect(), waiter.connect()])
  try {
    await holder.query('begin')
    await holder.query('update large set n = n where n = 3')
    const waits = waiter.query('update large set n = n where n = 3')
    const blocked = async () =>
      (await djinn.sql(`select from pg_stat_activity where application_name = 'waiter' and wait_event_type = 'Lock'`)).length
    while ((await blocked()) === 0) await new Promise((resolve) => setImmediate(resolve))
    await djinn.sql(`select graphile_worker.add_job('nothing')`)
    await djinn.sql('update graphile_worker._private_jobs set attempts = max_attempts')
    await djinn.sql(`update pg_index set indisvalid = false where indexrelid = 'transactions_by_date'::regclass`)
    await djinn.sql('drop index journal_by_time')
    await djinn.sql('select pg_stat_force_next_flush()')
    const look = await lookAt(djinn.resources.directDatabase)
    const found = look.activity.find(({ application }) => application === 'waiter')!
    const of = look.activity.find(({ application }) => application === 'holder')!
    assert.deepEqual([found.waits, found.blockers], [true, [of.pid]])
    assert.equal(look.queue.dead, 1)
    assert.deepEqual(look.missing.map(({ name }) => name).toSorted(), ['journal_by_time', 'transactions_by_date'])
    const large = look.bloat.find(({ name }) => name === 'large')!
    const loose = 1 - large.packedBytes / large.bytes
    assert.ok(loose > 0.6 && loose < 0.7, `two thirds of it are dead or loose: ${loose}`)
    await holder.query('rollback')
    await waits
  } finally {
    await Promise.all([holder.end(), waiter.end()])
  }
})

test('every index that the migrations make is found in a database that they made, and no other', async () => {
  await using djinn = await open()
  const { missing } = await lookAt(djinn.resources.directDatabase)
  assert.deepEqual(missing, [])
  const shipped = new Set(shippedIndexes().map(({ name }) => name))
  // Other constraints bring indexes of their own: whoever drops one drops a promise, and not only speed.
  const there = await djinn.sql<{ name: string }>(`select c.relname as name from pg_index i join pg_class c on c.oid = i.indexrelid
    where c.relnamespace = 'public'::regnamespace and not exists (select from pg_constraint k where k.conindid = i.indexrelid and k.contype <> 'p')
      and i.indrelid <> 'migrations'::regclass`)
  assert.deepEqual(
    there.map(({ name }) => name).filter((name) => !shipped.has(name)),
    [],
  )
  for (const { name, definition, table: on } of shippedIndexes()) {
    if (!definition.startsWith('alter')) continue
    const [key] = await djinn.sql<{ key: string }>(`select pg_get_constraintdef(oid) as key from pg_constraint where conname = $1`, [name])
    assert.equal(
      `alter table ${on} add ${key!.key.replace('PRIMARY KEY', 'primary key').replace('INCLUDE', 'include').replaceAll('"', '')}`,
      definition,
    )
  }
})
