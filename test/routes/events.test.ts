// Live events: a stream that pokes with each new revision of the own households, and who is sent away.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { after, before, test } from 'node:test'
import { makeApi } from '../../src/app/api.ts'
import { openResources } from '../../src/app/resources.ts'
import { newId } from '../../src/values/id.ts'
import { limits } from '../../src/values/limits.ts'
import { makePerson, open, type Person } from '../harness.ts'
import { Stream } from './event-streams.ts'
import { setRole, until, writeBehind } from './replica.ts'

const djinn = await open()
after(() => djinn.close())

const patient = { timeout: 20_000 }
let ana: Person
before(async () => {
  ana = await djinn.person()
})

const opened: Stream[] = []
after(() => opened.forEach((stream) => stream.close()))

async function listen(person: Person, headers: Record<string, string> = {}): Promise<Stream> {
  const stream = await Stream.open(djinn.url, person, headers)
  opened.push(stream)
  return stream
}

/** A stream that has told where its only household stands. */
async function listening(person: Person): Promise<Stream> {
  const stream = await listen(person)
  assert.equal(await stream.poke(), await revisionOf(person))
  return stream
}

const revisionOf = async ({ householdId }: Person) =>
  (await djinn.sql<{ revision: number }>('select revision::int from revisions where household_id = $1', [householdId]))[0]!.revision

const draft = { name: 'Cash', kind: 'cash', currency: 'EUR' }

/** Another sign-in of the same user. */
async function signedIn(person: Person): Promise<Person> {
  const { status, body } = await djinn.call('POST', '/api/auth/login', { body: { email: person.email, password: person.password } })
  assert.equal(status, 200)
  return makePerson(djinn.call, { ...person, accessToken: body.accessToken, refreshToken: body.refreshToken })
}

test('the first event tells the current revision, on an answer that nothing on the way keeps or holds back', patient, async () => {
  const stream = await listen(ana)
  const { headers } = stream.answer
  assert.match(headers.get('content-type')!, /^text\/event-stream/)
  assert.deepEqual(
    [headers.get('cache-control'), headers.get('x-accel-buffering'), headers.get('content-encoding')],
    ['no-store', 'no', null],
  )
  assert.ok(headers.get('x-request-id'))
  const revision = await revisionOf(ana)
  assert.deepEqual(await stream.next(), {
    id: `${ana.householdId}.${revision}`,
    event: 'revision',
    data: { householdId: ana.householdId, revision },
  })
  assert.equal((await djinn.call('GET', '/api/events')).status, 401)
  assert.equal((await ana.get('/api/events?since=1')).status, 400)
})

test('each write pokes once with its revision, and what writes nothing pokes for nothing', patient, async () => {
  const ben = await djinn.person()
  const stream = await listening(ben)
  const start = await revisionOf(ben)
  const id = await ben.account()
  assert.equal(await stream.poke(), start + 1)
  assert.equal((await ben.patch(`/api/accounts/${id}`, { name: 'Purse' })).status, 200)
  assert.equal(await stream.poke(), start + 2)
  assert.equal((await ben.post('/api/accounts', { id, ...draft })).status, 409)
  assert.equal((await ben.post('/api/accounts', {})).status, 400)
  assert.equal((await ben.get('/api/accounts')).status, 200)
  const operations = ['a', 'b'].map((name) => ({ id: name, method: 'POST', path: '/api/accounts', body: { ...draft, name } }))
  assert.equal((await ben.post('/api/batch', { atomic: true, operations })).status, 200)
  const revision = await stream.poke()
  assert.equal(revision, await revisionOf(ben))
  assert.equal((await ben.delete(`/api/accounts/${id}`)).status, 204)
  assert.equal(await stream.poke(), revision + 1)
})

test('a write through another process pokes too, and every stream of a household hears it', patient, async () => {
  const ben = await djinn.person()
  const streams = [await listening(ben), await listening(ben)]
  const resources = await openResources(djinn.resources.config)
  const api = await makeApi(resources)
  try {
    for (const name of ['a', 'b']) {
      const answer = await api.app.inject({
        method: 'POST',
        url: '/api/accounts',
        headers: { authorization: `Bearer ${ben.accessToken}` },
        payload: { ...draft, name },
      })
      assert.equal(answer.statusCode, 201)
      for (const stream of streams) assert.equal(await stream.poke(), await revisionOf(ben))
    }
  } finally {
    await api.close()
    await resources.close()
  }
})

test(
  'Last-Event-ID pokes at once for what was missed, for nothing when nothing was, and as anew when it makes no sense',
  patient,
  async () => {
    const ben = await djinn.person()
    const first = await listen(ben)
    const { id } = (await first.next())!
    await ben.account()
    await ben.account()
    const revision = await revisionOf(ben)
    const missed = await listen(ben, { 'last-event-id': id })
    const event = await missed.next()
    assert.deepEqual([event!.id, event!.data.revision], [`${ben.householdId}.${revision}`, revision])
    missed.close()
    const current = await listen(ben, { 'last-event-id': event!.id })
    await ben.account()
    assert.equal(await current.poke(), revision + 1)
    current.close()
    for (const odd of ['x', '', `${id},`, `${ben.householdId}.x`, `${ben.householdId}.${revision + 1_000}`]) {
      const stream = await listen(ben, { 'last-event-id': odd })
      assert.equal(await stream.poke(), revision + 1, odd)
      stream.close()
    }
  },
)

test('what is written while a stream is being opened is told, whichever comes first', patient, async () => {
  const ben = await djinn.person()
  await ben.get('/api/me')
  const old = await revisionOf(ben)
  const stream = await writeBehind(
    djinn,
    () => listen(ben),
    () => ben.account(),
  )
  await until('the stream is open', async () => (await ben.get('/api/sync')).status === 200)
  await ben.account()
  const told = [await stream.poke()]
  while (told.at(-1)! < old + 2) told.push(await stream.poke())
  assert.ok(told.includes(old + 1), `told of ${told.join()} after ${old}`)
})

test('a stream whose households cannot be read ends, so that its client comes back', patient, async () => {
  const ben = await djinn.person()
  await ben.get('/api/me')
  await djinn.sql('revoke execute on function sync_vector from public')
  try {
    const stream = await listen(ben)
    assert.equal(await stream.end(), 'restart')
  } finally {
    await djinn.sql('grant execute on function sync_vector to public')
  }
  await listening(ben)
})

test('the fourth stream of a user ends the oldest; those that the client closed do not count', patient, async () => {
  const ben = await djinn.person()
  const sockets: Socket[] = []
  const note = ({ socket }: { socket: Socket }) => void sockets.push(socket)
  djinn.api.app.server.on('request', note)
  for (const stream of [await listening(ben), await listening(ben), await listening(ben)]) stream.close()
  djinn.api.app.server.off('request', note)
  await until('the streams are gone', () => sockets.length === 3 && sockets.every((socket) => socket.destroyed))
  const streams = [await listening(ben), await listening(ben), await listening(ben)]
  await ben.account()
  for (const stream of streams) assert.equal(await stream.poke(), await revisionOf(ben))
  const other = await listening(await djinn.person())
  const fourth = await listening(ben)
  assert.equal(await streams[0]!.end(), 'replaced')
  await ben.account()
  for (const stream of [...streams.slice(1), fourth]) assert.equal(await stream.poke(), await revisionOf(ben))
  other.close()
})

test('signing out, revoking a session and changing the password end the streams of those sessions and no others', patient, async () => {
  const ben = await djinn.person()
  const [phone, tablet] = [await signedIn(ben), await signedIn(ben)]
  const [own, ofPhone, ofTablet] = [await listening(ben), await listening(phone), await listening(tablet)]
  assert.equal((await phone.post('/api/auth/logout')).status, 204)
  assert.equal(await ofPhone.end(), 'signedOut')
  const sessions = (await tablet.get('/api/me/sessions')).body.data as { id: string; current: boolean }[]
  const { id } = sessions.find((session) => session.current)!
  assert.equal((await ben.delete(`/api/me/sessions/${id}`)).status, 204)
  assert.equal(await ofTablet.end(), 'signedOut')
  const laptop = await signedIn(ben)
  const ofLaptop = await listening(laptop)
  const body = { currentPassword: ben.password, newPassword: 'another horse battery staple' }
  assert.equal((await ben.post('/api/auth/password', body)).status, 204)
  assert.equal(await ofLaptop.end(), 'signedOut')
  await ben.account()
  assert.equal(await own.poke(), await revisionOf(ben))
})

test('a household that is gained pokes, its role too, and one that is lost says so and pokes no more', patient, async () => {
  const [ben, cleo] = [await djinn.person(), await djinn.person()]
  const stream = await listening(ben)
  for (const role of ['viewer', 'editor'] as const) {
    await setRole(djinn, cleo.householdId, ben.userId, role)
    assert.deepEqual((await stream.next())!.data, { householdId: cleo.householdId, revision: await revisionOf(cleo) })
  }
  await cleo.account()
  const event = await stream.next()
  assert.deepEqual(event!.data, { householdId: cleo.householdId, revision: await revisionOf(cleo) })
  assert.deepEqual(
    event!.id.split(',').toSorted(),
    [`${ben.householdId}.${await revisionOf(ben)}`, `${cleo.householdId}.${await revisionOf(cleo)}`].toSorted(),
  )
  await setRole(djinn, cleo.householdId, ben.userId, null)
  const lost = await stream.next()
  assert.deepEqual([lost!.event, lost!.data], ['lost', { householdId: cleo.householdId }])
  await cleo.account()
  await ben.account()
  assert.deepEqual((await stream.next())!.data, { householdId: ben.householdId, revision: await revisionOf(ben) })
  // It was lost while the client was away.
  stream.close()
  const back = await listen(ben, { 'last-event-id': event!.id })
  assert.deepEqual([(await back.next())!.event, (await back.next())!.event], ['lost', 'revision'])
})

test('a household that is not the own pokes nobody here, not even when its id is sent', patient, async () => {
  const [ben, cleo] = [await djinn.person(), await djinn.person()]
  const stream = await listen(ben, { 'last-event-id': `${cleo.householdId}.1`, 'djinn-household': cleo.householdId })
  assert.equal((await stream.next())!.event, 'lost')
  assert.equal(await stream.poke(), await revisionOf(ben))
  await cleo.account()
  await ben.account()
  const event = await stream.next()
  assert.deepEqual([event!.id, event!.data.householdId], [`${ben.householdId}.${await revisionOf(ben)}`, ben.householdId])
})

test('50 open streams hold no connection to the database', patient, async () => {
  const count = async () =>
    (
      await djinn.sql<{ count: number }>(`select count(*)::int from pg_stat_activity
        where datname = current_database() and application_name like 'djinn%'`)
    )[0]!.count
  const people = await Promise.all(Array.from({ length: 17 }, () => djinn.person()))
  const held = await count()
  const streams = await Promise.all(Array.from({ length: 50 }, (_, nth) => listening(people[nth % 17]!)))
  // Where the machine is slow, reads open the further connections that they share, whoever asks; streams add none.
  const most = held + limits.readingConnectionsMax - 1
  assert.ok((await count()) <= most, 'as many connections as before')
  await people[0]!.account()
  assert.equal(await streams[0]!.poke(), await revisionOf(people[0]!))
  assert.ok((await count()) <= most)
  await until('no connection of the pool is taken', () => {
    const { idle, total } = djinn.resources.database.poolState
    return idle === total
  })
  for (const stream of streams) stream.close()
})

test('a client that does not read is cut, and its household goes on poking the others', patient, async () => {
  const ben = await djinn.person()
  const stream = await listening(ben)
  const { hostname, port } = new URL(djinn.url)
  const accepted = once(djinn.api.app.server, 'connection') as Promise<[Socket]>
  const silent = connect({ host: hostname, port: Number(port) })
  silent.on('error', () => {})
  silent.pause()
  silent.write(`GET /api/events HTTP/1.1\r\nHost: djinn\r\nAuthorization: Bearer ${ben.accessToken}\r\n\r\n`)
  const [socket] = await accepted
  const start = await revisionOf(ben)
  let revision = start
  let read = start
  while (!socket.destroyed && revision < start + 500_000) {
    // As many commits as a busy household has in a year, told as the writes tell them.
    for (let nth = 0; nth < 100; nth++) djinn.resources.announcements.announce(ben.householdId, ++revision, null)
    while (read < revision) read = await stream.poke()
  }
  assert.ok(socket.destroyed, `open after ${revision - start} pokes`)
  assert.equal(read, revision, 'who reads misses nothing')
  silent.destroy()
})

test('closing the service ends its streams and waits for none', patient, async () => {
  const closing = await open()
  const people = [await closing.person(), await closing.person()]
  const streams = await Promise.all(people.map((person) => Stream.open(closing.url, person)))
  for (const stream of streams) await stream.poke()
  await closing.api.close()
  for (const stream of streams) assert.equal(await stream.end(), 'restart')
  await assert.rejects(Stream.open(closing.url, people[0]!, { 'x-request-id': newId() }))
})
