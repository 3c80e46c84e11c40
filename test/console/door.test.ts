// The console's door, tried by whoever should not come in.
import assert from 'node:assert/strict'
import { createConnection } from 'node:net'
import { text } from 'node:stream/consumers'
import { after, before, test } from 'node:test'
import { isAtHome, isLoopback, isOwnHost } from '../../src/features/console/gate.ts'
import { Operators } from '../../src/features/console/operators.ts'
import { limits } from '../../src/values/limits.ts'
import { open, type Djinn } from '../harness.ts'
import { fromAfar, openOps, refused, send, Visitor, type Ops } from './visitor.ts'

const password = 'turnip-lantern-gravel'
const data = ['live', 'operations', 'statements', 'jobs', 'flags', 'advice'].map((name) => `/console/${name}`)

let djinn: Djinn
let ops: Ops
let lines: string[]
before(async () => {
  lines = []
  djinn = await open({ OPS_PASSWORD: password, OPS_URL: 'https://ops.example.org', LOG_LEVEL: 'info' }, (line) => lines.push(line))
  ops = await openOps(djinn)
})
after(async () => {
  await ops.close()
  await djinn.close()
})

test('on the loopback everything is shown without a sign-in, and /metrics to everybody as before', async () => {
  for (const path of data) assert.equal((await send(ops.port, 'GET', path)).status, 200, path)
  assert.match((await send(ops.port, 'GET', '/metrics', { ...fromAfar, host: 'whatever:9464' })).text, /djinn_requests_total/)
})

test('without a session nothing is told to whoever comes through a proxy, whatever its headers claim', async () => {
  for (const path of data) {
    refused(await send(ops.port, 'GET', path, fromAfar), 401, 'sign-in')
    refused(await send(ops.port, 'GET', path, { 'x-forwarded-for': '127.0.0.1' }), 401, 'sign-in')
    refused(await send(ops.port, 'GET', path, { host: 'ops.example.org' }), 401, 'sign-in')
  }
  for (const header of ['forwarded', 'via', 'x-real-ip', 'x-forwarded-host', 'x-forwarded-proto']) {
    refused(await send(ops.port, 'GET', '/console/live', { [header]: '127.0.0.1' }), 401, 'sign-in')
  }
})

test('a name that was led to this address (DNS rebinding) gets nothing, not even the page', async () => {
  for (const host of [
    'evil.example',
    `evil.example:${ops.port}`,
    '127.0.0.1.evil.example',
    'localhost.evil.example',
    'a@localhost',
    'ops.example.org.evil',
  ]) {
    for (const path of ['/console/', '/console/session', ...data]) refused(await send(ops.port, 'GET', path, { host }), 421, 'foreign-host')
  }
  for (const host of [`localhost:${ops.port}`, `127.0.0.1:${ops.port}`, `[::1]:${ops.port}`, '192.0.2.7', 'ops.example.org']) {
    assert.equal((await send(ops.port, 'GET', '/console/', { host })).status, 200, host)
  }
})

test('two Host headers are none', async () => {
  const socket = createConnection(ops.port, '127.0.0.1')
  socket.end(`GET /console/live HTTP/1.1\r\nHost: 127.0.0.1:${ops.port}\r\nHost: evil.example\r\nConnection: close\r\n\r\n`)
  assert.match(await text(socket), /^HTTP\/1\.1 4(00|21) /)
})

test('a page of another origin reads nothing and causes nothing', async () => {
  for (const site of ['cross-site', 'same-site', 'none']) {
    refused(await send(ops.port, 'GET', '/console/live', { 'sec-fetch-site': site }), 403, 'cross-origin')
    refused(await send(ops.port, 'GET', '/console/session', { 'sec-fetch-site': site }), 403, 'cross-origin')
  }
  const visitor = new Visitor(ops.port)
  await visitor.get('/console/session')
  // A form can send neither JSON nor a header of ours; a script on another port of this host has all but the origin.
  const form = { origin: 'https://evil.example', 'content-type': 'application/x-www-form-urlencoded', cookie: visitor.cookie }
  refused(await send(ops.port, 'POST', '/console/jobs/discard', form, 'ids=1'), 403, 'cross-origin')
  refused(await send(ops.port, 'POST', '/console/jobs/discard', { ...form, origin: 'null' }, 'ids=1'), 403, 'cross-origin')
  for (const origin of ['https://evil.example', 'null', djinn.url, `https://127.0.0.1:${ops.port}`, `http://127.0.0.1:${ops.port}0`]) {
    refused(await visitor.change('/console/jobs/retry', { ids: [1] }, { origin }), 403, 'cross-origin')
  }
  refused(await visitor.change('/console/jobs/retry', { ids: [1] }, { 'sec-fetch-site': 'same-site' }), 403, 'cross-origin')
  const silent = { 'djinn-console-token': visitor.token, cookie: visitor.cookie, 'content-type': 'application/json' }
  refused(await send(ops.port, 'POST', '/console/jobs/retry', silent, '{"ids":[1]}'), 403, 'cross-origin')
  assert.equal((await visitor.change('/console/jobs/retry', { ids: [1] })).status, 200)
})

test('a change without the token of its own cookie is refused, also on the loopback', async () => {
  const visitor = new Visitor(ops.port)
  const other = new Visitor(ops.port)
  await visitor.get('/console/session')
  await other.get('/console/session')
  for (const token of ['', 'guessed', other.token]) {
    refused(await visitor.change('/console/jobs/retry', { ids: [1] }, { 'djinn-console-token': token }), 403, 'missing-token')
    refused(await visitor.change('/console/session', { name: 'Mallory' }, { 'djinn-console-token': token }), 403, 'missing-token')
    refused(await visitor.change('/console/session', {}, { 'djinn-console-token': token }, 'DELETE'), 403, 'missing-token')
  }
  refused(await visitor.change('/console/jobs/retry', { ids: [1] }, { cookie: '' }), 403, 'missing-token')
  const doubled = `${visitor.cookie}; ${other.cookie}`
  refused(await visitor.change('/console/jobs/retry', { ids: [1] }, { cookie: doubled }), 403, 'missing-token')
  refused(await visitor.change('/console/jobs/retry', { ids: [1] }, { 'content-type': 'text/plain' }), 415, 'unsupported-media-type')
  assert.equal((await visitor.get('/console/jobs/retry')).status, 405)
})

test('signing in opens the console, signing out closes it, and what was copied of the cookie opens nothing', async () => {
  const visitor = new Visitor(ops.port, fromAfar)
  const asked = await visitor.get('/console/session')
  assert.deepEqual([asked.body['operator'], asked.body['atHome'], asked.body['canSignIn']], [null, false, true])
  const planted = visitor.cookie
  refused(await visitor.change('/console/session', { name: 'Ana', password: 'turnip-lantern-gravel ' }), 401, 'wrong-password')
  const told = await visitor.change('/console/session', { name: 'Ana', password })
  assert.equal(told.body['operator'], 'Ana')
  const [cookie] = told.headers['set-cookie']!
  assert.match(cookie!, /^djinn_console_\d+=[\w-]{43}; Path=\/console; HttpOnly; SameSite=Strict; Max-Age=43200$/)
  assert.notEqual(visitor.cookie, planted, 'the cookie of before the sign-in is another one')
  refused(await visitor.get('/console/live', { cookie: planted }), 401, 'sign-in')
  assert.equal((await visitor.get('/console/live')).status, 200)
  const copied = visitor.cookie
  const token = visitor.token
  const out = await visitor.change('/console/session', {}, {}, 'DELETE')
  assert.equal(out.body['operator'], null)
  refused(await visitor.get('/console/live', { cookie: copied }), 401, 'sign-in')
  refused(await visitor.change('/console/jobs/retry', { ids: [1] }, { cookie: copied, 'djinn-console-token': token }), 401, 'sign-in')
  assert.ok(lines.some((line) => line.includes('an operator signed in') && line.includes('Ana')))
  assert.ok(!lines.some((line) => line.includes(password)), 'no password is in the log')
})

test('behind TLS, under the name of OPS_URL, the cookie is for TLS only and that origin is our own', async () => {
  const visitor = new Visitor(ops.port, { host: 'ops.example.org', origin: 'https://ops.example.org', 'x-forwarded-proto': 'https' })
  const told = await visitor.signIn('Ben', password)
  assert.equal(told.status, 200, told.text)
  assert.match(told.headers['set-cookie']![0]!, /; Secure$/)
  refused(await visitor.change('/console/jobs/retry', { ids: [1] }, { origin: 'http://evil.example' }), 403, 'cross-origin')
  assert.equal((await visitor.change('/console/jobs/retry', { ids: [1] })).status, 200)
})

test('a name that somebody gave on the loopback counts there only', async () => {
  const visitor = new Visitor(ops.port)
  await visitor.get('/console/session')
  assert.equal((await visitor.change('/console/session', { name: 'Cleo' })).body['operator'], 'Cleo')
  assert.equal((await visitor.get('/console/session')).body['operator'], 'Cleo')
  refused(await visitor.get('/console/live', fromAfar), 401, 'sign-in')
  for (const name of ['', ' ', 'x'.repeat(limits.consoleNameLengthMax + 1), 'a\u0007b', 7, null]) {
    refused(await visitor.change('/console/session', { name }), 400, 'invalid-request')
  }
})

test('passwords are tried ten times by one address, also all at once, and then not even the right one is heard', async () => {
  const own = await openOps(djinn)
  try {
    const visitor = new Visitor(own.port, fromAfar)
    await visitor.get('/console/session')
    const tries = Array.from({ length: limits.consoleTriesMax + 5 }, (_, number) => `wrong password ${number}`)
    const answers = await Promise.all(tries.map((each) => visitor.change('/console/session', { name: 'Mallory', password: each })))
    assert.equal(answers.filter(({ status }) => status === 401).length, limits.consoleTriesMax)
    const told = await visitor.change('/console/session', { name: 'Mallory', password })
    refused(told, 429, 'too-many-tries')
    assert.ok(Number(told.headers['retry-after']) > 0)
    assert.equal((await send(own.port, 'GET', '/console/live')).status, 200, 'who is on the machine is not locked out')
  } finally {
    await own.close()
  }
})

test('where every visitor signs in, the loopback does too; where nobody can, nobody from elsewhere is let in', async () => {
  await using strict = await open({ OPS_PASSWORD: password, OPS_SIGN_IN: 'always' })
  const closed = await openOps(strict)
  refused(await send(closed.port, 'GET', '/console/live'), 401, 'sign-in')
  const visitor = new Visitor(closed.port)
  assert.equal((await visitor.signIn('Ana', password)).status, 200)
  assert.equal((await visitor.get('/console/live')).status, 200)
  await closed.close()
  await using plain = await open()
  const unset = await openOps(plain)
  const stranger = new Visitor(unset.port, fromAfar)
  refused(await stranger.get('/console/live'), 403, 'no-sign-in')
  refused(await stranger.signIn('Ana', ''), 403, 'no-sign-in')
  refused(await stranger.signIn('Ana', 'undefined'), 403, 'no-sign-in')
  await unset.close()
})

test('sessions end: after twelve hours whatever happens, and an hour after the last call', () => {
  let nowMs = 0
  const operators = new Operators(password, () => nowMs)
  const cookie = operators.open('Ana', true, undefined)
  for (; nowMs < limits.consoleSessionMs; nowMs += limits.consoleIdleMs / 2) assert.equal(operators.find(cookie, false), 'Ana')
  assert.equal(operators.find(cookie, false), null)
  const idle = operators.open('Ana', true, undefined)
  nowMs += limits.consoleIdleMs
  assert.equal(operators.find(idle, false), null)
  const signedIn = operators.open('Ana', true, undefined)
  for (let visitor = 0; visitor < 3 * limits.consoleSessionsMax; visitor++) operators.open('of the loopback', false, undefined)
  assert.equal(operators.find(signedIn, false), 'Ana', 'names given on the loopback drive out nobody who signed in')
  assert.equal(operators.isPassword(''), false)
  assert.equal(new Operators(undefined).isPassword('undefined'), false)
})

test('only sockets of this machine are at home', () => {
  const door = { password, always: false, url: undefined }
  const at = (peer: string | undefined, host: string | undefined) => isAtHome({ peer, host, header: () => undefined }, door)
  for (const peer of ['127.0.0.1', '127.8.9.1', '::1', '::ffff:127.0.0.1']) {
    assert.ok(isLoopback(peer))
    assert.ok(at(peer, 'localhost:9464') && at(peer, '127.0.0.1') && at(peer, '[::1]:9464'))
    assert.ok(!at(peer, '192.0.2.1') && !at(peer, undefined) && !at(peer, 'ops.example.org'))
  }
  for (const peer of ['192.0.2.1', '::ffff:192.0.2.1', '10.0.0.1', '127.0.0.1.evil', '', undefined])
    assert.ok(!at(peer, 'localhost'), String(peer))
  for (const host of ['', 'localhost:', 'localhost:9464/x', 'localhost#', 'LOCALHOST:1', ' localhost', 'local host', '[::1', '::1']) {
    assert.equal(isOwnHost(host, undefined), host === 'LOCALHOST:1', host)
  }
})
