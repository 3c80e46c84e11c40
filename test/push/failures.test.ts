// What becomes of a push when FCM refuses it, is busy, broken or away.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { refusals } from '../fcm-stub.ts'
import { register, setStage, signIn, type Stage } from './household.ts'

/** In how many seconds the job of a task is due. */
async function dueInS(stage: Stage, task: string): Promise<number> {
  const [job] = await stage.djinn.sql<{ seconds: number }>(
    'select extract(epoch from run_at - now())::float as seconds from graphile_worker.jobs where task_identifier = $1',
    [task],
  )
  assert.ok(job, `a job ${task} waits`)
  return job.seconds
}

for (const [name, answer] of Object.entries({
  'is unregistered': refusals.unregistered,
  'is malformed': refusals.malformedToken,
  'is malformed, told by its field': refusals.malformedTokenField,
  'is of another sender': refusals.foreignToken,
})) {
  test(`a token that ${name} is tried once and never again, and the device stays`, async () => {
    await using stage = await setStage()
    const { fcm, ben } = stage
    fcm.script('token-ben', answer, answer)
    await stage.spend()
    await stage.work()
    await stage.spend()
    await stage.work()
    assert.equal(fcm.tries('token-ben'), 1)
    assert.deepEqual(await stage.waiting(), {})
    const [device] = (await ben.get('/api/devices')).body.data
    assert.equal(device.pushToken, null)
    // The app brings the token it has now.
    await ben.patch(`/api/devices/${device.id}`, { pushToken: 'token-new' })
    await stage.spend()
    await stage.work()
    assert.equal(fcm.pushes('token-new').length, 1)
  })
}

test('a token that the app renewed while the old one was being tried is kept', async () => {
  await using stage = await setStage()
  const { djinn, fcm, ben } = stage
  fcm.script('token-ben', refusals.unregistered)
  await stage.spend()
  const [device] = (await ben.get('/api/devices')).body.data
  const send = djinn.resources.pushGateway!.send.bind(djinn.resources.pushGateway)
  djinn.resources.pushGateway!.send = async (message) => {
    await ben.patch(`/api/devices/${device.id}`, { pushToken: 'token-new' })
    return await send(message)
  }
  await stage.work()
  assert.equal((await ben.get(`/api/devices/${device.id}`)).body.pushToken, 'token-new')
})

test('a 404 that names no token costs nobody the token', async () => {
  await using stage = await setStage()
  const { fcm, ben } = stage
  fcm.script('token-ben', refusals.noProject)
  await stage.spend()
  await stage.work()
  assert.equal((await ben.get('/api/devices')).body.data[0].pushToken, 'token-ben')
})

for (const [name, answer, leastS, mostS] of [
  ['429 with Retry-After', () => refusals.quota('120'), 115, 120],
  ['429 with nothing said', () => refusals.quota(), 55, 60],
  ['503 with Retry-After', () => refusals.unavailable('90'), 85, 90],
  ['503 with a date', () => refusals.unavailable(new Date(Date.now() + 300_000).toUTCString()), 270, 301],
] as const) {
  test(`${name} is obeyed`, async () => {
    await using stage = await setStage()
    const { fcm } = stage
    fcm.script('token-ben', answer())
    await stage.spend()
    await stage.work()
    await stage.work()
    assert.equal(fcm.tries('token-ben'), 1)
    const seconds = await dueInS(stage, 'deliver')
    assert.ok(seconds > leastS && seconds <= mostS, `due in ${seconds} s`)
    await stage.hurry()
    await stage.work()
    assert.equal(fcm.pushes('token-ben').length, 1)
    assert.deepEqual(await stage.waiting(), {})
  })
}

test('errors and cut connections, then success: one delivery', async () => {
  await using stage = await setStage()
  const { djinn, fcm } = stage
  fcm.script('token-ben', refusals.broken, refusals.broken, refusals.unavailable())
  await stage.spend()
  for (let round = 0; round < 3; round++) {
    await stage.work()
    await stage.hurry()
  }
  fcm.outage = 'cut'
  await stage.work()
  fcm.outage = undefined
  for (let round = 0; round < 3; round++) {
    await stage.hurry()
    await stage.work()
  }
  assert.equal(fcm.pushes('token-ben').length, 1)
  assert.deepEqual(await stage.waiting(), {})
  assert.equal((await djinn.sql('select from deliveries where sent_at is not null')).length, 1)
})

test('an outage costs no message its tries: all are delivered when FCM is back, however long it was', async () => {
  await using stage = await setStage()
  const { djinn, fcm } = stage
  fcm.outage = refusals.broken
  const ids = [await stage.spend(-1), await stage.spend(-2), await stage.spend(-3)]
  for (let round = 0; round < 8; round++) {
    await stage.work()
    await stage.hurry()
  }
  await stage.work()
  assert.ok((await dueInS(stage, 'deliver')) <= 30, 'the next try comes soon')
  assert.deepEqual(await djinn.resources.queue.deadLetters(), [])
  fcm.outage = undefined
  await stage.hurry()
  await stage.work()
  const pushed = fcm.pushes('token-ben').map((message) => message.data['transactionId'])
  assert.equal(pushed.length, 3)
  assert.deepEqual(new Set(pushed), new Set(ids))
})

test('a push that could not be sent for a day is given up', async () => {
  await using stage = await setStage()
  const { djinn, fcm } = stage
  fcm.outage = refusals.unavailable()
  await stage.spend()
  await stage.work()
  await stage.hurry()
  await stage.work(() => Date.now() + 25 * 3_600_000)
  assert.deepEqual(await stage.waiting(), {})
  const [delivery] = await djinn.sql<{ failure: string }>('select failure from deliveries')
  assert.match(delivery!.failure, /^given up: 503 UNAVAILABLE/)
})

test('a poison message ends as a dead letter after 5 tries, while the others flow', async () => {
  await using stage = await setStage()
  const { djinn, fcm, ben } = stage
  const { queue } = djinn.resources
  await register(await signIn(djinn, ben, 'Tablet'), 'token-tablet')
  fcm.script('token-tablet', ...Array.from({ length: 6 }, () => refusals.badMessage))
  await stage.spend()
  for (let round = 0; round < 8; round++) {
    await stage.work()
    await stage.hurry()
  }
  assert.equal(fcm.pushes('token-ben').length, 1)
  assert.equal(fcm.tries('token-tablet'), 5)
  const [letter, ...others] = await queue.deadLetters()
  assert.deepEqual(others, [])
  assert.deepEqual([letter!.task, letter!.tries], ['deliver', 5])
  assert.match(letter!.error!, /^FCM: 400 INVALID_ARGUMENT Invalid value at/)
  assert.match(letter!.key!, /^deliver:[0-9a-f-]{36}:[0-9a-f-]{36}$/)
  assert.deepEqual(await queue.count(), { waiting: 0, dead: 1 })
  // The operator gives it another chance: the sixth refusal, then it goes out.
  assert.equal(await queue.retry([letter!.id]), 1)
  await stage.work()
  await stage.hurry()
  await stage.work()
  assert.equal(fcm.pushes('token-tablet').length, 1)
  assert.deepEqual(await queue.count(), { waiting: 0, dead: 0 })
})

test('a message on which FCM breaks has 5 tries while others get through', async () => {
  await using stage = await setStage()
  const { djinn, fcm, ben } = stage
  await register(await signIn(djinn, ben, 'Tablet'), 'token-tablet')
  fcm.script('token-tablet', ...Array.from({ length: 20 }, () => refusals.broken))
  await stage.spend()
  for (let round = 0; round < 8; round++) {
    await stage.work()
    await stage.hurry()
  }
  assert.equal(fcm.pushes('token-ben').length, 1)
  const [letter] = await djinn.resources.queue.deadLetters()
  assert.match(letter!.error!, /^FCM: 500 INTERNAL/)
  // The first may have come before the other device's success, which alone tells a poison from an outage.
  assert.ok([5, 6].includes(fcm.tries('token-tablet')), `${fcm.tries('token-tablet')} tries`)
})

test('an account that FCM refuses is a dead letter that says so, not a lost token', async () => {
  await using stage = await setStage()
  const { djinn, fcm, ben } = stage
  fcm.tokenAnswer = { status: 400, body: { error: 'invalid_grant', error_description: 'Invalid JWT Signature.' } }
  await stage.spend()
  for (let round = 0; round < 6; round++) {
    await stage.work()
    await stage.hurry()
  }
  const [letter] = await djinn.resources.queue.deadLetters()
  assert.equal(letter!.error, 'FCM: the service account is refused: 400 invalid_grant Invalid JWT Signature.')
  assert.equal((await ben.get('/api/devices')).body.data[0].pushToken, 'token-ben')
})
