// From a write of one member to the phone of another: once, to those who may have it, when it may come.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makeTasks, schedule } from '../../src/app/tasks.ts'
import { newId } from '../../src/values/id.ts'
import { register, setStage, signIn } from './household.ts'

test('a transaction of one member reaches the phone of the other, and not the own one', async () => {
  await using stage = await setStage()
  const { djinn, fcm, ana, ben } = stage
  await djinn.resources.queue.start(makeTasks(djinn.resources), schedule)
  const transactionId = await stage.spend()
  await fcm.came(1)
  const [message] = fcm.pushes('token-ben')
  const [notification] = (await ben.get('/api/notifications')).body.data
  assert.deepEqual(message!.notification, { title: 'New in your household', body: 'Ana added a transaction.' })
  const { id: notificationId } = notification
  assert.deepEqual(message!.data, {
    event: 'transactionReceived',
    notificationId,
    householdId: ana.householdId,
    kind: 'transaction',
    transactionId,
  })
  assert.equal(fcm.tries('token-ana'), 0)
  assert.doesNotMatch(JSON.stringify(message), /1250|Bakery/, 'amounts and payees do not leave the house')
})

test('a transfer is told once and an import with its count, in their words', async () => {
  await using stage = await setStage()
  const { fcm, ana, account } = stage
  const savings = await ana.account({ name: 'Savings', kind: 'savings' })
  await ana.post('/api/transfers', { fromAccountId: account, toAccountId: savings, date: '2026-02-28', amount: 500 })
  const file = 'Date;Amount;Payee\n2026-02-26;-3.50;Bakery\n2026-02-27;-4.50;Bakery\n2026-02-27;-4.50;Bakery\n'
  const { body: preview } = await ana.upload(`/api/imports?accountId=${account}`, file)
  assert.equal((await ana.post(`/api/imports/${preview.id}/commit`)).body.created, 3)
  await stage.work()
  assert.deepEqual(
    fcm
      .pushes('token-ben')
      .map((message) => message.notification!.body)
      .toSorted(),
    ['Ana imported 3 transactions.', 'Ana made a transfer.'],
  )
})

test('every device of a person gets it, and one that did is not sent it again', async () => {
  await using stage = await setStage()
  const { djinn, fcm, ben } = stage
  await register(await signIn(djinn, ben, 'Tablet'), 'token-tablet')
  await stage.spend()
  await stage.work()
  const [notification] = await djinn.sql<{ household_id: string; id: string }>('select household_id, id from notifications')
  // The same job once more, as after the death of a worker that had done it.
  const again = () =>
    djinn.sql(`select enqueue('push', jsonb_build_object('household', $1::uuid, 'notification', $2::uuid), 'push:again')`, [
      notification!.household_id,
      notification!.id,
    ])
  await again()
  await stage.work()
  const untilMs = Date.now() + 1e6
  const [device] = (await ben.get('/api/devices')).body.data
  await djinn.sql(`select enqueue('deliver', $1, 'deliver:again')`, [
    { household: notification!.household_id, notification: notification!.id, device: device.id, untilMs },
  ])
  await stage.work()
  assert.deepEqual([fcm.tries('token-ben'), fcm.tries('token-tablet')], [1, 1])
  assert.deepEqual(await stage.waiting(), {})
})

test('a worker leaves alone what another one is sending, and takes it over when that one died', async () => {
  await using stage = await setStage()
  const { djinn, fcm } = stage
  await stage.spend()
  // Another worker has just begun.
  await djinn.sql(
    `insert into deliveries (household_id, notification_id, device_id, tries, leased_until)
     select n.household_id, n.id, d.id, 1, now() + interval '1 minute' from notifications n join devices d using (user_id)`,
  )
  await stage.work()
  assert.equal(fcm.tries('token-ben'), 0)
  assert.deepEqual(await stage.waiting(), { deliver: 1 })
  await djinn.sql(`update deliveries set leased_until = now() - interval '1 second'`)
  await stage.hurry()
  await stage.work()
  assert.equal(fcm.pushes('token-ben').length, 1)
})

test('what was read meanwhile is pushed no more', async () => {
  await using stage = await setStage()
  await stage.spend()
  assert.equal((await stage.ben.post('/api/notifications/read', {})).body.marked, 1)
  await stage.work()
  assert.equal(stage.fcm.tries('token-ben'), 0)
})

test('signing out stops pushes to the device, also those that wait, and leaves the other device of the person', async () => {
  await using stage = await setStage()
  const { djinn, fcm, ben } = stage
  const tablet = await signIn(djinn, ben, 'Tablet')
  await register(tablet, 'token-tablet')
  await stage.spend()
  assert.equal((await ben.post('/api/auth/logout')).status, 204)
  await stage.work()
  assert.deepEqual([fcm.tries('token-ben'), fcm.tries('token-tablet')], [0, 1])
  assert.deepEqual(
    (await tablet.get('/api/devices')).body.data.map((device: { pushToken: string }) => device.pushToken),
    ['token-tablet'],
  )
})

test('a session ended from afar, a change of password and a stolen refresh token stop pushes too', async () => {
  await using stage = await setStage()
  const { djinn, fcm, ben } = stage
  const [tablet, desk, web] = [await signIn(djinn, ben, 'Tablet'), await signIn(djinn, ben, 'Desk'), await signIn(djinn, ben, 'Web')]
  for (const [person, token] of [
    [tablet, 'token-tablet'],
    [desk, 'token-desk'],
    [web, 'token-web'],
  ] as const)
    await register(person, token)
  const sessions = (await ben.get('/api/me/sessions')).body.data as { id: string; deviceName: string }[]
  await ben.delete(`/api/me/sessions/${sessions.find((session) => session.deviceName === 'Tablet')!.id}`)
  const refresh = () => djinn.call('POST', '/api/auth/refresh', { body: { refreshToken: desk.refreshToken } })
  assert.equal((await refresh()).status, 200)
  await djinn.sql(`update refresh_tokens set used_at = used_at - interval '1 minute' where used_at is not null`)
  assert.equal((await refresh()).status, 401)
  await stage.spend()
  await stage.work()
  const tries = () => ['token-ben', 'token-tablet', 'token-desk', 'token-web'].map((token) => fcm.tries(token))
  assert.deepEqual(tries(), [1, 0, 0, 1])
  const change = { currentPassword: ben.password, newPassword: 'a lamp full of coins' }
  assert.equal((await ben.post('/api/auth/password', change)).status, 204)
  await stage.spend()
  await stage.work()
  assert.deepEqual(tries(), [2, 0, 0, 1])
})

test('quiet hours hold a push back until they end, and the inbox has it at once', async () => {
  await using stage = await setStage()
  const { djinn, fcm, ben } = stage
  const wanted = { quietFrom: '22:00', quietTo: '07:30', timeZone: 'Asia/Tokyo' }
  assert.equal((await ben.patch('/api/notifications/settings', wanted)).status, 200)
  await stage.spend()
  // 02:00 in Tokyo.
  await stage.work(() => Date.parse('2036-02-28T17:00:00Z'))
  assert.equal(fcm.tries('token-ben'), 0)
  assert.equal((await ben.get('/api/notifications')).body.data.length, 1)
  const [job] = await djinn.sql<{ run_at: Date }>(`select run_at from graphile_worker.jobs where task_identifier = 'push'`)
  assert.equal(job!.run_at.toISOString(), '2036-02-28T22:30:00.000Z')
  await stage.hurry()
  await stage.work(() => Date.parse('2036-02-28T22:30:00Z'))
  assert.equal(fcm.pushes('token-ben').length, 1)
})

test('without a zone of their own quiet hours are in the zone of the household', async () => {
  await using stage = await setStage()
  const { djinn, ana, ben } = stage
  await ana.patch(`/api/households/${ana.householdId}`, { timeZone: 'America/New_York' })
  await ben.patch('/api/notifications/settings', { quietFrom: '22:00', quietTo: '07:00' })
  await stage.spend()
  await stage.work(() => Date.parse('2036-02-28T11:59:00Z'))
  const [job] = await djinn.sql<{ run_at: Date }>(`select run_at from graphile_worker.jobs where task_identifier = 'push'`)
  assert.equal(job!.run_at.toISOString(), '2036-02-28T12:00:00.000Z')
})

test('without FCM the inbox and the events work, and no job is queued', async () => {
  await using stage = await setStage({ push: false })
  const { ben } = stage
  const id = await stage.spend()
  const { body } = await ben.get('/api/notifications')
  assert.equal(body.data[0].data.transactionId, id)
  assert.deepEqual(await stage.waiting(), {})
  await stage.work()
  assert.equal(stage.fcm.exchanges, 0)
})

test('a push that is queued in a write is undone with it', async () => {
  await using stage = await setStage()
  const { ana, account } = stage
  const step = (id: string, amount: number, date: string) => ({
    id,
    method: 'POST',
    path: '/api/transactions',
    body: { id: newId(), accountId: account, date, amount },
  })
  const { body } = await ana.post('/api/batch', {
    operations: [step('1', -100, '2026-02-28'), { ...step('2', -100, '2026-02-28'), path: '/api/transactions/none' }],
    atomic: true,
  })
  assert.notEqual(body.results[0].status, 201)
  assert.deepEqual(await stage.waiting(), {})
  assert.deepEqual((await stage.ben.get('/api/notifications')).body.data, [])
})
