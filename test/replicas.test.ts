// Reads on a real streaming replica: which server answers, and that nobody reads less than they were told of.
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { makeApi, type Api } from '../src/app/api.ts'
import { openResources, type Resources } from '../src/app/resources.ts'
import { serverOwner } from '../src/resources/embedded-replica.ts'
import { checkReplicaFolder, makeReplicaFolder } from '../src/resources/replica-folder.ts'
import { Lag, refusalOf, type PrimaryStanding } from '../src/resources/replica-standing.ts'
import { limits } from '../src/values/limits.ts'
import { makePerson, open, type Djinn, type Person } from './harness.ts'
import { caughtUp, openPair, type Pair } from './replica-server.ts'
import { Replica, syncPage } from './routes/replica.ts'

/** A server that does not come back fails its test, and not the run. */
const patient = { timeout: 60_000 }

let pair: Pair
let djinn: Djinn
let other: { resources: Resources; api: Api; url: string }
let person: Person
/** The same person, who is answered by another process. */
let elsewhere: Person
let account: string
let database: string
const lines: string[] = []

before(async () => {
  pair = await openPair()
  djinn = await open({ LOG_LEVEL: 'info' }, (line) => void lines.push(line), pair)
  database = new URL(djinn.adminUrl).pathname.slice(1)
  const resources = await openResources({ ...djinn.resources.config, logLevel: 'silent' })
  const api = await makeApi(resources)
  other = { resources, api, url: await api.app.listen({ host: '127.0.0.1', port: 0 }) }
  person = await djinn.person()
  elsewhere = makePerson(async (method, path, { body, headers } = {}) => {
    const answer = await fetch(other.url + path, {
      method,
      headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await answer.text()
    return { status: answer.status, headers: Object.fromEntries(answer.headers), text, body: text === '' ? '' : JSON.parse(text) }
  }, person)
  account = await person.account()
  await usable()
})
after(async () => {
  await other?.api.close()
  await other?.resources.close()
  await djinn?.close()
  await pair?.close()
})

/** Looks again and again until both processes see the replica so. */
async function until(seen: (standing: { usable: boolean; why: string | null }) => boolean) {
  for (const { replicas } of [djinn.resources, other.resources]) {
    while (!seen(replicas!.standing[0]!)) {
      await replicas!.look()
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }
}
const usable = async () => {
  await pair.replica.resume()
  await caughtUp(pair)
  await until((standing) => standing.usable)
}

/** How often statements of the pattern ran on each server while the work went on. */
async function ran(like: string, work: () => Promise<unknown>) {
  const text = `select coalesce(sum(calls), 0)::int as calls from watching.pg_stat_statements where query ~ '${like}' and query !~ 'pg_stat_statements'`
  const calls = async () => {
    const [[onPrimary], [onReplica]] = await Promise.all([
      djinn.sql<{ calls: number }>(text),
      pair.replica.sql<{ calls: number }>(database, text),
    ])
    return { primary: onPrimary!.calls, replica: onReplica!.calls }
  }
  const begun = await calls()
  await work()
  const ended = await calls()
  return { primary: ended.primary - begun.primary, replica: ended.replica - begun.replica }
}

const draft = (amount: number) => ({ accountId: account, amount, date: '2026-03-01', payee: 'Green Grocer' })
const write = async (who: Person, amount: number): Promise<{ id: string; revision: number }> => {
  const { status, body, text } = await who.post('/api/transactions', draft(amount))
  assert.equal(status, 201, text)
  return body
}

test(
  'lists, rows, reports, steps of a batch and the rows of a sync are read on the replica, and on the primary only where the household stands',
  patient,
  async () => {
    await write(person, -500)
    await usable()
    const paths = [
      '/api/transactions',
      '/api/accounts',
      `/api/accounts/${account}`,
      '/api/categories',
      '/api/budgets',
      '/api/bills',
      '/api/rules',
    ]
    const reports = ['/api/reports/spending?from=2026-03&to=2026-03', '/api/audit', '/api/imports']
    const counted = await ran('from (transactions|accounts|categories|budgets|bills|rules|imports|journal|category_totals) ', async () => {
      for (const path of [...paths, ...reports]) {
        const { status, text } = await person.get(path)
        assert.equal(status, 200, `${path}: ${text}`)
      }
      const operations = paths.slice(0, 3).map((path, index) => ({ id: String(index), method: 'GET', path }))
      const batch = await person.post('/api/batch', { operations })
      assert.deepEqual(
        batch.body.results.map((step: { status: number }) => step.status),
        [200, 200, 200],
      )
      assert.equal((await syncPage(person)).changes['transactions']!.length, 1)
    })
    assert.equal(counted.primary, 0)
    assert.ok(counted.replica >= paths.length + reports.length + 3, `${counted.replica} statements on the replica`)
    assert.match(await djinn.resources.metrics.text(), /djinn_replica_returns_total\{replica="[^"]+",reason="failed"\} 0\n/)
  },
)

/** Twice as many reads of one's own: 5,000 turns are the 10,000 that are promised. */
const turns = Number(process.env['DJINN_TEST_OWN_READS_TURNS'] ?? 60)

test(
  'what was written is read at once through either process while the replica stands still: list, row, sync, tag',
  { timeout: 60_000 + turns * 500 },
  async (context) => {
    let tag: string | undefined
    const behind = async () =>
      Number(/djinn_replica_returns_total\{replica="[^"]+",reason="behind"\} (\d+)/.exec(await djinn.resources.metrics.text())![1])
    const behindBefore = await behind()
    try {
      for (let turn = 0; turn < turns; turn++) {
        // Left standing for long it would be left out, and nothing would be tried.
        if (turn % 20 === 0) await usable()
        if (turn % 20 === 0) await pair.replica.pause()
        const [writer, reader] = turn % 2 === 0 ? [person, elsewhere] : [elsewhere, person]
        const made = await write(writer, -1_000 - turn)
        const list = await reader.get('/api/transactions?limit=100', tag === undefined ? {} : { 'if-none-match': tag })
        assert.equal(list.status, 200, 'a tag of before is of before')
        assert.ok(
          list.body.data.some((row: { id: string }) => row.id === made.id),
          `own write ${turn} is in the list`,
        )
        tag = list.headers['etag']
        assert.equal((await reader.get('/api/transactions?limit=100', { 'if-none-match': tag! })).status, 304)
        assert.equal((await reader.get(`/api/transactions/${made.id}`)).body.amount, -1_000 - turn)
      }
      const replica = new Replica()
      await replica.pull(elsewhere)
      const [{ count }] = (await djinn.sql<{ count: number }>('select count(*)::int as count from transactions')) as [{ count: number }]
      assert.equal(replica.rows('transactions').length, count)
    } finally {
      await pair.replica.resume()
    }
    const found = (await behind()) - behindBefore
    context.diagnostic(`${found} reads found the replica behind`)
    assert.ok(found > 0, 'the replica was asked, and was behind')
  },
)

test('a replica that stands still is left out once what it lacks is older than the limit, and comes back by itself', patient, async () => {
  await usable()
  await pair.replica.pause()
  await write(person, -7)
  await until((standing) => standing.why === 'is behind')
  const left = await ran('from transactions ', () => person.get('/api/transactions'))
  assert.deepEqual(left, { primary: 1, replica: 0 })
  await pair.replica.resume()
  await usable()
  assert.deepEqual(await ran('from transactions ', () => person.get('/api/transactions')), { primary: 0, replica: 1 })
  assert.ok(lines.some((line) => /the replica 127\.0\.0\.1:\d+ is behind: reads go past it/.test(line)))
})

test('a walk of a list and a walk of sync that begin on the primary and end on the replica bring each row once', patient, async () => {
  await pair.replica.pause()
  await write(person, -8)
  const first = await person.get('/api/transactions?limit=20')
  const begun = await syncPage(person, { limit: 20 })
  await pair.replica.resume()
  await usable()
  const late = await write(person, -9)
  await usable()
  const ids: string[] = first.body.data.map((row: { id: string }) => row.id)
  for (let cursor = first.body.nextCursor; cursor !== null;) {
    const { body } = await elsewhere.get(`/api/transactions?limit=20&cursor=${cursor}`)
    ids.push(...body.data.map((row: { id: string }) => row.id))
    cursor = body.nextCursor
  }
  const [{ count }] = (await djinn.sql<{ count: number }>('select count(*)::int as count from transactions')) as [{ count: number }]
  assert.equal(new Set(ids).size, ids.length)
  assert.ok(ids.length >= count - 1 && ids.length <= count)
  const replica = new Replica()
  replica.apply(begun)
  replica.cursor = begun.nextCursor
  for (let more = true; more;) {
    const page = await syncPage(elsewhere, { cursor: replica.cursor, limit: 20 })
    replica.apply(page)
    replica.cursor = page.nextCursor
    more = page.hasMore
  }
  assert.equal(replica.rows('transactions').length, count)
  assert.ok(replica.tables['transactions']!.has(late.id))
})

test('a replica whose connections break, that is stopped, or that is killed under reads costs nobody an answer', patient, async () => {
  await usable()
  const reads = async (count: number) => {
    const answers = await Promise.all(Array.from({ length: count }, () => person.get('/api/transactions?limit=5')))
    assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200])
  }
  const breaking = reads(40)
  await pair.replica.sql('postgres', `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'djinn reads'`)
  await breaking
  await usable()
  pair.replica.signal('SIGSTOP')
  const stopped = reads(20)
  await until((standing) => standing.why === 'does not answer')
  await stopped
  await reads(5)
  pair.replica.signal('SIGCONT')
  await usable()
  const killed = reads(40)
  await pair.replica.kill()
  await killed
  await reads(5)
  await until((standing) => !standing.usable)
  await pair.replica.start()
  await usable()
  assert.deepEqual(await ran('from accounts ', () => person.get('/api/accounts')), { primary: 0, replica: 1 })
})

test('whoever has just come is answered while the replica knows nothing of them', patient, async () => {
  await usable()
  await pair.replica.pause()
  try {
    const ben = await djinn.person()
    assert.equal((await ben.get('/api/accounts')).body.data.length, 0)
    const id = await ben.account()
    assert.equal((await ben.get(`/api/accounts/${id}`)).status, 200)
  } finally {
    await pair.replica.resume()
  }
})

test(
  'making a replica refuses a folder with something in it and a slot that is taken, and takes away what was left half made',
  patient,
  async () => {
    const full = join(pair.replica.folder, '..', 'full')
    mkdirSync(full)
    writeFileSync(join(full, 'mine'), '')
    const create = (folder: string, slot = 'djinn_replica') =>
      makeReplicaFolder({ from: pair.adminUrl, folder, slot, owner: serverOwner(), onProgress: () => {} })
    await assert.rejects(create(full), /full is not empty/)
    const half = join(pair.replica.folder, '..', 'half')
    mkdirSync(join(half, 'djinn-incoming'), { recursive: true })
    writeFileSync(join(half, 'djinn-incoming', 'standby.signal'), '')
    await assert.rejects(create(half), /has a slot djinn_replica already/)
    assert.deepEqual(readdirSync(half), [])
    assert.throws(() => checkReplicaFolder(half), /is no data directory/)
    const made = await create(half, 'djinn_second')
    // Where nothing bounds what a slot keeps, it says so.
    const [{ kept }] = (await djinn.sql<{ kept: string }>(`select current_setting('max_slot_wal_keep_size') as kept`)) as [{ kept: string }]
    assert.deepEqual([made.slot, made.warnings.length], ['djinn_second', kept === '-1' ? 1 : 0])
    assert.equal(statSync(half).mode & 0o777, 0o700)
    assert.ok(existsSync(join(half, 'standby.signal')) && existsSync(join(half, 'PG_VERSION')) && !existsSync(join(half, 'djinn-incoming')))
    const slots = await djinn.sql<{ name: string }>('select slot_name::text as name from pg_replication_slots order by 1')
    assert.deepEqual(
      slots.map(({ name }) => name),
      ['djinn_replica', 'djinn_second'],
    )
  },
)

test('who is of another cluster, another database or another history, or in no recovery is refused in words', patient, () => {
  const primary: PrimaryStanding = { system: '7', timeline: 2, databaseOid: 5, flushed: 100, written: 120 }
  const replica = { system: '7', timeline: 2, databaseOid: 5, inRecovery: true, replayed: 90 }
  assert.equal(refusalOf(primary, replica, 90), null)
  assert.match(refusalOf(primary, { ...replica, system: '8' }, 0)!, /another cluster/)
  assert.match(refusalOf(primary, { ...replica, inRecovery: false }, 0)!, /not in recovery/)
  assert.match(refusalOf(primary, { ...replica, databaseOid: 6 }, 0)!, /another database/)
  assert.match(refusalOf(primary, { ...replica, timeline: 1 }, 0)!, /timeline 1, and the primary is on 2/)
  assert.match(refusalOf(primary, replica, 121)!, /another history/)
})

test('lag is the age of the oldest that is lacking, and begins with what this process found', patient, () => {
  const lag = new Lag(50)
  lag.seen(60, 1_000)
  lag.seen(80, 2_000)
  lag.replayed(49)
  assert.deepEqual([lag.caughtUp, lag.lagMs(2_500)], [false, 1_500])
  lag.replayed(60)
  assert.deepEqual([lag.caughtUp, lag.lagMs(2_500)], [true, 500])
  lag.replayed(80)
  assert.equal(lag.lagMs(9_000), 0)
  assert.ok(limits.replicaLagMsMax >= limits.replicaProbeMs)
})

test('a replica that was promoted is refused with a line that says so', patient, async () => {
  await usable()
  await pair.replica.promote()
  await until((standing) => standing.why !== null && /not in recovery/.test(standing.why))
  assert.ok(lines.some((line) => /is no replica: it is not in recovery \(was it promoted\?\): reads go past it/.test(line)))
  assert.equal((await person.get('/api/accounts')).status, 200)
})
