// Entity tags and preconditions, request ids, methods and the headers that every answer has.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { open, type Reply } from '../harness.ts'

const djinn = await open()
after(() => djinn.close())

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/
const tagOf = (reply: Reply) => {
  assert.match(reply.headers['etag'] ?? '', /^"[\w.-]+"$/)
  return reply.headers['etag']!
}

test('an unchanged list is 304 from the revision alone, without the list statement', async () => {
  const ana = await djinn.person()
  await ana.account()
  for (const path of ['/api/accounts', '/api/transactions', '/api/categories', '/api/transfers']) {
    const tag = tagOf(await ana.get(path))
    const { statements, roundTrips } = await djinn.count(async () => {
      const { status, text, headers } = await ana.get(path, { 'if-none-match': tag })
      assert.deepEqual([status, text, headers['etag']], [304, '', tag], path)
      assert.match(headers['vary']!, /^Accept-Encoding, Authorization, Djinn-Household/)
      assert.equal(headers['cache-control'], 'private, no-cache')
    })
    assert.deepEqual(statements, ['revisions.read'], path)
    assert.equal(roundTrips, 1)
  }
})

test('If-None-Match takes a list of tags, weak ones and the star', async () => {
  const ana = await djinn.person()
  const tag = tagOf(await ana.get('/api/accounts'))
  for (const header of [`"other", ${tag}`, `W/${tag}`, `W/"x",W/${tag} , "y"`, '*']) {
    assert.equal((await ana.get('/api/accounts', { 'if-none-match': header })).status, 304, header)
  }
  for (const header of ['"other"', tag.slice(1, -1), `${tag.slice(0, -1)}x"`, '', '""']) {
    assert.equal((await ana.get('/api/accounts', { 'if-none-match': header })).status, 200, header)
  }
})

test('any change in the household makes the tag old, a change in another does not', async () => {
  const ana = await djinn.person()
  const ben = await djinn.person()
  const tag = tagOf(await ana.get('/api/accounts'))
  await ben.account()
  assert.equal((await ana.get('/api/accounts', { 'if-none-match': tag })).status, 304)
  await ana.account()
  const changed = await ana.get('/api/accounts', { 'if-none-match': tag })
  assert.equal(changed.status, 200)
  assert.notEqual(tagOf(changed), tag)
  assert.equal(changed.body.data.length, 1)
})

test('a tag serves one address with its filters and fields, and one user', async () => {
  const ana = await djinn.person()
  const ben = await djinn.person()
  const paths = ['/api/accounts', '/api/accounts?limit=5', '/api/accounts?fields=id', '/api/categories', '/api/transactions']
  const tags = await Promise.all([...paths.map((path) => ana.get(path)), ben.get('/api/accounts')].map(async (reply) => tagOf(await reply)))
  assert.equal(new Set(tags).size, 6)
  for (const tag of tags.slice(1)) assert.equal((await ana.get('/api/accounts', { 'if-none-match': tag })).status, 200)
})

test('the tag that a write answers is that of the row read afterwards', async () => {
  const ana = await djinn.person()
  const made = await ana.post('/api/accounts', { name: 'Purse', kind: 'cash', currency: 'EUR' })
  const path = made.headers['location']!
  assert.equal((await ana.get(path, { 'if-none-match': tagOf(made) })).status, 304)
  const patched = await ana.patch(path, { name: 'Tin' })
  assert.equal((await ana.get(path, { 'if-none-match': tagOf(made) })).status, 200)
  assert.equal((await ana.get(path, { 'if-none-match': tagOf(patched) })).status, 304)
})

test('If-Match refuses a write on what changed since, and changes nothing', async () => {
  const ana = await djinn.person()
  const path = `/api/accounts/${await ana.account({ name: 'Purse' })}`
  const old = tagOf(await ana.get(path))
  await ana.patch(path, { name: 'Tin' })
  for (const reply of [await ana.patch(path, { name: 'Jar' }, { 'if-match': old }), await ana.delete(path, { 'if-match': old })]) {
    assert.deepEqual([reply.status, reply.body.code, reply.body.errors[0].pointer], [412, 'precondition-failed', 'If-Match:'])
  }
  assert.equal((await ana.get(path)).body.name, 'Tin')
})

test('If-Match passes with the current tag, with one of a list, and with the star', async () => {
  const ana = await djinn.person()
  const path = `/api/accounts/${await ana.account()}`
  let tag = tagOf(await ana.get(path))
  tag = tagOf(await ana.patch(path, { name: 'One' }, { 'if-match': tag }))
  tag = tagOf(await ana.patch(path, { name: 'Two' }, { 'if-match': `"0.old", ${tag}` }))
  assert.equal((await ana.patch(path, { name: 'Three' }, { 'if-match': '*' })).status, 200)
  assert.equal((await ana.delete(path, { 'if-match': tag })).status, 412, 'the star changed it')
  assert.equal((await ana.delete(path, { 'if-match': tagOf(await ana.get('/api/accounts')) })).status, 204, "the list's tag is as new")
})

test('If-Match with a tag that is none of ours or weak is 412', async () => {
  const ana = await djinn.person()
  const path = `/api/accounts/${await ana.account()}`
  const tag = tagOf(await ana.get(path))
  for (const header of ['"nonsense"', 'nonsense', '""', `W/${tag}`]) {
    assert.equal((await ana.patch(path, { name: 'Jar' }, { 'if-match': header })).status, 412, header)
  }
})

test('a change of another row does not make a row stale', async () => {
  const ana = await djinn.person()
  const path = `/api/accounts/${await ana.account()}`
  const tag = tagOf(await ana.get(path))
  await ana.account({ name: 'Other' })
  assert.equal((await ana.patch(path, { name: 'Jar' }, { 'if-match': tag })).status, 200)
})

test('of ten writes on one tag at once exactly one passes', async () => {
  const ana = await djinn.person()
  const path = `/api/accounts/${await ana.account()}`
  const tag = tagOf(await ana.get(path))
  const replies = await Promise.all(
    Array.from({ length: 10 }, (_, index) => ana.patch(path, { name: `Name ${index}` }, { 'if-match': tag })),
  )
  assert.deepEqual(
    replies.map((reply) => reply.status).toSorted((a, b) => a - b),
    [200, ...Array.from({ length: 9 }, () => 412)],
  )
})

test('a well-formed X-Request-Id comes back, on refusals inside the document too', async () => {
  const ana = await djinn.person()
  for (const id of ['a', 'trace-7f.3:a/b+c=_1', 'x'.repeat(128)]) {
    assert.equal((await ana.get('/api/me', { 'x-request-id': id })).headers['x-request-id'], id)
    const refused = await ana.get('/api/nothing', { 'x-request-id': id })
    assert.deepEqual([refused.headers['x-request-id'], refused.body.requestId], [id, id])
  }
})

test('any other X-Request-Id is replaced by one of ours, and each is its own', async () => {
  const seen = new Set<string>()
  for (const id of ['', 'x'.repeat(129), 'with space', '<script>', 'a"b', 'ünï']) {
    const { headers } = await djinn.call('GET', '/api/system/countries', { headers: { 'x-request-id': id } })
    assert.match(headers['x-request-id']!, uuid)
    seen.add(headers['x-request-id']!)
  }
  assert.equal(seen.size, 6)
})

test('every answer has a request id, the pages outside of the operations included', async () => {
  for (const path of ['/health', '/health/ready', '/docs', '/api/openapi.json', '/', '/metrics', '/api']) {
    const { headers } = await djinn.call('GET', path, { headers: { 'x-request-id': 'mine' } })
    assert.equal(headers['x-request-id'], 'mine', path)
    assert.equal(headers['x-content-type-options'], 'nosniff', path)
  }
})

test('HEAD answers the headers of GET and no body', async () => {
  const ana = await djinn.person()
  await ana.account()
  const get = await ana.get('/api/accounts', { 'accept-encoding': 'identity' })
  const { status, headers, text } = await ana.call('HEAD', '/api/accounts', { headers: { 'accept-encoding': 'identity' } })
  assert.deepEqual([status, text], [200, ''])
  for (const name of ['etag', 'content-type', 'content-length', 'cache-control', 'vary'])
    assert.equal(headers[name], get.headers[name], name)
})

test('a method that the path does not take is 405 with those it takes', async () => {
  const ana = await djinn.person()
  for (const [method, path, allowed] of [
    ['PUT', '/api/accounts', 'GET, HEAD, POST'],
    ['DELETE', '/api/accounts', 'GET, HEAD, POST'],
    ['OPTIONS', '/api/accounts', 'GET, HEAD, POST'],
    ['POST', `/api/accounts/${await ana.account()}`, 'GET, HEAD, PATCH, DELETE'],
    ['GET', '/api/auth/login', 'POST'],
    ['PATCH', '/api/system/currencies', 'GET, HEAD'],
  ] as const) {
    const { status, body, headers } = await ana.call(method, path)
    assert.deepEqual([status, body.code, headers['allow']], [405, 'method-not-allowed', allowed], `${method} ${path}`)
  }
  const { status, headers } = await ana.call('HEAD', '/api/auth/login')
  assert.deepEqual([status, headers['allow']], [405, 'POST'])
})

test('a path that there is not is a 404 document that repeats no query', async () => {
  const ana = await djinn.person()
  for (const path of ['/api', '/api/nothing', '/API/accounts', '/api//accounts', '/nothing', '/api/%', `/${'x'.repeat(300)}`]) {
    const { status, body } = await ana.get(`${path}?secret=1`)
    assert.deepEqual([status, body.code, body.type, body.instance], [404, 'not-found', '/docs#not-found', path])
  }
})

test('a problem has all its members and says neither stack nor SQL', async () => {
  const ana = await djinn.person()
  const { body, headers } = await ana.post('/api/accounts', { name: 1 })
  assert.deepEqual(Object.keys(body), ['type', 'title', 'status', 'detail', 'instance', 'code', 'requestId', 'errors'])
  assert.equal(body.type, '/docs#invalid-request')
  assert.equal(headers['content-type'], 'application/problem+json; charset=utf-8')
  assert.doesNotMatch(JSON.stringify(body), /select |insert |\.ts|node_modules|    at /)
})

test('Cache-Control: data is private, what carries secrets or refuses is never stored', async () => {
  const ana = await djinn.person()
  const made = await ana.post('/api/accounts', { name: 'Purse', kind: 'cash', currency: 'EUR' })
  for (const reply of [made, await ana.get('/api/accounts'), await ana.get(made.headers['location']!), await ana.get('/api/me')]) {
    assert.equal(reply.headers['cache-control'], 'private, no-cache')
  }
  const { refreshToken, email, password } = ana
  for (const reply of [
    await djinn.call('POST', '/api/auth/refresh', { body: { refreshToken } }),
    await djinn.call('POST', '/api/auth/login', { body: { email, password } }),
    await djinn.call('POST', '/api/auth/recovery', { body: { email } }),
    await djinn.call('GET', '/api/me'),
    await djinn.call('GET', '/api/nothing'),
  ]) {
    assert.equal(reply.headers['cache-control'], 'no-store')
  }
})
