// Two processes' worth of service on one database and one Redis: what they share, and what goes on while Redis does not.
import assert from 'node:assert/strict'
import { EventEmitter, once } from 'node:events'
import { after, before, beforeEach, test } from 'node:test'
import { makeApi, type Api } from '../../src/app/api.ts'
import { inspect } from '../../src/app/inspection.ts'
import { openResources, type Resources } from '../../src/app/resources.ts'
import { open, type Djinn, type Person } from '../harness.ts'
import { missingRedis, openRedis, type RedisServer } from '../redis.ts'

const skip = missingRedis()
const loginsMax = 3
let server: RedisServer
let djinn: Djinn
let other: { resources: Resources; api: Api; url: string }
/** Lines of the log about Redis, of either process. */
const told = new EventEmitter()
let lines: { msg: string; trouble?: string }[] = []

before(async () => {
  if (skip) return
  server = await openRedis()
  djinn = await open(
    { REDIS_URL: server.url, RATE_LIMIT_AUTHENTICATED: undefined, RATE_LIMIT_LOGIN: String(loginsMax), LOG_LEVEL: 'info' },
    (line) => {
      lines.push(JSON.parse(line))
      told.emit('line')
    },
  )
  const resources = await openResources(djinn.resources.config, {}, () => void told.emit('line'))
  const api = await makeApi(resources)
  other = { resources, api, url: await api.app.listen({ host: '127.0.0.1', port: 0 }) }
})
after(async () => {
  await other?.api.close()
  await other?.resources.close()
  await djinn?.close()
  await server?.close()
})

const both = () => [djinn.url, other.url]

async function get(url: string, person: Person) {
  const answer = await fetch(`${url}/api/me`, { headers: { authorization: `Bearer ${person.accessToken}` } })
  await answer.arrayBuffer()
  return answer
}

/** How many of so many calls at once were accepted, half of them by each process; anything but 200 and 429 is a failure. */
async function accepted(person: Person, count: number): Promise<number> {
  const answers = await Promise.all(Array.from({ length: count }, (_, index) => get(both()[index % 2]!, person)))
  for (const { status, headers } of answers) {
    assert.ok(status === 200 || status === 429, String(status))
    if (status === 429) assert.ok(Number(headers.get('retry-after')) >= 1)
  }
  return answers.filter(({ status }) => status === 200).length
}

async function login(url: string, email: string): Promise<number> {
  const body = JSON.stringify({ email, password: 'not the right one 1' })
  return (await fetch(`${url}/api/auth/login`, { method: 'POST', headers: { 'content-type': 'application/json' }, body })).status
}

/** Waits until both use Redis (again). */
async function bothShare() {
  for (const { redis } of [djinn.resources, other.resources]) {
    while (!redis!.usable) await once(told, 'line')
  }
}

beforeEach(async () => {
  if (!skip) await bothShare()
})

async function failures(): Promise<number> {
  const texts = await Promise.all([djinn.resources, other.resources].map(({ metrics }) => metrics.text()))
  return [...texts.join('\n').matchAll(/^djinn_redis_failures_total\S* (\d+)$/gm)].reduce((sum, [, count]) => sum + Number(count), 0)
}

/** On a machine so busy that Redis itself was late meanwhile, what fails proves nothing: then it is done again. */
async function undisturbed(work: (turn: number) => Promise<void>) {
  for (let turn = 1; turn <= 20; turn++) {
    await bothShare()
    const failed = await failures()
    try {
      return await work(turn)
    } catch (error) {
      if (failed === (await failures())) throw error
    }
  }
  assert.fail('Redis was late in each of 20 turns')
}

async function exactly100(count: number) {
  await undisturbed(async () => assert.equal(await accepted(await djinn.person(), count), 100))
}

test('1,000 calls at once over two processes: exactly 100 are accepted', { skip }, () => exactly100(1_000))

test('a batch costs its steps of the shared window in one trip, and the headers tell what is left for both', { skip }, () =>
  undisturbed(async () => {
    const ana = await djinn.person()
    const operations = Array.from({ length: 10 }, (_, index) => ({ id: String(index), method: 'GET', path: '/api/me' }))
    const { headers } = await ana.post('/api/batch', { operations })
    assert.match(headers['ratelimit'] ?? '', /^"authenticated";r=90;t=\d+$/)
    assert.match((await get(other.url, ana)).headers.get('ratelimit') ?? '', /^"authenticated";r=89;/)
    for (let round = 0; round < 8; round++) await ana.post('/api/batch', { operations })
    const { body } = await ana.post('/api/batch', { operations })
    const statuses = (body.results as { status: number }[]).map(({ status }) => status)
    assert.deepEqual(statuses, [...Array<number>(9).fill(200), 429])
    assert.equal((await get(other.url, ana)).status, 429)
  }),
)

test('attempts to sign in are counted over both processes', { skip }, () =>
  undisturbed(async (turn) => {
    const seen: number[] = []
    for (const url of [djinn.url, other.url, djinn.url, other.url, djinn.url]) seen.push(await login(url, `nobody${turn}@example.org`))
    assert.deepEqual(seen, [401, 401, 401, 429, 429])
  }),
)

/** While Redis is in trouble: all goes on, each process holds the limit by itself, and attempts to sign in stay limited. */
async function goesOnAlone(name: string) {
  const ana = await djinn.person()
  const count = await accepted(ana, 260)
  assert.ok(count >= 100 && count <= 200, `${name}: ${count} accepted`)
  let attempts = 0
  for (const url of both()) while ((await login(url, `${name}@example.org`)) === 401) attempts++
  assert.ok(attempts >= loginsMax && attempts <= 2 * loginsMax, `${name}: ${attempts} attempts`)
  for (const url of both()) assert.equal((await fetch(`${url}/health/ready`)).status, 200)
  return ana
}

/** What was let through alone still counts for each: emptied or new, Redis opens no third window. */
async function sharesAgain(limited: Person) {
  await exactly100(150)
  for (const url of both()) assert.equal((await get(url, limited)).status, 429)
}

/** There is a line for each change and none beside: what went wrong first, that it is back, and so on. */
function assertTold(trouble: string) {
  const changes = lines.filter(({ msg }) => msg.startsWith('Redis'))
  assert.equal(changes[0]?.trouble, trouble)
  changes.forEach(({ msg }, index) => assert.match(msg, index % 2 === 0 ? /^Redis cannot be used/ : /^Redis is back/))
}

test('Redis killed: all goes on at once, and is shared again once it is back', { skip }, async () => {
  lines = []
  await server.kill()
  const ana = await goesOnAlone('killed')
  await server.start()
  await sharesAgain(ana)
  assertTold('gone')
})

test('Redis stalled: after one short wait all goes on, and is shared again once it answers', { skip }, async () => {
  lines = []
  server.signal('SIGSTOP')
  try {
    const ana = await goesOnAlone('stalled')
    assertTold('stalled')
    server.signal('SIGCONT')
    await sharesAgain(ana)
  } finally {
    server.signal('SIGCONT')
  }
})

test('Redis full: all goes on, and is shared again once there is room', { skip }, async () => {
  lines = []
  server.ask('config', 'set', 'maxmemory', '1')
  const ana = await goesOnAlone('full')
  assertTold('full')
  server.ask('config', 'set', 'maxmemory', '64mb')
  await sharesAgain(ana)
})

test('Redis flushed: no process lets more through than the limit, and its scripts are sent again', { skip }, async () => {
  const ana = await djinn.person()
  let count = 0
  for (let round = 0; round < 5; round++) {
    count += await accepted(ana, 100)
    server.ask('flushall')
  }
  assert.ok(count >= 100 && count <= 200, `${count} accepted`)
  server.ask('script', 'flush')
  await exactly100(150)
})

test(
  'a session that ends on one process is refused by the other within 1 s, also when Redis was emptied in between',
  { skip },
  async () => {
    const [ana, ben] = [await djinn.person(), await djinn.person()]
    for (const person of [ana, ben]) for (const url of both()) assert.equal((await get(url, person)).status, 200)
    await ana.post('/api/auth/logout')
    server.ask('flushall')
    await djinn.sql('update sessions set revoked_at = now() where user_id = $1', [ben.userId])
    const until = performance.now() + 1_000
    for (const person of [ana, ben]) {
      for (const url of both()) {
        while ((await get(url, person)).status !== 401) assert.ok(performance.now() < until, 'it is still known after 1 s')
      }
    }
  },
)

test('neither addresses nor users nor accounts nor tokens are to be read in Redis', { skip }, async () => {
  const ana = await djinn.person()
  await accepted(ana, 2)
  await login(djinn.url, ana.email)
  const keys = server.ask('keys', '*').split('\n')
  assert.ok(keys.length >= 3)
  for (const key of keys) assert.match(key, /^djinn:(probe|limit:[\w-]{43}|session:[\w-]{43})$/)
  const texts = [
    ...keys,
    ...keys.map((key) =>
      server.ask(key.startsWith('djinn:limit') ? 'lrange' : 'get', ...(key.startsWith('djinn:limit') ? [key, '0', '-1'] : [key])),
    ),
  ]
  for (const secret of [ana.userId, ana.householdId, ana.email, ana.accessToken, '127.0.0.1']) {
    assert.ok(!texts.some((text) => text.includes(secret)), secret)
  }
})

test('djinn inspect says how Redis is, and what it is when it is not', { skip }, async () => {
  const { checks } = await inspect(djinn.resources.config)
  const memory = checks.find(({ section, check }) => section === 'redis' && check === 'memory')!
  assert.ok(memory.value! > 0 && memory.value! < 80)
  assert.match(memory.details.join(' '), /of 64 MB in use$/)
  const gone = await inspect({ ...djinn.resources.config, redisUrl: 'redis://127.0.0.1:1' })
  const red = gone.checks.filter(({ section }) => section === 'redis')
  assert.deepEqual(
    red.map(({ check, verdict }) => [check, verdict]),
    [['answers', 'red']],
  )
  assert.match(red[0]!.details[0]!, /ECONNREFUSED/)
})

test('the metrics say how Redis is', { skip }, async () => {
  const text = await djinn.resources.metrics.text()
  assert.match(text, /^djinn_redis_up 1$/m)
  assert.match(text, /^djinn_redis_trip_seconds_count\{purpose="limit"\} [1-9]/m)
  for (const reason of ['gone', 'stalled', 'full'])
    assert.match(text, new RegExp(`^djinn_redis_failures_total\\{reason="${reason}"\\} [1-9]`, 'm'))
  assert.match(text, /^djinn_redis_fallbacks_total [1-9]/m)
})
