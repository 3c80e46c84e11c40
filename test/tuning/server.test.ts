// djinn tune against a PostgreSQL of its own: printed, applied, checked, refused.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { apply, standingOf } from '../../src/features/tuning/application.ts'
import type { Compared } from '../../src/features/tuning/comparison.ts'
import { fragment } from '../../src/features/tuning/report.ts'
import { memoryOf } from '../../src/features/tuning/quantity.ts'
import { settingsFor } from '../../src/features/tuning/rules.ts'
import { openEmbedded, type Embedded } from '../../src/resources/embedded.ts'
import { ServerSettings } from '../../src/resources/server-settings.ts'
import { withClient } from '../cluster.ts'

const executable = fileURLToPath(new URL('../../bin/djinn.js', import.meta.url))
const dataDir = mkdtempSync(join(tmpdir(), 'djinn-tune-'))
let server: Embedded = await openEmbedded({ dataDir, settings: { fsync: 'off' } })
after(async () => {
  await server.stop()
  rmSync(dataDir, { recursive: true, force: true })
})
async function restart() {
  await server.stop()
  server = await openEmbedded({ dataDir, settings: { fsync: 'off' } })
}
const asAdmin = (sql: string) => withClient(server.adminUrl, async (client) => (await client.query(sql)).rows)

async function tune(args: string[], url: string | null = server.adminUrl) {
  const child = spawn(process.execPath, [executable, 'tune', ...args], {
    env: { PATH: process.env['PATH'], LOG_LEVEL: 'silent', ...(url === null ? {} : { DATABASE_URL: url }) },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const [out, errors, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit') as Promise<[number]>])
  return { out, errors, code }
}
const size = ['--memory', '1GB', '--cpus', '1']
const oneGB = { memoryBytes: memoryOf('1GB')!, cpus: 1 }

async function onServer<T>(work: (server: ServerSettings) => Promise<T>): Promise<T> {
  const settings = await ServerSettings.open(server.adminUrl)
  try {
    return await work(settings)
  } finally {
    await settings.close()
  }
}
/** How each setting stands that is not as wanted. */
async function differing(wanted = oneGB): Promise<Record<string, Compared['standing']>> {
  const found = await onServer((settings) => standingOf(settings, settingsFor(wanted)))
  return Object.fromEntries(found.filter((one) => one.standing !== 'equal').map((one) => [one.name, one.standing]))
}

test('without --apply or --check no server is needed', async () => {
  const { out, code } = await tune(['--memory', '4GB', '--cpus', '2'], null)
  assert.equal(code, 0)
  assert.match(out, /^shared_buffers = 1GB +# /m)
  const { out: json } = await tune(['--memory', '4GB', '--cpus', '2', '--json'], null)
  const { memory, cpus, settings } = JSON.parse(json) as { memory: string; cpus: number; settings: Record<string, string> }
  assert.deepEqual([memory, cpus, settings['work_mem'], Object.keys(settings).length], ['4GB', 2, '16MB', 15])
})

test('a size that cannot be read is one line and exit 1', async () => {
  for (const args of [
    ['--memory', '4XB'],
    ['--memory', '1MB'],
    ['--cpus', '0'],
    ['--cpus', ''],
  ]) {
    const { out, errors, code } = await tune(args, null)
    assert.deepEqual([out, code], ['', 1], args.join(' '))
    assert.match(errors, /^djinn: --(memory|cpus) must be [^\n]*\n$/)
  }
  assert.notEqual((await tune(['--apply', '--check'], null)).code, 0)
})

test('a server elsewhere is not of the size of this machine', async () => {
  const { errors, code } = await tune(['--check'], 'postgres://someone:secret@db.invalid/djinn')
  assert.deepEqual([errors, code], ['djinn: the database runs on db.invalid: name its size with --memory and --cpus\n', 1])
})

test('the embedded one is not tuned for more memory than there is', async () => {
  const { errors, code } = await tune(['--memory', '1TB', '--cpus', '2', '--apply'], null)
  assert.equal(code, 1)
  assert.match(errors, /^djinn: --memory: the embedded PostgreSQL runs here/)
})

test('applied settings count at once or after a restart, and the check says which', async () => {
  assert.equal((await differing())['shared_buffers'], 'differs')
  const { out, code } = await tune([...size, '--apply', '--json'])
  assert.equal(code, 0)
  const applied = JSON.parse(out) as { applied: string[]; restart: string[]; overridden: unknown[] }
  assert.equal(applied.applied.length, 15)
  assert.ok(
    ['shared_buffers', 'max_connections', 'max_worker_processes'].every((name) => applied.restart.includes(name)),
    out,
  )
  assert.ok(!applied.restart.includes('work_mem'))
  assert.deepEqual(applied.overridden, [])
  assert.deepEqual(new Set(Object.values(await differing())), new Set(['waiting']))
  const waiting = await tune([...size, '--check'])
  assert.match(waiting.out, /^shared_buffers +128MB +256MB +waits for a restart$/m)
  assert.equal(waiting.code, 1)
  await restart()
  const [pending] = await asAdmin('select count(*)::int as count from pg_settings where pending_restart')
  assert.equal(pending!['count'], 0)
  const done = await tune([...size, '--check', '--json'])
  assert.deepEqual([done.code, (JSON.parse(done.out) as { ok: boolean }).ok], [0, true], done.out)
  const again = await tune([...size, '--apply'])
  assert.match(again.out, /^15 settings were written by ALTER SYSTEM\.\nAll of them are in effect\.\n$/)
})

test('the check compares values, not texts', async () => {
  await asAdmin(`alter system set work_mem = '4096kB'`)
  await asAdmin(`alter system set checkpoint_completion_target = '0.900'`)
  await asAdmin('select pg_reload_conf()')
  assert.deepEqual(await differing(), {})
})

test('what a database sets for itself goes before ALTER SYSTEM, and is told', async () => {
  await asAdmin(`alter database djinn set work_mem = '5MB'`)
  try {
    const { out } = await tune([...size, '--apply'])
    assert.match(out, /work_mem stays 5MB: it is set by ALTER DATABASE, which goes before ALTER SYSTEM\./)
    assert.match((await tune([...size, '--check'])).out, /^work_mem +5MB +4MB +differs, set by ALTER DATABASE$/m)
  } finally {
    await asAdmin('alter database djinn reset work_mem')
  }
})

test('who may not alter the system is told so, and nothing is half done', async () => {
  await asAdmin(`create role plain login password 'plain'`)
  const url = new URL(server.adminUrl)
  url.username = url.password = 'plain'
  const refused = await tune(['--memory', '8GB', '--cpus', '4', '--apply'], url.href)
  assert.deepEqual([refused.out, refused.code], ['', 1])
  assert.match(
    refused.errors,
    /^djinn: plain may not run ALTER SYSTEM: DATABASE_DIRECT_URL must name a superuser[^\n]*\. Nothing was changed\n$/,
  )
  await asAdmin('grant alter system on parameter shared_buffers to plain')
  assert.match((await tune([...size, '--apply'], url.href)).errors, /ALTER SYSTEM for checkpoint_completion_target, /)
  assert.deepEqual(await differing(), {})
  // Anyone may look.
  assert.equal((await tune([...size, '--check'], url.href)).code, 0)
})

const described = { rule: '', why: '' }

test('a value that the server does not take changes nothing', async () => {
  const wanted = [
    { name: 'work_mem', value: '9MB', ...described },
    { name: 'default_statistics_target', value: '1000000', ...described },
  ]
  await assert.rejects(
    onServer((settings) => apply(settings, wanted)),
    /^Error: the server takes default_statistics_target from 1 to 10000, not 1000000\. Nothing was changed$/,
  )
  await assert.rejects(
    onServer((settings) => apply(settings, [{ name: 'nonsense', value: '1', ...described }])),
    /the server knows no nonsense\. Nothing was changed/,
  )
  assert.deepEqual(await differing(), {})
})

test('when the server refuses one after all, it is told which were written before it', async () => {
  const wanted = [
    { name: 'work_mem', value: '4MB', ...described },
    { name: 'wal_segment_size', value: '16MB', ...described },
    { name: 'random_page_cost', value: '1.5', ...described },
  ]
  await assert.rejects(
    onServer((settings) => apply(settings, wanted)),
    /the server refused wal_segment_size \(.*\); before it these were written: work_mem$/,
  )
  assert.deepEqual(await differing(), {})
})

test('PostgreSQL reads the fragment as it is written', async () => {
  const larger = { memoryBytes: memoryOf('2GB')!, cpus: 2 }
  await asAdmin('alter system reset all')
  appendFileSync(join(dataDir, 'postgresql-18', 'postgresql.conf'), `\n${fragment(larger, settingsFor(larger))}\n`)
  await restart()
  assert.deepEqual(await differing(larger), {})
})
