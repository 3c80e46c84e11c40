// What is of the whole service is gathered by one process at a time, and tells the truth.
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { pino } from 'pino'
import { Activity, firstSlot, slotOf } from '../../src/features/watching/activity.ts'
import { readCpu, readDatabaseCpuSeconds, readDisk, readMemory } from '../../src/features/watching/machine.ts'
import { Watch } from '../../src/features/watching/watch.ts'
import { Metrics } from '../../src/resources/metrics.ts'
import { newId } from '../../src/values/id.ts'
import { open, type Djinn } from '../harness.ts'

/** Another process on the same database. */
function beside(djinn: Djinn): Watch {
  const idle = { connections: () => 0, streams: () => 0, pool: () => ({ total: 0, idle: 0, waiting: 0 }) }
  return new Watch({
    database: djinn.resources.directDatabase,
    directUrl: djinn.adminUrl,
    metrics: new Metrics(idle),
    log: pino({ level: 'silent' }),
    dataDir: tmpdir(),
    embedded: false,
  })
}

test('of two processes one gathers; when it ends or dies, the other takes over', async () => {
  await using djinn = await open()
  const first = beside(djinn)
  const second = beside(djinn)
  first.start()
  await first.look()
  await second.look()
  assert.ok(first.gathered)
  assert.equal(second.gathered, null)
  assert.ok(second.machine?.memory, 'the machine is everybody’s')
  await first.close()
  await second.look()
  assert.ok(second.gathered, 'after a stop at once')
  const third = beside(djinn)
  await third.look()
  assert.equal(third.gathered, null)
  await djinn.sql(`update watchers set until = now() - interval '1 second'`)
  await third.look()
  assert.ok(third.gathered, 'after a crash when the lease is over')
  await second.look()
  assert.equal(second.gathered, null)
})

test('users are counted once over processes and over a restart, and those of an hour ago no more', async () => {
  await using djinn = await open()
  const users = Array.from({ length: 300 }, () => newId())
  const first = beside(djinn)
  const second = beside(djinn)
  first.start()
  for (const user of users.slice(0, 200)) first.seen(user)
  for (const user of users.slice(100)) second.seen(user)
  await second.look()
  await first.close()
  await second.close()
  const afterRestart = beside(djinn)
  await djinn.sql(`update watchers set until = now() - interval '1 second'`)
  await afterRestart.look()
  const counted = afterRestart.gathered!.users
  assert.ok(counted > 280 && counted < 320, `${counted} of 300`)
  await djinn.sql('update activity set slot = slot - 13')
  const later = beside(djinn)
  await djinn.sql(`update watchers set until = now() - interval '1 second'`)
  await later.look()
  assert.equal(later.gathered!.users, 0)
  assert.deepEqual(await djinn.sql('select slot from activity where slot < $1', [firstSlot(Date.now())]), [], 'they are forgotten')
})

test('a sketch counts within 5 percent whatever users come, in whatever order, and uniting twice changes nothing', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 30_000 }), fc.integer({ min: 0, max: 2 ** 31 }), (count, salt) => {
      const one = new Activity()
      const other = new Activity()
      const nowMs = Date.UTC(2026, 0, 1)
      for (let number = 0; number < count; number++) {
        const id = `0190a000-0000-7000-8000-0000${((number * 2_654_435_761 + salt) >>> 0).toString(16).padStart(8, '0')}`
        ;(number % 2 === 0 ? one : other).seen(id, nowMs)
        if (number % 3 === 0) one.seen(id, nowMs)
      }
      for (let again = 0; again < 2; again++) for (const { slot, sketch } of other.recent(nowMs)) one.unite(slot, sketch)
      const counted = one.users(nowMs)
      assert.ok(Math.abs(counted - count) <= Math.max(3, count * 0.08), `${counted} of ${count}`)
      assert.equal(one.users(nowMs + 65 * 60_000), 0)
      assert.equal(slotOf(nowMs) - firstSlot(nowMs), 12)
    }),
    { numRuns: 20 },
  )
})

test('gathered figures are those of the database', async () => {
  await using djinn = await open()
  const person = await djinn.person()
  const accountId = await person.account()
  for (const day of ['01', '02', '03']) {
    const { status } = await person.post('/api/transactions', { accountId, date: `2026-01-${day}`, amount: -100 })
    assert.equal(status, 201)
  }
  await djinn.sql(`select graphile_worker.add_job('nothing', run_at => now() - interval '90 seconds')`)
  await djinn.sql(`select graphile_worker.add_job('nothing', run_at => now() + interval '1 hour')`)
  await djinn.sql(`select pg_sleep(0.12)`)
  // A connection tells what it did when it ends, at the latest.
  await djinn.sql(
    `select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = current_database() and application_name = 'djinn'`,
  )
  await djinn.sql('select pg_stat_force_next_flush()')
  const { watch } = djinn.resources
  await watch.look()
  const { jobs, database, tables, sizeBytes, replication, slowStatements, users } = watch.gathered!
  assert.deepEqual([jobs.due, jobs.scheduled, jobs.running, jobs.dead], [1, 1, 0, 0])
  assert.ok(jobs.oldestDueMs >= 90_000)
  assert.ok(database.connections >= 1 && database.connections <= database.connectionsMax)
  assert.equal(tables.find(({ name }) => name === 'transactions')?.inserted, 3)
  assert.ok(tables.some(({ name }) => name === 'graphile_worker._private_jobs'))
  assert.ok(sizeBytes > 1_000_000)
  assert.deepEqual(replication, { replicas: 0, lagMs: 0, lagBytes: 0 })
  assert.equal(users, 1)
  const slept = slowStatements.find(({ query }) => query.includes('pg_sleep'))
  assert.ok(slept && slept.meanUs >= 120_000 && !slept.query.includes('0.12'), 'texts carry no values')
})

test('a server without pg_stat_statements, or whose role may not see, is watched all the same', async () => {
  await using djinn = await open()
  await djinn.sql('drop extension pg_stat_statements')
  await djinn.resources.watch.look()
  assert.deepEqual(djinn.resources.watch.gathered?.slowStatements, [])
})

test('a statement that gathers is cut off, and the next round goes on', async () => {
  await using djinn = await open()
  const replace = (body: string) =>
    djinn.sql(
      `create or replace function slow_statements(slow_ms integer, most integer)
        returns table (query text, calls bigint, mean_us bigint, total_us bigint) language sql as $$ select ${body}, 1::bigint, 1::bigint, 1::bigint $$`,
    )
  await replace('pg_sleep(30)::text')
  await djinn.resources.watch.look()
  assert.equal(djinn.resources.watch.gathered, null)
  await replace(`'select 1'`)
  await djinn.resources.watch.look()
  assert.deepEqual(slowQueries(djinn), ['select 1'])
})

const slowQueries = (djinn: Djinn) => djinn.resources.watch.gathered?.slowStatements.map(({ query }) => query)

function filesUnder(files: Record<string, string>): string {
  const root = mkdtempSync(join(tmpdir(), 'djinn-machine-'))
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true })
    writeFileSync(join(root, name), text)
  }
  return `${root}/`
}

test('memory is the control group’s in a container, without files that could be dropped, and else the machine’s', () => {
  const machine = filesUnder({ 'proc/meminfo': 'MemTotal:        4000000 kB\nMemFree: 1 kB\nMemAvailable:    1000000 kB\n' })
  const group = (max: string) => ({
    'sys/fs/cgroup/memory.max': max,
    'sys/fs/cgroup/memory.current': '600\n',
    'sys/fs/cgroup/memory.stat': 'anon 400\ninactive_file 150\nactive_file 50\n',
  })
  const container = filesUnder(group('1000\n'))
  const unlimited = filesUnder({ ...group('max\n'), 'proc/meminfo': 'MemTotal: 8 kB\nMemAvailable: 4 kB\n' })
  assert.deepEqual(readMemory(machine), { bytes: 4_096_000_000, availableBytes: 1_024_000_000 })
  assert.deepEqual(readMemory(container), { bytes: 1_000, availableBytes: 550 })
  assert.deepEqual(readMemory(unlimited), { bytes: 8_192, availableBytes: 4_096 })
  assert.equal(readMemory('/nowhere/'), null)
  for (const root of [machine, container, unlimited]) rmSync(root, { recursive: true })
})

test('CPU is the machine’s, and PostgreSQL’s with all its processes, living and ended', () => {
  const stat = (pid: number, name: string, parent: number, [own, ended]: [number, number]) =>
    `${pid} (${name}) S ${parent} 1 1 0 -1 0 0 0 0 0 ${own} 1 ${ended} 2 20 0 1 0 5\n`
  const root = filesUnder({
    'proc/stat': 'cpu  100 20 30 4000 50 6 7 80 0 0\ncpu0 1 1 1 1 1 1 1 1 0 0\n',
    'proc/10/stat': stat(10, 'postgres', 1, [199, 300]),
    'proc/11/stat': stat(11, 'postgres: a) b', 10, [99, 0]),
    'proc/12/stat': stat(12, 'postgres', 10, [49, 0]),
    'proc/13/stat': stat(13, 'sshd', 1, [49, 0]),
    'proc/10/task/10/children': '11 12 ',
  })
  assert.deepEqual(readCpu(root), { busy: 1.63, idle: 40.5, stolen: 0.8 })
  assert.equal(readDatabaseCpuSeconds(11, root), (200 + 302 + 100 + 50) / 100)
  assert.equal(readDatabaseCpuSeconds(13, root), null, 'a process of that number that is not PostgreSQL’s')
  assert.equal(readDatabaseCpuSeconds(99, root), null)
  rmSync(root, { recursive: true })
})

test('a disk is known of a folder that is not there yet, and none of the kernel’s own', () => {
  const disk = readDisk(join(tmpdir(), 'not', 'there', 'yet'))
  assert.ok(disk && disk.bytes > disk.availableBytes && disk.availableBytes > 0)
  assert.equal(readDisk('/proc/self/fd'), null)
})
