// What Redis has of sessions: lent between processes, and never against what a process has heard or may have missed.
import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { SharedSessions, type Recognised } from '../../src/features/identity/shared-sessions.ts'
import { RedisFigures } from '../../src/resources/redis-figures.ts'
import { Redis } from '../../src/resources/redis.ts'
import { Vault } from '../../src/resources/vault.ts'
import { limits } from '../../src/values/limits.ts'
import { missingRedis, openRedis, type RedisServer } from '../redis.ts'

const skip = missingRedis()
let server: RedisServer
let redis: Redis
let nowMs = 0
let tokens = 0
let token = ''
const secret = 'a secret of this installation alone'

before(async () => {
  if (skip) return
  server = await openRedis()
  redis = new Redis({ url: server.url, log: { info: () => {}, warn: () => {} }, figures: new RedisFigures() })
})
beforeEach(async () => {
  while (!skip && !redis.usable) await redis.open()
  token = `token${tokens++}`
})
after(async () => {
  redis?.close()
  await server?.close()
})

/** A process that listens to what is said here. */
function process(vault = new Vault(secret)) {
  const handlers = new Map<string, (id: string) => void>()
  let miss = () => {}
  const notifications = {
    listening: true,
    on: (channel: string, handler: (id: string) => void) => void handlers.set(channel, handler),
    onGap: (handler: () => void) => (miss = handler),
  }
  const sessions = new SharedSessions({ redis, vault, notifications, nowMs: () => nowMs })
  return { sessions, notifications, hear: (channel: string, id: string) => handlers.get(channel)!(id), miss: () => miss() }
}

const found: Recognised = {
  principal: {
    userId: 'ana',
    sessionId: 'phone',
    tier: 'premium',
    memberships: new Map([['home', { role: 'owner', timeZone: 'Europe/Rome', baseCurrency: 'EUR' }]]),
  },
  expiresAtMs: Date.now() + 3_600_000,
}

/** Two that have listened for long enough. */
function two() {
  const pair = [process(), process()] as const
  nowMs += limits.sharedSessionHearingMs
  return pair
}

/** Written and there: what is asked of Redis is answered in order. */
async function write(one: ReturnType<typeof process>, what = found, begunMs = nowMs) {
  one.sessions.write(token, what, begunMs)
  await redis.get('session', 'nothing')
}

test('what one process read another one recognises, memberships and all', { skip }, async () => {
  const [one, other] = two()
  assert.equal(await other.sessions.read(token), null)
  await write(one)
  assert.deepEqual(await other.sessions.read(token), found)
  const lifeMs = Number(server.ask('pttl', `djinn:session:${token}`))
  assert.ok(lifeMs > 0 && lifeMs <= limits.sharedSessionMs)
})

for (const [channel, id] of [
  ['djinn_sessions', 'phone'],
  ['djinn_users', 'ana'],
] as const) {
  test(`after ${channel} told of it, it is not believed, also where it was written behind the revocation`, { skip }, async () => {
    const [one, other] = two()
    await write(one)
    // Redis loses nothing and is told nothing: the entry stays where it is.
    other.hear(channel, id)
    assert.equal(await other.sessions.read(token), null)
    // Read by a slow process before the revocation, written after it.
    const begunMs = nowMs
    nowMs += limits.sharedSessionWriteMs - 1
    await write(one, found, begunMs)
    assert.equal(await other.sessions.read(token), null)
    nowMs += limits.sharedSessionMs
    assert.equal(await other.sessions.read(token), null, 'it is remembered for longer than any entry can live')
    other.hear(channel, 'somebody else')
    nowMs += limits.sharedSessionHearingMs
    assert.deepEqual(await other.sessions.read(token), found, 'whoever is read from the database from then on is known again')
  })
}

test('a reading that took too long is not written', { skip }, async () => {
  const [one, other] = two()
  const begunMs = nowMs
  nowMs += limits.sharedSessionWriteMs + 1
  await write(one, found, begunMs)
  assert.equal(await other.sessions.read(token), null)
})

test('a process that may have missed something believes nothing until no entry can be that old', { skip }, async () => {
  const [one, other] = two()
  await write(one)
  const fresh = process()
  assert.equal(await fresh.sessions.read(token), null, 'it has only begun to listen')
  other.miss()
  assert.equal(await other.sessions.read(token), null)
  nowMs += limits.sharedSessionHearingMs - 1
  for (const each of [fresh, other]) assert.equal(await each.sessions.read(token), null)
  nowMs += 1
  for (const each of [fresh, other]) assert.deepEqual(await each.sessions.read(token), found)
  other.notifications.listening = false
  assert.equal(await other.sessions.read(token), null)
})

test('more revocations than are remembered are a gap', { skip }, async () => {
  const [one, other] = two()
  await write(one)
  for (let count = 0; count <= limits.sessionsHeardMax; count++) other.hear('djinn_sessions', String(count))
  assert.equal(await other.sessions.read(token), null)
})

test(
  'nobody makes a session in Redis, or moves one: what was not sealed for this token by this installation is nothing',
  { skip },
  async () => {
    const [one, other] = two()
    await write(one)
    const of = `djinn:session:${token}`
    server.ask('copy', of, 'djinn:session:another')
    assert.equal(await other.sessions.read('another'), null)
    for (const forged of ['{}', JSON.stringify({ ...found, readAtMs: Date.now() }), '']) {
      server.ask('set', of, forged)
      assert.equal(await other.sessions.read(token), null)
    }
    await write(process(new Vault('the secret of somebody else')))
    assert.equal(await other.sessions.read(token), null)
  },
)

test('an access token that has run out is not lent', { skip }, async () => {
  const [one, other] = two()
  await write(one, { ...found, expiresAtMs: Date.now() - 1 })
  assert.equal(await other.sessions.read(token), null)
})

test('without Redis there is nothing to lend, and nobody is troubled', { skip }, async () => {
  const [one, other] = two()
  await server.kill()
  await write(one).catch(() => {})
  assert.equal(await other.sessions.read(token), null)
  await server.start()
})
