// The service behind PgBouncer in transaction mode: a current one, and an old one that loses prepared statements.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { passageOf } from '../../src/resources/passage.ts'
import { cloneDatabase, withClient } from '../cluster.ts'
import { cluster } from '../harness.ts'
import { missing, openPooler, type Edition, type Pooler } from '../pgbouncer.ts'

const poolers = new Map<Edition, Promise<Pooler>>()
const before = async (edition: Edition) => {
  if (!poolers.has(edition))
    poolers.set(
      edition,
      cluster().then((there) => openPooler(there, edition)),
    )
  return await poolers.get(edition)!
}
after(async () => {
  for (const pooler of poolers.values()) await (await pooler).close()
})

type Served = { url: string; warnings: string[] }

/** `djinn serve` on a database of its own behind the pooler. */
async function serve(edition: Edition, environment: Record<string, string>, work: (served: Served) => Promise<void>) {
  const pooler = await before(edition)
  const database = await cloneDatabase(await cluster())
  const child = spawn(process.execPath, [fileURLToPath(new URL('../../bin/djinn.js', import.meta.url)), 'serve'], {
    env: {
      PATH: process.env['PATH'],
      DATABASE_URL: pooler.url(database.apiUrl),
      DATABASE_DIRECT_URL: database.adminUrl,
      PORT: '0',
      OPS_PORT: '0',
      LOG_LEVEL: 'warn',
      RATE_LIMIT_ANONYMOUS: '1000',
      RATE_LIMIT_AUTHENTICATED: '10000',
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const ended = once(child, 'exit')
  let log = ''
  child.stderr.on('data', (chunk) => (log += String(chunk)))
  try {
    let out = ''
    for await (const chunk of child.stdout) {
      out += String(chunk)
      if (out.includes('Console')) break
    }
    const [, url] = /API +(http\S+)/.exec(out) ?? []
    assert.ok(url, `it serves: ${out}${log}`)
    const lines = log.split('\n').filter((line) => line.startsWith('{'))
    await work({ url, warnings: lines.map((line) => (JSON.parse(line) as { msg: string }).msg) })
  } finally {
    child.kill('SIGTERM')
    await ended
    await database.drop()
  }
}

/** Writes and reads of several people at once, so that a client meets one backend now and another then. */
async function useIt(url: string) {
  const call = async (method: string, path: string, token?: string, body?: object) => {
    const headers = { ...(body ? { 'content-type': 'application/json' } : {}), ...(token ? { authorization: `Bearer ${token}` } : {}) }
    const answer = await fetch(url + path, { method, headers, ...(body ? { body: JSON.stringify(body) } : {}) })
    const content = await answer.text()
    assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${content}`)
    return JSON.parse(content) as { id: string; accessToken: string; data: unknown[] }
  }
  const people = await Promise.all(
    Array.from({ length: 3 }, async (_, index) => {
      const person = { email: `person${index}@example.org`, password: 'correct horse battery staple' }
      const { accessToken: token } = await call('POST', '/api/auth/register', undefined, person)
      const { id } = await call('POST', '/api/accounts', token, { name: 'Current', kind: 'checking', currency: 'EUR' })
      return { token, id }
    }),
  )
  for (let round = 1; round <= 3; round++) {
    await Promise.all(
      people.flatMap(({ token, id }) =>
        [1, 2, 3].map(async (cents) => {
          await call('POST', '/api/transactions', token, { accountId: id, date: '2026-03-01', amount: -cents })
          await Promise.all(['/api/transactions', '/api/accounts', '/api/sync', '/api/categories'].map((path) => call('GET', path, token)))
        }),
      ),
    )
  }
  for (const { token } of people) assert.equal((await call('GET', '/api/transactions?limit=100', token)).data.length, 9)
}

test('without a pooler the way is direct', async () => {
  assert.equal(await passageOf((await cluster()).apiUrl.replace(/\/\w*$/, '/postgres')), 'direct')
})

test('a current PgBouncer keeps prepared statements', { skip: missing('current') }, async () => {
  const pooler = await before('current')
  const database = await cloneDatabase(await cluster())
  try {
    for (let tries = 1; tries <= 5; tries++) assert.equal(await passageOf(pooler.url(database.apiUrl)), 'keepingPooler')
  } finally {
    await database.drop()
  }
})

test('an old PgBouncer is found out at each try, and nothing of the try stays behind', { skip: missing('old') }, async () => {
  const pooler = await before('old')
  const database = await cloneDatabase(await cluster())
  try {
    const url = pooler.url(database.apiUrl)
    for (let tries = 1; tries <= 5; tries++) assert.equal(await passageOf(url), 'losingPooler')
    const left = await withClient(url, async (client) => (await client.query('select name from pg_prepared_statements')).rows)
    assert.deepEqual(left, [])
  } finally {
    await database.drop()
  }
})

test('behind an old PgBouncer the service warns once and works, many at once', { skip: missing('old') }, async () => {
  await serve('old', {}, async ({ url, warnings }) => {
    assert.equal(warnings.length, 1, warnings.join())
    assert.match(
      warnings[0]!,
      /^the pooler before DATABASE_URL loses prepared statements, so they are switched off: PgBouncer keeps them from 1\.21 on/,
    )
    await useIt(url)
  })
})

test('who switched prepared statements off is not warned', { skip: missing('old') }, async () => {
  await serve('old', { DATABASE_PREPARED_STATEMENTS: 'off' }, async ({ url, warnings }) => {
    assert.deepEqual(warnings, [])
    await useIt(url)
  })
})

test('behind a current PgBouncer statements are prepared', { skip: missing('current') }, async () => {
  await serve('current', {}, async ({ url, warnings }) => {
    assert.deepEqual(warnings, [])
    await useIt(url)
  })
})
