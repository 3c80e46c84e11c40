// Requests a minute: who shares a window, what the answers say of it, and how attempts to sign in are limited.
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { test } from 'node:test'
import { SlidingWindows } from '../../src/http/limit.ts'
import { open, type Djinn, type Reply, type StepResult } from '../harness.ts'

const fields = (reply: Reply) => {
  const [, policy, limit, window] = /^"(\w+)";q=(\d+);w=(\d+)$/.exec(reply.headers['ratelimit-policy'] ?? '') ?? []
  const [, name, remaining, reset] = /^"(\w+)";r=(\d+);t=(\d+)$/.exec(reply.headers['ratelimit'] ?? '') ?? []
  assert.equal(name, policy, 'both headers name the same policy')
  return { policy, limit: Number(limit), window: Number(window), remaining: Number(remaining), reset: Number(reset) }
}

function assertLimited(reply: Reply) {
  assert.deepEqual([reply.status, reply.body.code], [429, 'rate-limited'])
  const wait = Number(reply.headers['retry-after'])
  assert.ok(Number.isInteger(wait) && wait >= 1 && wait <= 60, `Retry-After: ${reply.headers['retry-after']}`)
}

const currencies = (djinn: Djinn, headers: Record<string, string> = {}) => djinn.call('GET', '/api/system/config/mobile', { headers })

test('anonymous calls are limited to 10 a minute unless set otherwise, and count down', async () => {
  await using djinn = await open({ RATE_LIMIT_ANONYMOUS: undefined })
  for (let left = 9; left >= 0; left--) {
    const reply = await currencies(djinn)
    assert.equal(reply.status, 200)
    const { reset, ...counts } = fields(reply)
    assert.deepEqual(counts, { policy: 'anonymous', limit: 10, window: 60, remaining: left })
    assert.ok(reset >= 1 && reset <= 60)
  }
  const refused = await currencies(djinn)
  assertLimited(refused)
  assert.equal(fields(refused).remaining, 0)
})

test('a signed-in user has 100 a minute unless set otherwise, apart from the anonymous calls and from other users', async () => {
  await using djinn = await open({ RATE_LIMIT_AUTHENTICATED: undefined, RATE_LIMIT_ANONYMOUS: '3' })
  const [ana, ben] = [await djinn.person(), await djinn.person()]
  await currencies(djinn)
  assertLimited(await currencies(djinn))
  for (let left = 99; left >= 0; left--) {
    const reply = await ana.get('/api/me')
    assert.equal(reply.status, 200)
    assert.deepEqual([fields(reply).policy, fields(reply).limit, fields(reply).remaining], ['authenticated', 100, left])
  }
  assertLimited(await ana.get('/api/me'))
  assert.equal((await ben.get('/api/me')).status, 200)
})

test('all sessions of a user share one window', async () => {
  await using djinn = await open({ RATE_LIMIT_AUTHENTICATED: '4' })
  const ana = await djinn.person()
  const { body } = await djinn.call('POST', '/api/auth/login', { body: { email: ana.email, password: ana.password } })
  const tablet = { headers: { authorization: `Bearer ${body.accessToken}` } }
  for (let round = 0; round < 2; round++) {
    assert.equal((await ana.get('/api/me')).status, 200)
    assert.equal((await djinn.call('GET', '/api/me', tablet)).status, 200)
  }
  assertLimited(await ana.get('/api/me'))
  assertLimited(await djinn.call('GET', '/api/me', tablet))
})

test('a premium user has the premium window, from the second in which the tier changes', async () => {
  await using djinn = await open({ RATE_LIMIT_AUTHENTICATED: '50', RATE_LIMIT_PREMIUM: undefined })
  const ana = await djinn.person()
  assert.equal(fields(await ana.get('/api/me')).limit, 50)
  await djinn.sql(`update users set tier = 'premium' where id = $1`, [ana.userId])
  const until = performance.now() + 1_000
  while (fields(await ana.get('/api/me')).policy !== 'premium') assert.ok(performance.now() < until, 'still not premium after 1 s')
  assert.equal(fields(await ana.get('/api/me')).limit, 1_000)
})

test('refusals count and carry the headers too', async () => {
  await using djinn = await open({ RATE_LIMIT_AUTHENTICATED: '4' })
  const ana = await djinn.person()
  assert.deepEqual(
    [fields(await ana.post('/api/accounts', { name: 1 })).remaining, fields(await ana.get('/api/accounts/x')).remaining],
    [3, 2],
  )
  const missing = await ana.get('/api/accounts/0192f0c0-0000-7000-8000-000000000000')
  assert.deepEqual([missing.status, fields(missing).remaining], [404, 1])
  const { headers } = await ana.get('/api/accounts')
  assert.equal(headers['ratelimit']?.startsWith('"authenticated";r=0;'), true)
  assertLimited(await ana.get('/api/accounts', { 'if-none-match': headers['etag']! }))
})

test('equal steps of a batch are limited each by itself', async () => {
  await using djinn = await open({ RATE_LIMIT_AUTHENTICATED: '3' })
  const ana = await djinn.person()
  const operations = ['one', 'two', 'three', 'four'].map((id) => ({ id, method: 'GET', path: '/api/me' }))
  const { body, headers } = await ana.post('/api/batch', { operations })
  const results = body.results as StepResult[]
  assert.deepEqual(
    results.map(({ status }) => status),
    [200, 200, 200, 429],
  )
  assert.ok(Number(results[3]!.headers['retry-after']) >= 1)
  assert.match(headers['ratelimit'] ?? '', /^"authenticated";r=0;/)
})

test('a limited write is not carried out', async () => {
  await using djinn = await open({ RATE_LIMIT_AUTHENTICATED: '1' })
  const ana = await djinn.person()
  const draft = { name: 'Purse', kind: 'cash', currency: 'EUR' }
  assert.equal((await ana.post('/api/accounts', draft)).status, 201)
  assertLimited(await ana.post('/api/accounts', draft))
  assert.equal((await djinn.sql('select 1 from accounts')).length, 1)
})

test('guessing tokens uses up the anonymous window', async () => {
  await using djinn = await open({ RATE_LIMIT_ANONYMOUS: '3' })
  const guess = (token: string) => djinn.call('GET', '/api/me', { headers: { authorization: `Bearer ${token}` } })
  const replies = [await guess('one'), await guess('two'), await guess('three'), await guess('four')]
  assert.deepEqual(
    replies.map((reply) => reply.status),
    [401, 401, 401, 429],
  )
})

test('1,000 spoofed X-Forwarded-For are one caller', async () => {
  await using djinn = await open({ RATE_LIMIT_ANONYMOUS: '10' })
  const statuses: number[] = []
  for (let round = 0; round < 10; round++) {
    const replies = await Promise.all(
      Array.from({ length: 100 }, (_, index) =>
        currencies(djinn, {
          'x-forwarded-for': `203.0.${round}.${index}`,
          forwarded: `for=203.0.${round}.${index}`,
          'x-real-ip': '203.0.113.1',
        }),
      ),
    )
    statuses.push(...replies.map((reply) => reply.status))
  }
  assert.equal(statuses.filter((status) => status === 200).length, 10)
  assert.equal(statuses.filter((status) => status === 429).length, 990)
})

test('behind a configured proxy callers are told apart by the address that the proxy added', async () => {
  await using djinn = await open({ RATE_LIMIT_ANONYMOUS: '2', TRUSTED_PROXIES: '127.0.0.0/8, 10.0.0.0/8' })
  const from = async (forwarded: string) => (await currencies(djinn, { 'x-forwarded-for': forwarded })).status
  assert.deepEqual([await from('192.0.2.1'), await from('192.0.2.1'), await from('192.0.2.1')], [200, 200, 429])
  assert.equal(await from('192.0.2.2'), 200)
  assert.equal(await from('198.51.100.77, 192.0.2.1'), 429, 'what the caller wrote before does not count')
  assert.equal(await from('192.0.2.1, 10.1.2.3'), 429, 'trusted proxies in a row are passed over')
  assert.equal(await from('2001:db8:0:1::1'), 200)
  assert.equal(await from('2001:db8:0:1:ffff::2'), 200)
  assert.equal(await from('2001:db8:0:1::3'), 429, 'a /64 is one caller')
  assert.equal(await from('2001:db8:0:2::1'), 200)
})

test('attempts to sign in are limited by address and account, over sign-in, sign-up and password change alike', async () => {
  await using djinn = await open({ RATE_LIMIT_LOGIN: '4' })
  const ana = await djinn.person()
  const ben = await djinn.person()
  const attempt = (email: string, password: string) => djinn.call('POST', '/api/auth/login', { body: { email, password } })
  const wrong = 'a wrong phrase 1188'
  assert.equal((await attempt(ana.email, wrong)).status, 401)
  assert.equal((await attempt(ana.email.toUpperCase(), wrong)).status, 401)
  assert.equal((await ana.post('/api/auth/password', { currentPassword: wrong, newPassword: 'copper heron 6093 drizzle' })).status, 401)
  const locked = await attempt(ana.email, ana.password)
  assert.deepEqual([locked.status, locked.body.code], [429, 'rate-limited'])
  const wait = Number(locked.headers['retry-after'])
  assert.ok(wait > 60 && wait <= 900, `Retry-After: ${wait}`)
  assert.equal((await ana.get('/api/me')).status, 200, 'who is signed in stays so')
  assert.equal((await attempt(ben.email, ben.password)).status, 200)
})

test('a limited attempt costs no hash', async () => {
  await using djinn = await open({ RATE_LIMIT_LOGIN: '2' })
  const ana = await djinn.person()
  const attempt = () => djinn.call('POST', '/api/auth/login', { body: { email: ana.email, password: ana.password } })
  assert.equal((await attempt()).status, 200)
  const { statements } = await djinn.count(async () => assert.equal((await attempt()).status, 429))
  assert.deepEqual(statements, [])
})

test('no 60 s window ever holds more than the limit, and waiting as told is enough', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 20 }),
      fc.array(fc.record({ pause: fc.integer({ min: 0, max: 20_000 }), cost: fc.integer({ min: 1, max: 5 }) }), { maxLength: 200 }),
      (limit, calls) => {
        let now = 0
        const windows = new SlidingWindows(60_000, () => now)
        const accepted: number[] = []
        for (const { pause, cost } of calls) {
          now += pause
          const { allowed, remaining, retryAfterS } = windows.take('caller', cost, limit)
          if (allowed) accepted.push(...Array.from({ length: cost }, () => now))
          const held = accepted.filter((moment) => moment > now - 60_000).length
          assert.ok(held <= limit)
          assert.equal(remaining, limit - held)
          if (!allowed && cost <= limit) {
            now += retryAfterS * 1_000
            assert.ok(windows.take('caller', cost, limit).allowed, 'Retry-After was too short')
            accepted.push(...Array.from({ length: cost }, () => now))
          }
        }
      },
    ),
  )
})
