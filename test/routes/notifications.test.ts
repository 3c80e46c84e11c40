// The inbox over HTTP, and what a person wants to be told of.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { newId } from '../../src/values/id.ts'
import { open, type Djinn, type Person } from '../harness.ts'

let djinn: Djinn
let ana: Person
let ben: Person
before(async () => {
  djinn = await open()
})
after(() => djinn.close())

/** A person with so many notifications; answers their ids, newest first. */
async function inbox(count: number): Promise<string[]> {
  ana = await djinn.person()
  ben = await djinn.person()
  for (let index = 0; index < count; index++) {
    await djinn.sql('select tell_members($1, $2, $3, $4, null)', [ana.householdId, 'billReminder', `bill:${index}`, { index }])
  }
  const rows = await djinn.sql<{ id: string }>('select id from notifications where user_id = $1 order by (data ->> $2)::int desc', [
    ana.userId,
    'index',
  ])
  return rows.map((row) => row.id)
}
const idsOf = (reply: { body: { data: { id: string }[] } }) => reply.body.data.map((row) => row.id)

test('the inbox is read newest first, page by page, each row once', async () => {
  const ids = await inbox(7)
  const met: string[] = []
  let cursor: string | null = ''
  while (cursor !== null) {
    const { body, status } = await ana.get(`/api/notifications?limit=3${cursor ? `&cursor=${cursor}` : ''}`)
    assert.equal(status, 200)
    met.push(...body.data.map((row: { id: string }) => row.id))
    cursor = body.nextCursor
  }
  // Within one millisecond ids are in no order of their making.
  assert.deepEqual(met, met.toSorted().toReversed())
  assert.deepEqual(met.toSorted(), ids.toSorted())
})

test('marking one as read and as unread again moves it between the two lists', async () => {
  const [id] = await inbox(3)
  const marked = await ana.patch(`/api/notifications/${id}`, { read: true })
  assert.equal(marked.status, 200)
  assert.ok(marked.body.readAt)
  assert.equal((await ana.patch(`/api/notifications/${id}`, { read: true })).body.readAt, marked.body.readAt, 'it was read when it was')
  assert.deepEqual(idsOf(await ana.get('/api/notifications?unread=false')), [id])
  assert.ok(!idsOf(await ana.get('/api/notifications?unread=true')).includes(id!))
  assert.equal((await ana.patch(`/api/notifications/${id}`, { read: false })).body.readAt, null)
  assert.equal(idsOf(await ana.get('/api/notifications?unread=true')).length, 3)
})

test('all are marked at once, or those up to the newest that was shown', async () => {
  await inbox(5)
  const shown = idsOf(await ana.get('/api/notifications'))
  assert.deepEqual((await ana.post('/api/notifications/read', { upTo: shown[2] })).body, { marked: 3 })
  assert.deepEqual(idsOf(await ana.get('/api/notifications?unread=true')), shown.slice(0, 2))
  assert.deepEqual((await ana.post('/api/notifications/read')).body, { marked: 2 })
  assert.deepEqual((await ana.post('/api/notifications/read', {})).body, { marked: 0 })
})

test('a cursor is of one person and one filter', async () => {
  await inbox(3)
  const { nextCursor } = (await ana.get('/api/notifications?limit=1')).body
  for (const path of [`/api/notifications?unread=true&cursor=${nextCursor}`, `/api/notifications?cursor=${nextCursor}x`]) {
    const reply = await ana.get(path)
    assert.deepEqual([reply.status, reply.body.code], [400, 'invalid-cursor'], path)
  }
  assert.equal((await ben.get(`/api/notifications?cursor=${nextCursor}`)).status, 400)
  assert.equal((await ana.get(`/api/notifications?limit=1&cursor=${nextCursor}`)).status, 200)
})

test('another person’s notification is not found, and stays as it is', async () => {
  const [id] = await inbox(1)
  assert.equal((await ben.get(`/api/notifications/${id}`)).status, 404)
  assert.equal((await ben.patch(`/api/notifications/${id}`, { read: true })).status, 404)
  assert.deepEqual((await ben.post('/api/notifications/read', {})).body, { marked: 0 })
  assert.deepEqual((await ben.get('/api/notifications')).body, { data: [], nextCursor: null })
  const { body } = await ana.get(`/api/notifications/${id}`)
  assert.deepEqual([body.id, body.readAt, body.householdId, body.data], [id, null, ana.householdId, { index: 0 }])
  assert.equal((await ana.get(`/api/notifications/${newId()}`)).body.code, 'not-found')
})

test('an inbox is over all households of its person', async () => {
  await inbox(1)
  const { body: second } = await ana.post('/api/households', { name: 'Second', baseCurrency: 'EUR', timeZone: 'UTC' })
  await djinn.sql('select tell_members($1, $2, $3, $4, null)', [second.id, 'budgetExceeded', 'budget:1', { level: 100 }])
  const rows = (await ana.get('/api/notifications')).body.data as { householdId: string }[]
  assert.deepEqual(new Set(rows.map((row) => row.householdId)), new Set([ana.householdId, second.id]))
})

const standard = {
  transactionReceived: true,
  budgetExceeded: true,
  billReminder: true,
  quietFrom: null,
  quietTo: null,
  timeZone: null,
}

test('everything is told and nothing is quiet until somebody says otherwise', async () => {
  await inbox(0)
  assert.deepEqual((await ana.get('/api/notifications/settings')).body, standard)
  const changed = await ana.patch('/api/notifications/settings', { billReminder: false, quietFrom: '22:00', quietTo: '07:30' })
  assert.deepEqual(changed.body, { ...standard, billReminder: false, quietFrom: '22:00', quietTo: '07:30' })
  const zoned = await ana.patch('/api/notifications/settings', { timeZone: 'Europe/Lisbon', quietTo: '08:00' })
  assert.deepEqual(zoned.body, { ...changed.body, timeZone: 'Europe/Lisbon', quietTo: '08:00' })
  assert.deepEqual((await ana.get('/api/notifications/settings')).body, zoned.body)
  assert.deepEqual((await ben.get('/api/notifications/settings')).body, standard)
  const loud = await ana.patch('/api/notifications/settings', { quietFrom: null, quietTo: null, timeZone: null, billReminder: true })
  assert.deepEqual(loud.body, standard)
})

test('settings that cannot be are refused where they stand, and change nothing', async () => {
  await inbox(0)
  const wrong: [object, string, string][] = [
    [{ quietFrom: '22:00' }, '/quietTo', 'invalid-request'],
    [{ quietFrom: '22:00', quietTo: '22:00' }, '/quietTo', 'invalid-request'],
    [{ quietFrom: '24:00', quietTo: '07:00' }, '/quietFrom', 'malformed'],
    [{ quietFrom: '7:00', quietTo: '08:00' }, '/quietFrom', 'malformed'],
    [{ timeZone: 'Europe/Atlantis' }, '/timeZone', 'unknown-time-zone'],
    [{ billReminder: 'no' }, '/billReminder', 'wrong-type'],
    [{ sms: true }, '/sms', 'unknown-field'],
  ]
  for (const [body, pointer, code] of wrong) {
    const reply = await ana.patch('/api/notifications/settings', body)
    assert.equal(reply.status, 400, reply.text)
    assert.deepEqual([reply.body.errors[0].pointer, reply.body.errors[0].code], [pointer, code])
  }
  assert.deepEqual((await ana.get('/api/notifications/settings')).body, standard)
})

test('notifications are forgotten after 90 days', async () => {
  const [old, young] = await inbox(2)
  await djinn.sql(`update notifications set created_at = now() - interval '91 days' where id = $1`, [old])
  await djinn.sql(`update notifications set created_at = now() - interval '89 days' where id = $1`, [young])
  const { makeTasks } = await import('../../src/app/tasks.ts')
  await makeTasks(djinn.resources)['forgetNotifications']!({})
  assert.deepEqual(idsOf(await ana.get('/api/notifications')), [young])
})
