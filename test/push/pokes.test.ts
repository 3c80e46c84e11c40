// Silent pokes: the phones of a household, but the one that wrote, are told to sync.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makeTasks } from '../../src/app/tasks.ts'
import { Pokes } from '../../src/features/push/pokes.ts'
import { refusals } from '../fcm-stub.ts'
import { register, setStage, signIn, type Stage } from './household.ts'

/** The gatherer of the service itself waits for some seconds; another one beside it is closed when the test says so. */
function gather(stage: Stage) {
  return new Pokes(stage.djinn.resources)
}

test('some seconds after a write, phones hear of the revision without a sign, but not the one that wrote', async () => {
  await using stage = await setStage()
  const { djinn, fcm, ana, ben } = stage
  for (const [person, token] of [
    [ana, 'phone-ana'],
    [ben, 'phone-ben'],
    [await signIn(djinn, ana, 'Tablet'), 'tablet-ana'],
  ] as const) {
    await register(person, token, 'ios')
  }
  const silent = new Promise<void>((resolve) => {
    djinn.resources.queue.events.on('job:success', ({ job }) => job.task_identifier === 'poke' && resolve())
  })
  await djinn.resources.queue.start(makeTasks(djinn.resources))
  await ben.patch('/api/notifications/settings', { transactionReceived: false })
  await stage.spend()
  const { body } = await stage.ana.post('/api/accounts', { name: 'Third', kind: 'cash', currency: 'EUR' })
  await silent
  assert.equal(fcm.pokes('phone-ana').length, 0)
  for (const token of ['phone-ben', 'tablet-ana']) {
    const [poke, ...others] = fcm.pokes(token)
    assert.deepEqual(others, [], 'two writes, one poke')
    assert.deepEqual(poke!.data, { event: 'sync', householdId: ana.householdId, revision: String(body.revision) })
    assert.deepEqual((poke!.apns as { payload: object }).payload, { aps: { 'content-available': 1 } })
  }
})

test('when two sessions wrote, both phones have news', async () => {
  await using stage = await setStage()
  const { djinn, fcm, ana } = stage
  const tablet = await signIn(djinn, ana, 'Tablet')
  await register(ana, 'phone-ana', 'android')
  await register(tablet, 'tablet-ana', 'android')
  const pokes = gather(stage)
  await stage.spend()
  await tablet.account({ name: 'Other' })
  await pokes.close()
  await stage.work()
  assert.deepEqual([fcm.pokes('phone-ana').length, fcm.pokes('tablet-ana').length], [1, 1])
})

test('a household whose only phone wrote, and one with browsers only, queue nothing', async () => {
  await using stage = await setStage()
  const { ana, ben } = stage
  await register(ana, 'phone-ana', 'android')
  const pokes = gather(stage)
  await stage.spend()
  await ben.account()
  await pokes.close()
  const { poke = 0 } = await stage.waiting()
  assert.equal(poke, 0)
})

test('a dead token found by a poke is removed, and a busy FCM is asked again for all', async () => {
  await using stage = await setStage()
  const { fcm, djinn, ana, ben } = stage
  await register(ben, 'phone-ben', 'android')
  // Else the push of the transaction may be the one that finds the token dead.
  await ben.patch('/api/notifications/settings', { transactionReceived: false })
  await register(await signIn(djinn, ana, 'Tablet'), 'tablet-ana', 'android')
  fcm.script('phone-ben', refusals.unregistered)
  fcm.script('tablet-ana', refusals.unavailable('20'))
  const pokes = gather(stage)
  await stage.spend()
  await pokes.close()
  await stage.work()
  assert.equal(fcm.pokes('tablet-ana').length, 0)
  assert.equal((await stage.waiting())['poke'], 1)
  await stage.hurry()
  await stage.work()
  assert.equal(fcm.pokes('tablet-ana').length, 1)
  assert.equal(
    fcm.sendings.filter((sending) => sending.message.token === 'phone-ben' && sending.message.data['event'] === 'sync').length,
    1,
  )
})

test('a poke that is too late is let go', async () => {
  await using stage = await setStage()
  await register(stage.ben, 'phone-ben', 'android')
  const pokes = gather(stage)
  await stage.spend()
  await pokes.close()
  await stage.work(() => Date.now() + 11 * 60_000)
  assert.equal(stage.fcm.pokes('phone-ben').length, 0)
  assert.deepEqual(await stage.waiting(), {})
})
