// The window that Redis keeps decides as the one in memory does, whatever happens to the clock.
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { after, before, test } from 'node:test'
import { SlidingWindows, type Share, type Verdict } from '../../src/http/limit.ts'
import { verdictOf } from '../../src/http/shared-limit.ts'
import { windowScript } from '../../src/http/window-script.ts'
import { RedisFigures } from '../../src/resources/redis-figures.ts'
import { Redis } from '../../src/resources/redis.ts'
import { missingRedis, openRedis, type RedisServer } from '../redis.ts'

const skip = missingRedis()
/** What is decided is looked at here, not how soon. */
const patientMs = 10_000
let server: RedisServer
let redis: Redis
const figures = new RedisFigures()
before(async () => {
  if (skip) return
  server = await openRedis()
  redis = new Redis({ url: server.url, log: { info: () => {}, warn: () => {} }, figures, answerMs: patientMs })
  await redis.open()
})
after(async () => {
  redis?.close()
  await server?.close()
})

const windowMs = 60_000
let keys = 0

async function ask(key: string, cost: number, limit: number, share: Share | 'look', nowMs: number | ''): Promise<Verdict> {
  const values = [windowMs * 1_000, limit, cost, share, nowMs === '' ? '' : nowMs * 1_000]
  return verdictOf(await redis.run('limit', windowScript, key, values), cost, limit, share)
}

const told = ({ allowed, taken, remaining, resetS, retryAfterS }: Verdict) => ({ allowed, taken, remaining, resetS, retryAfterS })

test('Redis and memory decide alike for any calls at any times', { skip }, async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 20 }),
      fc.array(
        fc.record({
          pauseMs: fc.oneof(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 20_000 }), fc.constant(windowMs)),
          cost: fc.integer({ min: 1, max: 6 }),
          share: fc.constantFrom('all', 'all', 'some', 'look'),
          // A tier that changed.
          limitOff: fc.constantFrom(0, 0, 0, -3, 3),
        }),
        { maxLength: 60 },
      ),
      async (usual, calls) => {
        let nowMs = 1_700_000_000_000
        const key = `alike ${keys++}`
        const windows = new SlidingWindows(windowMs, () => nowMs)
        for (const { pauseMs, cost, share, limitOff } of calls) {
          nowMs += pauseMs
          const limit = Math.max(1, usual + limitOff)
          const own = share === 'look' ? windows.look(key, cost, limit) : windows.take(key, cost, limit, share)
          assert.deepEqual(told(await ask(key, cost, limit, share as Share, nowMs)), told(own))
        }
      },
    ),
    { numRuns: 60 },
  )
})

test('what is given back is free again, and no other place is', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 10 }),
      fc.array(fc.record({ pauseMs: fc.nat(9_000), cost: fc.integer({ min: 1, max: 4 }), back: fc.nat(4), late: fc.nat(3) }), {
        maxLength: 80,
      }),
      (limit, calls) => {
        let nowMs = 0
        const windows = new SlidingWindows(windowMs, () => nowMs)
        let held: number[] = []
        const pending: { atMs: number; back: number; dueMs: number }[] = []
        for (const { pauseMs, cost, back, late } of calls) {
          nowMs += pauseMs
          for (const one of pending.filter(({ dueMs }) => dueMs <= nowMs)) {
            windows.giveBack('one', one.atMs, one.back)
            for (let place = 0; place < one.back; place++) {
              const index = held.lastIndexOf(one.atMs)
              if (index !== -1) held.splice(index, 1)
            }
            pending.splice(pending.indexOf(one), 1)
          }
          held = held.filter((atMs) => atMs > nowMs - windowMs)
          const verdict = windows.take('one', cost, limit, 'some')
          assert.equal(verdict.taken, Math.min(cost, limit - held.length))
          held.push(...Array.from({ length: verdict.taken }, () => nowMs))
          assert.equal(verdict.remaining, limit - held.length)
          pending.push({ atMs: nowMs, back: Math.min(back, verdict.taken), dueMs: nowMs + late * 4_000 })
        }
      },
    ),
  )
})

test('a clock that was set back locks nobody out for longer than a window', { skip }, async () => {
  const key = 'set back'
  const day = 24 * 3_600_000
  for (const atMs of [day, day + 1, day + 2]) await ask(key, 1, 3, 'all', atMs)
  const refused = await ask(key, 1, 3, 'all', 0)
  assert.deepEqual(told(refused), { allowed: false, taken: 0, remaining: 0, resetS: 60, retryAfterS: 60 })
  assert.equal((await ask(key, 1, 3, 'all', windowMs)).remaining, 2)
})

test('by the clock of Redis; a window expires after its last call and takes about 1 KB', { skip }, async () => {
  const key = 'own clock'
  for (let round = 0; round < 100; round++) assert.equal((await ask(key, 1, 100, 'all', '')).remaining, 99 - round)
  assert.equal((await ask(key, 1, 100, 'all', '')).allowed, false)
  const lifeMs = Number(server.ask('pttl', key))
  assert.ok(lifeMs > 50_000 && lifeMs <= 61_000, `${lifeMs} ms`)
  const bytes = Number(server.ask('memory', 'usage', key))
  assert.ok(bytes < 2_000, `${bytes} bytes`)
  // Refused calls make it no longer, and an expired window leaves nothing behind.
  await ask('expired', 5, 5, 'all', 0)
  await ask('expired', 1, 5, 'look', windowMs)
  assert.equal(server.ask('exists', 'expired'), '0')
})

test('a script that Redis has forgotten is sent again', { skip }, async () => {
  server.ask('script', 'flush', 'sync')
  assert.equal((await ask('forgotten', 1, 5, 'all', '')).remaining, 4)
  assert.equal((await ask('forgotten', 1, 5, 'all', '')).remaining, 3)
  assert.ok(redis.usable)
})
