// System data: cached in the process, the same for everybody, replaced within the second.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { open, type Djinn } from '../harness.ts'

const djinn = await open()
after(() => djinn.close())

const names = ['institutions', 'categories', 'currencies', 'countries', 'timezones', 'config/mobile']
const read = (name: string, headers: Record<string, string> = {}, from: Djinn = djinn) =>
  from.call('GET', `/api/system/${name}`, { headers })

/** Replaces system data as an operator does, and waits until the service has heard of it. */
async function replace(service: Djinn, name: string, content: unknown) {
  const { headers } = await read(name, {}, service)
  await service.sql(
    `insert into system_data (name, content) values ($1, $2) on conflict (name) do update set content = excluded.content, updated_at = now()`,
    [name, JSON.stringify(content)],
  )
  const until = performance.now() + 1_000
  while ((await read(name, {}, service)).headers['etag'] === headers['etag'])
    assert.ok(performance.now() < until, 'still the old data after 1 s')
}

test('the first read is a MISS, every later one a HIT with the same bytes and no round trip to the database', async () => {
  await using fresh = await open()
  for (const name of names) {
    // The categories are read at start, for the households to come.
    const first = await read(name, {}, fresh)
    assert.equal(first.status, 200, name)
    assert.equal(first.headers['x-cache'], name === 'categories' ? 'HIT' : 'MISS', name)
    const { statements, roundTrips } = await fresh.count(async () => {
      for (let round = 0; round < 3; round++) {
        const again = await read(name, {}, fresh)
        assert.equal(again.headers['x-cache'], 'HIT')
        assert.equal(again.headers['etag'], first.headers['etag'])
        assert.equal(again.text, first.text)
      }
    })
    assert.deepEqual([statements, roundTrips], [[], 0], name)
  }
})

test('a hundred first reads at once ask the database once', async () => {
  await using fresh = await open()
  const { statements } = await fresh.count(() => Promise.all(Array.from({ length: 100 }, () => read('currencies', {}, fresh))))
  assert.deepEqual(statements, ['system.read'])
})

test('answers are public for 300 s, whoever asks, and vary with the encoding only', async () => {
  const ana = await djinn.person()
  for (const name of names) {
    const anonymous = await read(name)
    const signedIn = await ana.get(`/api/system/${name}`)
    for (const { headers } of [anonymous, signedIn]) {
      assert.equal(headers['cache-control'], 'public, max-age=300')
      assert.equal(headers['vary'], 'Accept-Encoding')
    }
    assert.equal(signedIn.text, anonymous.text)
    assert.equal(signedIn.headers['etag'], anonymous.headers['etag'])
  }
})

test('the tag answers 304 without a round trip, another tag the data', async () => {
  for (const name of names) {
    const tag = (await read(name)).headers['etag']!
    const { roundTrips } = await djinn.count(async () => {
      for (const header of [tag, `W/${tag}`, `"other", ${tag}`]) {
        const { status, text, headers } = await read(name, { 'if-none-match': header })
        assert.deepEqual([status, text, headers['etag'], headers['cache-control']], [304, '', tag, 'public, max-age=300'], name)
      }
    })
    assert.equal(roundTrips, 0)
    assert.equal((await read(name, { 'if-none-match': '"other"' })).status, 200)
  }
})

test('data that an operator replaces is served within the second, and the shipped data again once it is removed', async () => {
  const shipped = await read('institutions')
  const own = [{ id: 'harbour', name: 'Harbour Bank', country: 'PT' }]
  await replace(djinn, 'institutions', own)
  assert.deepEqual((await read('institutions')).body.data, own)
  const ana = await djinn.person()
  assert.equal((await ana.post('/api/accounts', { name: 'A', kind: 'cash', currency: 'EUR', institutionId: 'harbour' })).status, 201)
  await djinn.sql(`delete from system_data where name = 'institutions'`)
  const until = performance.now() + 1_000
  while ((await read('institutions')).headers['etag'] !== shipped.headers['etag']) assert.ok(performance.now() < until)
  assert.equal((await read('institutions')).text, shipped.text)
})

test('replacing one leaves the others cached', async () => {
  const tags = await Promise.all(['currencies', 'countries'].map(async (name) => (await read(name)).headers['etag']))
  await replace(djinn, 'config/mobile', { minimumVersion: { ios: '9.0.0' } })
  const { registration, readOnly, features, ...replaced } = (await read('config/mobile')).body
  assert.deepEqual(replaced, { minimumVersion: { ios: '9.0.0' } })
  assert.deepEqual([registration, readOnly, features.imports], ['open', false, true], 'what flags say is not of the data')
  for (const [index, name] of ['currencies', 'countries'].entries()) {
    const { headers } = await read(name)
    assert.deepEqual([headers['x-cache'], headers['etag']], ['HIT', tags[index]])
  }
})

test('households founded after a replacement of the categories start with the new ones, older ones keep theirs', async () => {
  await using fresh = await open()
  const before = await fresh.person()
  const category = { key: 'only', name: 'Only one', kind: 'expense', parent: null, icon: 'home', color: '#2e7d32' }
  await replace(fresh, 'categories', [category])
  const until = performance.now() + 1_000
  for (;;) {
    const founded = await fresh.person()
    const { data } = (await founded.get('/api/categories?fields=name&limit=100')).body
    if (data.length === 1 && data[0].name === 'Only one') break
    assert.ok(performance.now() < until, `a new household has ${data.length} categories after 1 s`)
  }
  assert.ok((await before.get('/api/categories?limit=100')).body.data.length > 1)
})

test('currencies have the exponents of ISO 4217', async () => {
  const { data } = (await read('currencies')).body as { data: { code: string; exponent: number; numeric: string }[] }
  const exponents = Object.fromEntries(data.map((each) => [each.code, each.exponent]))
  assert.deepEqual(
    ['EUR', 'USD', 'JPY', 'KRW', 'BHD', 'KWD', 'CLF', 'UYW'].map((code) => exponents[code]),
    [2, 2, 0, 0, 3, 3, 4, 4],
  )
  assert.equal(new Set(data.map((each) => each.code)).size, data.length)
  assert.ok(data.every((each) => /^\d{3}$/.test(each.numeric)))
})

test('there are the 249 countries of ISO 3166-1 and time zones that exist', async () => {
  const countries = (await read('countries')).body.data as { alpha2: string; alpha3: string }[]
  assert.equal(new Set(countries.map((each) => each.alpha2)).size, 249)
  assert.equal(new Set(countries.map((each) => each.alpha3)).size, 249)
  const zones = (await read('timezones')).body.data as { id: string }[]
  for (const { id } of zones) assert.doesNotThrow(() => new Intl.DateTimeFormat('en', { timeZone: id }), id)
  for (const id of ['UTC', 'Europe/Lisbon', 'Asia/Tokyo'])
    assert.ok(
      zones.some((zone) => zone.id === id),
      id,
    )
})

test('the default categories name parents of their own kind', async () => {
  const { data } = (await read('categories')).body as { data: { key: string; kind: string; parent: string | null }[] }
  const kinds = new Map(data.map((each) => [each.key, each.kind]))
  assert.equal(kinds.size, data.length)
  for (const { key, kind, parent } of data) if (parent !== null) assert.equal(kinds.get(parent), kind, key)
})

test('there is no other system data, and no parameter to any', async () => {
  for (const name of ['secrets', 'config', 'config/', 'config/desktop', '..%2fme']) assert.equal((await read(name)).status, 404, name)
  const { status, body } = await read('countries?limit=5')
  assert.deepEqual([status, body.errors[0].pointer], [400, '?limit'])
})
