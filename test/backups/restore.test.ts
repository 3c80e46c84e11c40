// A backup is made while people write, and brought back to a moment: exact, proved, without those who were erased; whatever is wrong with it is said.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { randomBytes } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { momentOf } from '../../src/features/backups/wal-names.ts'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { makeApi } from '../../src/app/api.ts'
import { backUpFrom, drillNow, followServed, listBackups, openRepository, restoreTo } from '../../src/app/backups.ts'
import { compareHeads } from '../../src/features/backups/heads.ts'
import { inspect } from '../../src/app/inspection.ts'
import { openResources } from '../../src/app/resources.ts'
import { makeTasks } from '../../src/app/tasks.ts'
import { readConfig } from '../../src/resources/config.ts'
import { openEmbedded } from '../../src/resources/embedded.ts'
import { lsnOf } from '../../src/resources/replication.ts'
import { makePerson, type Person, type Sent } from '../harness.ts'

const root = mkdtempSync(join(tmpdir(), 'djinn-backup-'))
const keyFile = join(root, 'backup.key')
writeFileSync(keyFile, `${randomBytes(32).toString('base64')}\n`, { mode: 0o600 })
const environment = {
  NODE_ENV: 'test',
  LOG_LEVEL: 'silent',
  SHEDDING: 'off',
  DJINN_DATA_DIR: join(root, 'data'),
  BACKUP_FOLDER: join(root, 'backups'),
  BACKUP_KEY_FILE: keyFile,
  RATE_LIMIT_ANONYMOUS: '100000',
  RATE_LIMIT_AUTHENTICATED: '100000',
  RATE_LIMIT_LOGIN: '100000',
}
const config = readConfig(environment)
const resources = await openResources(config)
const api = await makeApi(resources)
const url = await api.app.listen({ host: '127.0.0.1', port: 0 })
const follower = await followServed(resources)
const admin = new pg.Pool({ connectionString: resources.directUrl, max: 2 })
after(async () => {
  await follower?.close()
  await api.close()
  await admin.end()
  await resources.close()
  rmSync(root, { recursive: true, force: true })
})
const sql = async <T extends object>(text: string) => (await admin.query<T>(text)).rows
const open = (folder?: string) => openRepository(config, folder, undefined)
const backUp = async () => {
  const source = { url: resources.directUrl, database: resources.directDatabase, embedded: true }
  return await backUpFrom(source, await open(), { keepDays: 14 })
}
/** As a command beside it, which finds the server by its address: this process has it running. */
const beside = readConfig({ ...environment, DATABASE_URL: resources.directUrl })
let folders = 0
const newFolder = () => join(root, `restored-${++folders}`)

async function call(method: string, path: string, { body, headers = {} }: Sent = {}) {
  const sent = body === undefined ? {} : { body: JSON.stringify(body) }
  const answer = await fetch(url + path, { method, headers: { 'content-type': 'application/json', ...headers }, ...sent })
  const text = await answer.text()
  return { status: answer.status, headers: {}, text, body: text === '' ? null : JSON.parse(text) }
}

let signUps = 0
async function signUp(): Promise<Person> {
  const email = `person${++signUps}@example.org`
  const password = 'correct horse battery staple'
  const { body, text } = await call('POST', '/api/auth/register', { body: { email, password } })
  assert.ok(body.accessToken, text)
  const { accessToken, refreshToken } = body
  return makePerson(call, { email, password, userId: body.user.id, householdId: body.household.id, accessToken, refreshToken })
}

async function spend(person: Person, accountId: string, payee: string) {
  const { status, text } = await person.post('/api/transactions', { accountId, date: '2026-01-31', amount: -100, payee })
  assert.equal(status, 201, text)
}

/** Comes back when all that is committed by now is safe in the archive. */
async function safe() {
  const [now] = await sql<{ lsn: string }>('select pg_current_wal_flush_lsn()::text as lsn')
  const repository = await open()
  while (lsnOf((await repository.readReached())?.lsn ?? '0/0') < lsnOf(now!.lsn)) await new Promise((resolve) => setTimeout(resolve, 50))
}

const clock = async () => new Date((await sql<{ at: Date }>('select clock_timestamp() as at'))[0]!.at).getTime()

/** Starts what was restored, as `djinn serve` would, and asks it. */
async function ask<T extends object>(folder: string, ...texts: string[]): Promise<T[][]> {
  const server = await openEmbedded({ dataDir: folder })
  const client = new pg.Client({ connectionString: server.adminUrl })
  await client.connect()
  try {
    const answers: T[][] = []
    for (const text of texts) answers.push((await client.query<T>(text)).rows)
    return answers
  } finally {
    await client.end()
    await server.stop()
  }
}

function modesOf(folder: string): Set<string> {
  return new Set(
    readdirSync(folder, { withFileTypes: true, recursive: true }).map((entry) => {
      const mode = (statSync(join(entry.parentPath, entry.name)).mode & 0o777).toString(8)
      return `${entry.isDirectory() ? 'folder' : 'file'} ${mode}`
    }),
  )
}

const restoring = async (folder: string, targetMs: number | null, from?: string) =>
  await restoreTo({ repository: await open(from), folder, targetMs, log: () => {} })

/** Whom and when the tests below restore to. */
const known = { accountId: '', erased: '', moment: 0, finishedMs: 0 }

test('a backup made while people write is restored to a moment between two writes: the first is there, the second is not', async () => {
  const ana = await signUp()
  const bob = await signUp()
  const accountId = await ana.account()
  await spend(bob, await bob.account({ name: 'canary' }), 'canary')
  let copied = false
  let written = 0
  const writing = (async () => {
    while (!copied) await spend(ana, accountId, `during ${written++}`)
  })()
  const base = await backUp()
  copied = true
  await writing
  await spend(ana, accountId, 'first')
  const moment = await clock()
  await spend(ana, accountId, 'second')
  assert.equal((await bob.call('DELETE', '/api/me', { body: { password: bob.password } })).status, 204)
  await resources.queue.runOnce(makeTasks(resources))
  await safe()
  Object.assign(known, { accountId, erased: bob.userId, moment, finishedMs: Date.parse(base.finishedAt) })

  const folder = newFolder()
  const restored = await restoring(folder, moment)
  assert.deepEqual(
    restored.findings.filter(({ broken }) => broken > 0),
    [],
  )
  assert.ok(restored.findings.length >= 17)
  assert.equal(restored.reachedAt, new Date(moment).toISOString())
  assert.equal(restored.erasedAgain, 1, 'the person, and the household with it')
  const [payees, counts, people, words, [history] = [], [balance] = []] = await ask<Record<string, unknown>>(
    folder,
    `select payee from transactions where payee in ('first', 'second')`,
    `select count(*)::int as n from transactions where payee like 'during %'`,
    `select id from users`,
    `select 1 from transactions where payee = 'canary' union all select 1 from journal where changes::text like '%canary%'`,
    `select epoch, (select count(*)::int from sessions where revoked_at is null) as open from installation`,
    `select balance from accounts where id = '${accountId}'`,
  )
  assert.deepEqual(payees, [{ payee: 'first' }])
  assert.deepEqual(counts, [{ n: written }])
  assert.deepEqual(people, [{ id: ana.userId }], 'who was erased after the moment is not back')
  assert.deepEqual(words, [])
  assert.notEqual(history!['epoch'], resources.installation.epoch, 'cursors and tags of before are of another history')
  assert.equal(history!['open'], 0, 'a session that was ended after the moment is not back')
  assert.equal(Number(balance!['balance']), -100 * (written + 1))
})

test('a moment that no commit came after is what the end of the log says, and one outside is refused with the range', async () => {
  const quiet = await clock()
  const repository = await open()
  while (Date.parse((await repository.readReached())!.at) < quiet) await new Promise((resolve) => setTimeout(resolve, 100))
  const folder = newFolder()
  await restoring(folder, quiet)
  const [payees] = await ask(folder, `select payee from transactions where payee in ('first', 'second') order by payee`)
  assert.deepEqual(payees, [{ payee: 'first' }, { payee: 'second' }])
  for (const moment of [known.finishedMs - 86_400_000, Date.now() + 86_400_000]) {
    await assert.rejects(restoring(newFolder(), moment), /the backups cover \S+Z to \S+Z; \S+Z is outside/)
  }
  await assert.rejects(restoring(folder, null), /is not empty/)
  await assert.rejects(restoring(join(root, 'data'), null), /is not empty/)
  await assert.rejects(restoring(newFolder(), null, join(root, 'nothing')), /holds no backups/)
  assert.equal(statSync(folder).mode & 0o777, 0o700)
  assert.deepEqual([...modesOf(join(root, 'backups'))].toSorted(), ['file 600', 'folder 700'], 'nothing can be read by others')
  assert.ok(!readFileSync(join(root, 'backups', 'erased.jsonl'), 'utf8').includes('@'), 'ids only')
})

test('a wrong key, an open key, a key that others may read: each is told, before anything is written', async () => {
  const other = join(root, 'other.key')
  writeFileSync(other, randomBytes(32).toString('hex'), { mode: 0o600 })
  await assert.rejects(openRepository(config, undefined, other), /the key file is not the one/)
  const withoutKey = readConfig({ ...environment, BACKUP_KEY_FILE: undefined })
  await assert.rejects(openRepository(withoutKey, undefined, undefined), /is encrypted: name its key file/)
  chmodSync(other, 0o640)
  await assert.rejects(openRepository(config, undefined, other), /may be read by others/)
  assert.throws(() => readConfig({ ...environment, BACKUP_KEY_FILE: join(root, 'none') }), /BACKUP_KEY_FILE: .* cannot be read \(ENOENT\)/)
})

test('a flipped byte, a file cut short, a segment that is not there: each is found before anything is written', async () => {
  await sql('select pg_switch_wal()')
  await sql(`insert into declared_facts values ('switch', 1)`)
  await safe()
  const damaged = async (change: (folder: string, wal: string[]) => void) => {
    const folder = join(root, `copy-${++folders}`)
    cpSync(join(root, 'backups'), folder, { recursive: true })
    const wal = readdirSync(join(folder, 'wal')).filter((name) => /^[0-9A-F]{24}-\d{8}T/.test(name))
    change(folder, wal.toSorted())
    const to = newFolder()
    const said = await restoring(to, null, folder).then(
      () => 'restored',
      (error: Error) => error.message,
    )
    assert.ok(!existsSync(to), `nothing is begun: ${said}`)
    rmSync(folder, { recursive: true, force: true })
    return said
  }
  const files = (folder: string) => join(folder, 'base', readdirSync(join(folder, 'base'))[0]!, 'files.sealed')
  const half = (file: string) => Math.floor(statSync(file).size / 2)
  const flip = (file: string) => {
    const bytes = readFileSync(file)
    bytes[half(file)]! ^= 1
    writeFileSync(file, bytes)
  }
  const halve = (file: string) => truncateSync(file, half(file))
  assert.match(await damaged((folder) => flip(files(folder))), /files.sealed is damaged/)
  assert.match(await damaged((folder) => halve(files(folder))), /files.sealed is of another length/)
  assert.match(await damaged((folder) => flip(join(files(folder), '..', 'manifest.json'))), /the manifest of .* is damaged/)
  assert.match(await damaged((folder, wal) => flip(join(folder, 'wal', wal.at(-1)!))), /wal\/\S+ is damaged/)
  assert.match(await damaged((folder, wal) => halve(join(folder, 'wal', wal.at(-1)!))), /wal\/\S+ is cut off/)
  assert.match(
    await damaged((folder) => rmSync(join(files(folder), '..', 'manifest.json'))),
    /ENOENT|no finished backup/,
    'one without a manifest is none',
  )

  // What lies behind a missing segment cannot be reached, and what lies before it can.
  const folder = join(root, 'gap')
  cpSync(join(root, 'backups'), folder, { recursive: true })
  // The base itself carries the segment that it ends in, so all that were safe only after the moment go.
  const gone = readdirSync(join(folder, 'wal')).filter(
    (name) => momentOf(/^[0-9A-F]{24}-(\d{8}T\d{9}Z)/.exec(name)?.[1] ?? '') >= known.moment,
  )
  assert.ok(gone.length > 0)
  for (const name of gone) rmSync(join(folder, 'wal', name))
  const { spans } = await listBackups(await open(folder))
  assert.equal(spans.length, 1)
  assert.ok(Date.parse(spans[0]!.to) < known.moment, 'the moment lies in what is missing')
  await assert.rejects(restoring(newFolder(), known.moment, folder), /is outside/)
})

test('a backup that is killed leaves the database out of backup mode and nothing that could be taken for one; the next sweeps it up', async () => {
  const executable = fileURLToPath(new URL('../../bin/djinn.js', import.meta.url))
  const env = { PATH: process.env['PATH'], ...environment, DATABASE_URL: resources.directUrl }
  const child = spawn(process.execPath, [executable, 'backup', '--max-rate', '1'], { env, stdio: ['ignore', 'ignore', 'inherit'] })
  const running = () => sql(`select 1 from pg_stat_progress_basebackup where backup_streamed > 1000000`)
  while ((await running()).length === 0) assert.equal(child.exitCode, null)
  const [named] = await sql<{ application_name: string }>(
    `select application_name from pg_stat_activity a join pg_stat_progress_basebackup using (pid)`,
  )
  assert.equal(named!.application_name, 'djinn backup')
  await assert.rejects(backUp(), /another backup of this database is being made/)
  const before = (await (await open()).listBases()).length
  child.kill('SIGKILL')
  await once(child, 'exit')
  const left = () => sql(`select 1 from pg_stat_progress_basebackup union all select 1 from pg_replication_slots where temporary`)
  while ((await left()).length > 0);
  const halfMade = () => readdirSync(join(root, 'backups', 'base')).filter((name) => name.endsWith('.partial')).length
  assert.equal(halfMade(), 1)
  assert.equal((await (await open()).listBases()).length, before)
  await backUp()
  assert.equal(halfMade(), 0)
  assert.equal((await (await open()).listBases()).length, before + 1)
})

test('a drill restores the newest aside, finds its trails in the living ones, and is remembered; a trail of another history fails it', async () => {
  const drilled = await drillNow(beside, await open(), root, undefined)
  assert.deepEqual([drilled.ok, drilled.followed, drilled.strange, drilled.behind, drilled.sessionsEnded], [true, true, [], [], 0])
  assert.equal(drilled.households, 2)
  assert.deepEqual(
    readdirSync(root).filter((name) => name.startsWith('djinn-drill')),
    [],
  )
  const kinds = await sql<{ kind: string }>('select kind from backups order by kind')
  assert.deepEqual(
    kinds.map(({ kind }) => kind),
    ['base', 'base', 'drill'],
  )
  const { checks } = await inspect(beside)
  const shown = checks.filter(({ section }) => section === 'backups')
  assert.deepEqual(
    shown.map(({ check, verdict }) => [check, verdict]),
    [
      ['age of the last', 'ok'],
      ['age of the last drill', 'ok'],
      ['the log is followed', 'ok'],
    ],
  )
  await resources.watch.look()
  const text = await resources.metrics.text()
  assert.match(text, /^djinn_backup_age_seconds \d+$/m)
  assert.match(text, /^djinn_backup_drill_age_seconds \d+$/m)
  assert.match(text, /^djinn_backup_log_followed 1$/m)
  assert.match(text, /^djinn_database_replicas 0$/m, 'who follows the log is no replica')

  // Somebody rewrites the living trail: what its heads were says otherwise.
  await sql(`alter table journal disable trigger all; update journal set hash = '\\x00' || substr(hash, 2)`)
  const { strange } = await compareHeads(resources.directDatabase, resources.directDatabase, [])
  assert.equal(strange.length, 2)
})
