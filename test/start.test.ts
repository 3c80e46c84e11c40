// djinn serve as a newcomer starts it: an own PostgreSQL, a demo household, and nothing lost or left behind, however it ends.
import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, readlinkSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const executable = fileURLToPath(new URL('../bin/djinn.js', import.meta.url))
const startMsMax = 60_000

type Started = {
  child: ChildProcess
  api: string
  docs: string
  console: string
  email: string
  password: string
  token: () => Promise<string>
  call: (path: string, token: string, body?: object) => Promise<{ status: number; body: Answer }>
  end: (signal: NodeJS.Signals) => Promise<number | NodeJS.Signals>
}
type Answer = { data: Row[]; nextCursor: string | null; id: string; accessToken: string }
type Row = { id: string; currency: string; date: string; accountId: string; balance: number; name: string; amount: number }

/** A data directory of the test's own, whose processes and files are gone after it. */
function place() {
  const outer = mkdtempSync(join(tmpdir(), 'djinn-start-'))
  const children: ChildProcess[] = []
  return {
    outer,
    dataDir: join(outer, 'data'),
    children,
    [Symbol.asyncDispose]: async () => {
      for (const child of children.filter((each) => each.exitCode === null && each.signalCode === null)) {
        child.kill('SIGKILL')
        await once(child, 'exit')
      }
      killAll(postgresOf(outer))
      await until(() => postgresOf(outer).length === 0, 'PostgreSQL has ended')
      rmSync(outer, { recursive: true, force: true })
    },
  }
}
type Place = ReturnType<typeof place>

/** The PostgreSQL processes that work in a data directory, as the kernel lists them. */
function postgresOf(outer: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      try {
        return readlinkSync(`/proc/${name}/cwd`).startsWith(outer) && readFileSync(`/proc/${name}/comm`, 'utf8').startsWith('postgres')
      } catch {
        return false
      }
    })
    .map(Number)
}

/** Kills processes of which some end by themselves when they see others gone. */
function killAll(pids: number[]) {
  for (const pid of pids) {
    try {
      process.kill(pid, 'SIGKILL')
    } catch (error) {
      assert.equal((error as NodeJS.ErrnoException).code, 'ESRCH')
    }
  }
}

async function until(holds: () => boolean, what: string) {
  const deadline = Date.now() + 15_000
  while (!holds()) {
    assert.ok(Date.now() < deadline, `waited in vain: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

function spawnServe(where: Place): { child: ChildProcess; output: { text: string } } {
  const child = spawn(process.execPath, [executable, 'serve'], {
    env: { PATH: process.env['PATH'], DJINN_DATA_DIR: where.dataDir, PORT: '0', OPS_PORT: '0' },
    cwd: '/',
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  where.children.push(child)
  const output = { text: '' }
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (chunk: string) => (output.text += chunk))
  return { child, output }
}

/** Starts the service and answers when it says that it is ready. */
async function start(where: Place): Promise<Started> {
  const { child, output } = spawnServe(where)
  const ready = /Djinn is ready\.\n {2}API +(\S+)\n {2}Docs +(\S+)\n {2}Console +(\S+)\n {2}Demo +(\S+) {2}(.+)\n/
  const late = setTimeout(() => child.kill('SIGTERM'), startMsMax)
  while (!ready.test(output.text) && child.exitCode === null && child.signalCode === null) {
    await Promise.race([once(child.stdout!, 'data'), once(child, 'exit')])
  }
  clearTimeout(late)
  const [, api, docs, page, email, password] = ready.exec(output.text) ?? []
  assert.ok(api && docs && page && email && password, output.text)
  const call: Started['call'] = async (path, token, body) => {
    const answer = await fetch(api + path, {
      headers: { ...(token ? { authorization: `Bearer ${token}` } : {}), ...(body ? { 'content-type': 'application/json' } : {}) },
      ...(body ? { method: 'POST', body: JSON.stringify(body) } : {}),
    })
    return { status: answer.status, body: (await answer.json()) as Answer }
  }
  const token = async () => {
    const { status, body } = await call('/api/auth/login', '', { email, password })
    assert.equal(status, 200, JSON.stringify(body))
    return body.accessToken
  }
  const end = async (signal: NodeJS.Signals) => {
    const ended = once(child, 'exit') as Promise<[number | null, NodeJS.Signals]>
    child.kill(signal)
    const [code, by] = await ended
    return code ?? by
  }
  return { child, api, docs, console: page, email, password, token, call, end }
}

async function allTransactions(djinn: Started, token: string): Promise<Row[]> {
  const rows: Row[] = []
  for (let cursor = ''; ;) {
    const { status, body } = await djinn.call(`/api/transactions?limit=100${cursor}`, token)
    assert.equal(status, 200)
    rows.push(...body.data)
    if (body.nextCursor === null) return rows
    cursor = `&cursor=${encodeURIComponent(body.nextCursor)}`
  }
}

/** Adds an account that later starts must find, and answers its id. */
async function leaveMark(djinn: Started): Promise<string> {
  const { status, body } = await djinn.call('/api/accounts', await djinn.token(), { name: 'Mark', kind: 'cash', currency: 'CHF' })
  assert.equal(status, 201)
  return body.id
}

test('a first start serves a demo household; SIGINT ends all; a second start keeps everything and makes no second demo', async () => {
  await using where = place()
  const first = await start(where)
  assert.equal((await fetch(`${first.api}/health/ready`)).status, 200)
  assert.match(await (await fetch(first.docs)).text(), /<html/)
  assert.match(await (await fetch(first.console)).text(), /<html/)
  const token = await first.token()
  const { body: accounts } = await first.call('/api/accounts?limit=100', token)
  assert.deepEqual([...new Set(accounts.data.map((account) => account.currency))].toSorted(), ['EUR', 'USD'])
  const transactions = await allTransactions(first, token)
  const months = new Set(transactions.map((row) => row.date.slice(0, 7)))
  assert.ok(transactions.length > 400 && [12, 13].includes(months.size), `${transactions.length} rows in ${months.size} months`)
  assert.deepEqual(new Set(transactions.map((row) => row.accountId)), new Set(accounts.data.map((account) => account.id)))
  const mark = await leaveMark(first)
  assert.ok(postgresOf(where.outer).length > 0)
  assert.equal(await first.end('SIGINT'), 0)
  assert.deepEqual(postgresOf(where.outer), [])

  const second = await start(where)
  assert.deepEqual([second.email, second.password], [first.email, first.password])
  // Sessions are data too: the token of the first start still opens.
  const { body: kept } = await second.call('/api/accounts?limit=100', token)
  assert.deepEqual(
    kept.data.filter((account) => account.id !== mark),
    accounts.data,
  )
  assert.equal(kept.data.length, accounts.data.length + 1)
  assert.deepEqual(await allTransactions(second, token), transactions)
  assert.equal((await second.call('/api/households', token)).body.data.length, 1)
  assert.equal(await second.end('SIGTERM'), 0)
  assert.deepEqual(postgresOf(where.outer), [])
})

test('after SIGKILL of the service and of its PostgreSQL the next start recovers what was acknowledged', async () => {
  await using where = place()
  const first = await start(where)
  const mark = await leaveMark(first)
  const postgres = postgresOf(where.outer)
  const ended = first.end('SIGKILL')
  killAll(postgres)
  assert.equal(await ended, 'SIGKILL')
  await until(() => postgresOf(where.outer).length === 0, 'PostgreSQL has ended')
  const cluster = readdirSync(where.dataDir).find((name) => /^postgresql-\d+$/.test(name))
  assert.ok(existsSync(join(where.dataDir, cluster!, 'postmaster.pid')), 'the killed server left its lock file')
  const second = await start(where)
  assert.equal((await second.call(`/api/accounts/${mark}`, await second.token())).status, 200)
  assert.equal(await second.end('SIGINT'), 0)
  assert.deepEqual(postgresOf(where.outer), [])
})

test('a start takes over the PostgreSQL that a killed service left running, and ends it', async () => {
  await using where = place()
  const first = await start(where)
  const mark = await leaveMark(first)
  await first.end('SIGKILL')
  const left = postgresOf(where.outer)
  assert.ok(left.length > 0)
  const second = await start(where)
  assert.equal((await second.call(`/api/accounts/${mark}`, await second.token())).status, 200)
  assert.equal(await second.end('SIGINT'), 0)
  assert.deepEqual(postgresOf(where.outer), [])
})

test('SIGINT while it is still starting leaves no PostgreSQL behind, and the next start is whole', async () => {
  await using where = place()
  const { child } = spawnServe(where)
  const ended = once(child, 'exit') as Promise<[number | null]>
  await until(() => postgresOf(where.outer).length > 0, 'PostgreSQL is starting')
  child.kill('SIGINT')
  assert.equal((await ended)[0], 0)
  assert.deepEqual(postgresOf(where.outer), [])
  const next = await start(where)
  await next.token()
  assert.equal(await next.end('SIGINT'), 0)
})

test("a data directory inside a folder that only root may enter serves as root's", { skip: process.getuid?.() !== 0 }, async () => {
  await using where = place()
  where.dataDir = join(where.outer, 'closed', 'data')
  mkdirSync(join(where.outer, 'closed'), { mode: 0o700 })
  chmodSync(where.outer, 0o700)
  const first = await start(where)
  await leaveMark(first)
  assert.equal(await first.end('SIGINT'), 0)
  assert.deepEqual(postgresOf(where.outer), [])
})
