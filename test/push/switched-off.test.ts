// Push as an operator switches it: nothing goes out, for everybody or for some, and the inbox has it all the same.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seedOf, standingOf } from '../../src/values/flags.ts'
import { setOn } from '../flags/setting.ts'
import { setStage, signIn, register } from './household.ts'

test('off, nothing is sent and nothing waits; devices register, the inbox goes on, and what comes later is sent', async () => {
  await using stage = await setStage()
  const { djinn, fcm, ben } = stage
  await setOn(djinn, 'push', 'off')
  await register(await signIn(djinn, ben, 'Tablet'), 'token-tablet')
  await stage.spend()
  await stage.work()
  await stage.hurry()
  await stage.work()
  assert.deepEqual(fcm.sendings, [])
  assert.equal((await ben.get('/api/notifications')).body.data.length, 1)
  await setOn(djinn, 'push', 'on')
  await stage.spend()
  await stage.work()
  assert.deepEqual([fcm.tries('token-ben'), fcm.tries('token-tablet')], [1, 1], 'what was not sent is not made up for')
})

test('a share decides by who is told', async () => {
  await using stage = await setStage()
  const { djinn, fcm, ben } = stage
  const standing = standingOf(seedOf('push'), ben.userId)
  for (const [share, tries] of [
    [standing, 0],
    [standing + 1, 1],
  ] as const) {
    if (share === 0) continue
    await setOn(djinn, 'push', `${share / 100}%`)
    await stage.spend()
    await stage.work()
    assert.equal(fcm.tries('token-ben'), tries)
  }
})
