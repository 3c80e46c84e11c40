// What a push must be signed with: everything else is one and the same refusal, and nothing is accepted twice.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { newId } from '../../src/values/id.ts'
import { assertRefused, open, type Djinn, type Person, type Reply } from '../harness.ts'
import { makeFeed, nowS, push, row, send, signedHeaders, type Feed, type Signing } from './feed-pushes.ts'

const djinn = await open()
after(() => djinn.close())

let ana: Person
let account: string
let feed: Feed
let deleted: Feed
let ofNobody: Feed
before(async () => {
  ana = await djinn.person()
  account = await ana.account()
  feed = await makeFeed(ana, account)
  deleted = await makeFeed(ana, account)
  await ana.delete(`/api/feeds/${deleted.id}`)
  const ben = await djinn.person()
  ofNobody = await makeFeed(ben, await ben.account())
  await djinn.sql(
    `select set_config('djinn.household', '${ben.householdId}', true); update households set deleted_at = now() where household_id = '${ben.householdId}'`,
  )
})

const body = { transactions: [row('never')] }
const raw = JSON.stringify(body)

/** What an answer tells, without what differs between any two requests. */
function told(reply: Reply) {
  const { instance: _instance, requestId: _requestId, ...problem } = reply.body
  const { 'x-request-id': _header, date: _date, 'content-length': _length, ...headers } = reply.headers
  return { status: reply.status, problem, headers }
}

const state = () =>
  djinn.sql(
    `select (select count(*)::int from transactions) as transactions, (select count(*)::int from feed_signatures) as signatures,
      (select count(*)::int from feed_usage) as usage, (select sum(revision)::int from revisions) as revisions`,
  )

const right = () => signedHeaders(feed, raw)
const tampered: Record<string, () => Promise<Reply>> = {
  'an unknown feed': () => send(djinn, { ...feed, id: newId() }, body),
  'a deleted feed': () => send(djinn, deleted, body),
  'the feed of a deleted household': () => send(djinn, ofNobody, body),
  'an id that is none': () => send(djinn, { ...feed, id: 'x' }, body),
  'the feed of another key': () => send(djinn, { ...feed, keyId: deleted.keyId }, body),
  'an unknown key': () => send(djinn, { ...feed, keyId: 'unknown' }, body),
  'a key that is no key': () => send(djinn, { ...feed, keyId: `${feed.keyId} or 1=1` }, body),
  'a key twice': () => send(djinn, feed, body, { headers: { 'djinn-key': `${feed.keyId}, ${feed.keyId}` } }),
  'another secret': () => send(djinn, { ...feed, secret: deleted.secret }, body),
  'an empty secret': () => send(djinn, { ...feed, secret: '' }, body),
  'another body': () => send(djinn, feed, body, { signed: raw.replace('-320', '-321') }),
  'a body with a space more': () => send(djinn, feed, `${raw} `, { signed: raw }),
  'no body': () => send(djinn, feed, '', { signed: raw }),
  'a timestamp that was not signed': () => send(djinn, feed, body, { headers: { 'djinn-timestamp': String(nowS() - 299) } }),
  'a moment too old': () => send(djinn, feed, body, { timestamp: nowS() - 302 }),
  'a moment too far ahead': () => send(djinn, feed, body, { timestamp: nowS() + 305 }),
  'a moment in milliseconds': () => send(djinn, feed, body, { timestamp: Date.now() }),
  'a moment in words': () => send(djinn, feed, body, { timestamp: new Date().toISOString() }),
  'a moment with a sign': () => send(djinn, feed, body, { timestamp: `+${nowS()}` }),
  'a fraction of a moment': () => send(djinn, feed, body, { timestamp: `${nowS()}.5` }),
  'a negative moment': () => send(djinn, feed, body, { timestamp: `-${nowS()}` }),
  'a signature of zeroes': () => send(djinn, feed, body, { headers: { 'djinn-signature': `v1=${'0'.repeat(64)}` } }),
  'half a signature': () => send(djinn, feed, body, { headers: { 'djinn-signature': right()['djinn-signature'].slice(0, 35) } }),
  'a signature and more': () => send(djinn, feed, body, { headers: { 'djinn-signature': `${right()['djinn-signature']}00` } }),
  'another version': () => send(djinn, feed, body, { headers: { 'djinn-signature': right()['djinn-signature'].replace('v1', 'v2') } }),
  'no version': () => send(djinn, feed, body, { headers: { 'djinn-signature': right()['djinn-signature'].slice(3) } }),
  'no signature': () => send(djinn, feed, body, { headers: { 'djinn-signature': '' } }),
  'no header at all': () =>
    djinn.call('POST', `/api/feeds/${feed.id}/transactions`, { raw, headers: { 'content-type': 'application/json' } }),
  'the session of a member instead': () => ana.post(`/api/feeds/${feed.id}/transactions`, body),
  'what is no JSON, wrongly signed': () => send(djinn, { ...feed, secret: 'wrong' }, '{'),
  'a media type that is none, wrongly signed': () =>
    send(djinn, { ...feed, secret: 'wrong' }, body, { headers: { 'content-type': 'text/plain' } }),
}

test('whatever is wrong is refused in the same words, and nothing is written', async () => {
  const was = await state()
  const first = told(await tampered['an unknown feed']!())
  assert.deepEqual([first.status, first.problem.code, first.headers['www-authenticate']], [401, 'feed-refused', 'Djinn-Signature'])
  for (const [name, attempt] of Object.entries(tampered)) assert.deepEqual(told(await attempt()), first, name)
  assert.deepEqual(await state(), was)
})

test('every single wrong bit of a signature is refused', async () => {
  const headers = right()
  const bytes = Buffer.from(headers['djinn-signature'].slice(3), 'hex')
  for (let bit = 0; bit < 256; bit += 5) {
    const wrong = Buffer.from(bytes)
    wrong[bit >> 3]! ^= 1 << (bit & 7)
    const reply = await djinn.call('POST', `/api/feeds/${feed.id}/transactions`, {
      raw,
      headers: { ...headers, 'djinn-signature': `v1=${wrong.toString('hex')}` },
    })
    assertRefused(reply, 401, 'feed-refused')
  }
})

for (const [name, signing] of [
  ['now', {}],
  ['almost five minutes ago', { timestamp: nowS() - 240 }],
  ['almost five minutes from now', { timestamp: nowS() + 240 }],
] as [string, Signing][]) {
  test(`a moment of ${name} is accepted`, async () => {
    assert.equal((await send(djinn, feed, { transactions: [] }, signing)).status, 200)
  })
}

test('a signature in capitals is the same one', async () => {
  const text = JSON.stringify({ transactions: [row('capitals')] })
  const headers = signedHeaders(feed, text)
  const capitals = { ...headers, 'djinn-signature': `v1=${headers['djinn-signature'].slice(3).toUpperCase()}` }
  const path = `/api/feeds/${feed.id}/transactions`
  assert.equal((await djinn.call('POST', path, { raw: text, headers: capitals })).status, 200)
  assertRefused(await djinn.call('POST', path, { raw: text, headers }), 409, 'feed-replayed')
})

test('bytes that were sent before are refused; signed anew they add nothing', async () => {
  const text = JSON.stringify({ transactions: [row('once')] })
  const headers = signedHeaders(feed, text)
  const again = () => djinn.call('POST', `/api/feeds/${feed.id}/transactions`, { raw: text, headers })
  assert.equal((await again()).body.created, 1)
  const was = await state()
  for (let time = 0; time < 3; time++) assertRefused(await again(), 409, 'feed-replayed', 'Djinn-Signature:')
  assert.deepEqual(await state(), was)
  const anew = await send(djinn, feed, text)
  assert.deepEqual([anew.body.created, anew.body.unchanged], [0, 1])
})

test('the same push twice at once: one goes through, the other is a replay', async () => {
  const text = JSON.stringify({ transactions: [row('twins')] })
  const headers = signedHeaders(feed, text)
  const replies = await Promise.all(
    Array.from({ length: 6 }, () => djinn.call('POST', `/api/feeds/${feed.id}/transactions`, { raw: text, headers })),
  )
  assert.deepEqual(
    replies.map(({ status }) => status).toSorted((a, b) => a - b),
    [200, 409, 409, 409, 409, 409],
  )
})

test('pushes of the same rows signed apart, at once, make each row once', async () => {
  const rows = Array.from({ length: 20 }, (_, index) => row(`race ${index}`))
  const answers = await Promise.all(Array.from({ length: 5 }, () => push(djinn, feed, rows)))
  assert.deepEqual(
    answers.map(({ created }) => created).toSorted((a, b) => a - b),
    [0, 0, 0, 0, 20],
  )
})

test('what was refused is not remembered: mended, the same moment may be used', async () => {
  const timestamp = nowS() - 201
  assertRefused(await send(djinn, feed, { transactions: [row('bad', { amount: 'x' })] }, { timestamp }), 400, 'invalid-request')
  await ana.patch(`/api/feeds/${feed.id}`, { paused: true })
  const good = { transactions: [row('mended')] }
  assertRefused(await send(djinn, feed, good, { timestamp }), 409, 'feed-paused')
  await ana.patch(`/api/feeds/${feed.id}`, { paused: false })
  assert.equal((await send(djinn, feed, good, { timestamp })).body.created, 1)
})

test('signatures are remembered for as long as they could be accepted, and no longer', async () => {
  const own = await makeFeed(ana, account)
  const raws = ['{"transactions":[]}', '{"transactions": []}']
  const headers = raws.map((text) => signedHeaders(own, text))
  for (const [index, text] of raws.entries()) {
    assert.equal((await djinn.call('POST', `/api/feeds/${own.id}/transactions`, { raw: text, headers: headers[index]! })).status, 200)
  }
  const remembered = async () => (await djinn.sql('select 1 from feed_signatures where feed_id = $1', [own.id])).length
  assert.equal(await remembered(), 2)
  await djinn.sql(`update feed_signatures set signed_at = now() - interval '16 minutes' where feed_id = $1`, [own.id])
  await push(djinn, own, [])
  assert.equal(await remembered(), 1)
})

test('the nightly sweep forgets signatures of feeds that push no more', async () => {
  const { makeTasks } = await import('../../src/app/tasks.ts')
  await push(djinn, feed, [])
  await djinn.sql(`update feed_signatures set signed_at = now() - interval '16 minutes'`)
  await push(djinn, await makeFeed(ana, account), [])
  await makeTasks(djinn.resources)['sweepSignatures']!(null)
  assert.deepEqual(await djinn.sql('select count(*)::int as count from feed_signatures'), [{ count: 1 }])
})

test('a secret sealed under a SECRETS_KEY that is no more refuses, and a rotation mends it', async () => {
  const own = await makeFeed(ana, account)
  await djinn.sql(`update feed_keys set secret = set_byte(secret, 20, get_byte(secret, 20) # 1) where feed_id = $1`, [own.id])
  assertRefused(await send(djinn, own, body), 401, 'feed-refused')
  const { body: rotated } = await ana.post(`/api/feeds/${own.id}/rotate`, { immediately: true })
  assert.equal((await send(djinn, rotated, { transactions: [] })).status, 200)
})

test('a sealed secret that is moved to another key opens nothing', async () => {
  const [one, two] = [await makeFeed(ana, account), await makeFeed(ana, account)]
  await djinn.sql(`update feed_keys set secret = (select secret from feed_keys where feed_id = $1) where feed_id = $2`, [one.id, two.id])
  assertRefused(await send(djinn, { ...two, secret: one.secret }, { transactions: [] }), 401, 'feed-refused')
})

test('what is rightly signed and not well-formed is told what is wrong', async () => {
  assertRefused(await send(djinn, feed, '{'), 400, 'invalid-json')
  assertRefused(await send(djinn, feed, body, { headers: { 'content-type': 'text/plain' } }), 415, 'unsupported-media-type')
  assertRefused(await send(djinn, feed, body, { headers: { 'content-encoding': 'gzip' } }), 415, 'unsupported-media-type')
  assertRefused(await send(djinn, feed, { ...body, more: 1 }), 400, 'invalid-request', '/more')
  assertRefused(await send(djinn, feed, body, { path: `/api/feeds/${feed.id}/transactions?x=1` }), 400, 'invalid-request', '?x')
})

test('headers of sessions change nothing: neither a token, nor a household, nor an Idempotency-Key', async () => {
  const ben = await djinn.person()
  const headers = { authorization: 'Bearer dead', 'djinn-household': ben.householdId, 'idempotency-key': 'one' }
  for (const externalId of ['with headers 1', 'with headers 2']) {
    const reply = await send(djinn, feed, { transactions: [row(externalId)] }, { headers })
    assert.deepEqual([reply.status, reply.body.created], [200, 1])
  }
  assert.deepEqual((await ben.get('/api/transactions')).body.data, [])
})

test('a push is no step of a batch', async () => {
  const step = { id: 'a', method: 'POST', path: `/api/feeds/${feed.id}/transactions`, body }
  const { body: answer } = await ana.post('/api/batch', { operations: [step] })
  assert.deepEqual([answer.results[0].status, answer.results[0].body.code], [400, 'not-in-batch'])
})

test('the document tells of the three headers as schemes of their own', async () => {
  const { body: document } = await djinn.call('GET', '/api/openapi.json')
  const { security, parameters, ...operation } = document.paths['/api/feeds/{id}/transactions'].post
  assert.deepEqual(security, [{ signedKey: [], signedTimestamp: [], signedSignature: [] }])
  assert.deepEqual(document.components.securitySchemes.signedSignature.name, 'Djinn-Signature')
  assert.deepEqual(
    parameters.map((parameter: { name: string }) => parameter.name),
    ['id'],
  )
  assert.ok(operation['x-codes'].includes('feed-refused') && !operation['x-codes'].includes('unauthenticated'))
})

test('an answer takes three waits for the database whatever the rows, and one for the rules of new ones', async () => {
  const rows = [row('trip 1'), row('trip 2')]
  const made = await djinn.count(() => push(djinn, feed, rows))
  const known = await djinn.count(() => push(djinn, feed, rows))
  assert.deepEqual([made.roundTrips, known.roundTrips], [4, 3])
})

test('the books hold after all of this', () => djinn.verify())

/** A service with limits to be reached, and two feeds in it. */
async function withLimits(): Promise<{ service: Djinn; feeds: Feed[] } & AsyncDisposable> {
  const service = await open({ RATE_LIMIT_ANONYMOUS: '10', RATE_LIMIT_AUTHENTICATED: '30' })
  const person = await service.person()
  const into = await person.account()
  const feeds = [await makeFeed(person, into), await makeFeed(person, into)]
  return { service, feeds, [Symbol.asyncDispose]: () => service.close() }
}

test('pushes are charged to their feed and not to the address, which may serve many', async () => {
  await using own = await withLimits()
  const [one, two] = own.feeds as [Feed, Feed]
  for (let left = 29; left >= 0; left--) {
    const reply = await send(own.service, one, { transactions: [] })
    assert.equal(reply.status, 200)
    assert.match(reply.headers['ratelimit']!, new RegExp(`^"authenticated";r=${left};t=\\d+$`))
  }
  const over = await send(own.service, one, { transactions: [] })
  assertRefused(over, 429, 'rate-limited')
  assert.ok(Number(over.headers['retry-after']) > 0)
  assert.equal((await send(own.service, two, { transactions: [] })).status, 200)
  assert.equal((await own.service.call('GET', '/api/system/currencies')).status, 200)
})

test('wrong signatures are charged to the address, and end guessing: even the right one waits then, other feeds do not', async () => {
  await using own = await withLimits()
  const [one, two] = own.feeds as [Feed, Feed]
  const guess = () => send(own.service, { ...one, secret: 'guess' }, { transactions: [] })
  const statuses: number[] = []
  for (let attempt = 0; attempt < 12; attempt++) statuses.push((await guess()).status)
  const refused = statuses.filter((status) => status === 401).length
  assert.ok(refused > 0 && refused <= 10, statuses.join())
  assert.deepEqual(
    statuses.slice(refused),
    Array.from({ length: 12 - refused }, () => 429),
  )
  assertRefused(await send(own.service, one, { transactions: [] }), 429, 'rate-limited')
  assert.equal((await send(own.service, two, { transactions: [] })).status, 200)
  assert.equal((await own.service.call('GET', '/api/system/currencies')).status, 429, 'it is the minute of the address')
})
