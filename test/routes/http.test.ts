// Requests that are not well-formed HTTP, or that two servers could read in two ways.
import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { after, test } from 'node:test'
import { open } from '../harness.ts'
import { exchange, head, type Raw } from './wire.ts'

const djinn = await open()
after(() => djinn.close())

const ana = await djinn.person()
const authorization = `Bearer ${ana.accessToken}`
const draft = '{"name":"a","kind":"cash","currency":"EUR"}'
const post = (headers: Record<string, string>) =>
  head('POST', '/api/accounts', { Authorization: authorization, 'Content-Type': 'application/json', Connection: 'keep-alive', ...headers })

function assertProblem({ status, headers, body }: Raw, expected: number, code: string) {
  assert.equal(status, expected)
  assert.match(headers['content-type'] ?? '', /^application\/problem\+json/)
  const problem = JSON.parse(body.toString())
  assert.deepEqual([problem.status, problem.code, problem.requestId], [expected, code, headers['x-request-id']])
}

// `exchange` ends only when the server closes: each of these also shows that the connection does not live on.
for (const [what, bytes] of [
  ['both Content-Length and Transfer-Encoding', `${post({ 'Content-Length': '6', 'Transfer-Encoding': 'chunked' })}0\r\n\r\n${post({})}`],
  ['two Content-Lengths', `${post({ 'Content-Length': '43', 'content-length': '1' })}${draft}`],
  ['a negative Content-Length', `${post({ 'Content-Length': '-1' })}${draft}`],
  ['a broken chunk size', `${post({ 'Transfer-Encoding': 'chunked' })}zz\r\n${draft}\r\n0\r\n\r\n`],
  ['a Transfer-Encoding that is not chunked', `${post({ 'Transfer-Encoding': 'chunked, identity' })}0\r\n\r\n`],
  ['a space before the colon', `GET /api/accounts HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\n\r\n`],
  ['a folded header', `GET /api/accounts HTTP/1.1\r\nHost: a\r\nX-A: b\r\n c\r\n\r\n`],
  ['a bare CR in a header', `GET /api/accounts HTTP/1.1\r\nHost: a\r\nX-A: b\rX-B: c\r\n\r\n`],
  ['no method that there is', `FETCH /api/accounts HTTP/1.1\r\nHost: a\r\n\r\n`],
  ['no HTTP at all', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n'],
] as const) {
  test(`a request with ${what} is 400 and the connection ends`, async () => {
    assertProblem(await exchange(djinn.url, Buffer.from(bytes, 'latin1')), 400, 'invalid-request')
    assert.equal((await ana.get('/api/accounts')).body.data.length, 0)
  })
}

test('two Host headers are 400 and the connection ends', async () => {
  const reply = await exchange(djinn.url, `GET /api/accounts HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n`)
  assertProblem(reply, 400, 'invalid-request')
  assert.equal(JSON.parse(reply.body.toString()).errors[0].pointer, 'Host:')
})

test('no Host header is 400', async () => {
  const { status } = await exchange(djinn.url, 'GET /api/accounts HTTP/1.1\r\n\r\n')
  assert.equal(status, 400)
})

test('headers of 17 KiB are 431, of 15 KiB they are read', async () => {
  const padded = (bytes: number) => head('GET', '/api/me', { Authorization: authorization, 'X-Padding': 'x'.repeat(bytes) })
  assertProblem(await exchange(djinn.url, padded(17 * 1024)), 431, 'header-too-large')
  assert.equal((await exchange(djinn.url, padded(15 * 1024))).status, 200)
})

test('CONNECT opens no tunnel', async () => {
  const { status } = await exchange(djinn.url, 'CONNECT 127.0.0.1:22 HTTP/1.1\r\nHost: 127.0.0.1:22\r\n\r\n')
  assert.ok(Number.isNaN(status) || status >= 400, `answered ${status}`)
})

test('a body shorter than announced is cut off without an effect', async () => {
  const { hostname, port } = new URL(djinn.url)
  const socket = connect(Number(port), hostname)
  socket.end(post({ 'Content-Length': '500' }) + draft)
  await new Promise((resolve) => socket.once('close', resolve).resume())
  assert.deepEqual(await djinn.sql('select 1 from accounts'), [])
})
