// What a request must not be: every deviation is refused with a place and a code, and nothing is written.
import assert from 'node:assert/strict'
import { after, afterEach, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { open, type Reply } from '../harness.ts'
import { exchange, head } from './wire.ts'

const djinn = await open()
after(() => djinn.close())

const ana = await djinn.person()
const json = { 'content-type': 'application/json' }
const send = (raw: string | Buffer, headers: Record<string, string> = json) => ana.call('POST', '/api/accounts', { raw, headers })
const account = (members: string) => send(`{"kind":"cash","currency":"EUR",${members}}`)
const withBalance = (value: string) => account(`"name":"Purse","openingBalance":${value}`)

afterEach(async () => {
  assert.deepEqual(await djinn.sql('select name from accounts'), [], 'what is refused is not written')
})

function assertRefused({ status, body, headers, text }: Reply, code: string, points: [string, string][], expected = 400) {
  assert.equal(status, expected, text)
  assert.match(headers['content-type'] ?? '', /^application\/problem\+json/)
  assert.equal(body.code, code)
  assert.deepEqual(
    body.errors.map((each: { pointer: string; code: string }) => [each.pointer, each.code]),
    points,
  )
  assert.equal(body.requestId, headers['x-request-id'])
  assert.equal(body.instance, '/api/accounts')
}

for (const value of ['"1"', 'true', 'false', 'null', '[1]', '{}', '1.5', '""', '"0x10"']) {
  test(`an amount of ${value} is not coerced`, async () => {
    assertRefused(await withBalance(value), 'invalid-request', [['/openingBalance', 'wrong-type']])
  })
}

for (const value of ['9007199254740992', '9007199254740993', '-9007199254740993', '1e400', '-1e400', `1${'0'.repeat(400)}`]) {
  test(`an amount of ${value.slice(0, 30)} is out of range`, async () => {
    assertRefused(await withBalance(value), 'invalid-json', [['/openingBalance', 'out-of-range']])
  })
}

test('an amount of 1e300 is whole and still out of range', async () => {
  const { status, body } = await withBalance('1e300')
  assert.equal(status, 400)
  assert.deepEqual([body.code, body.errors[0].pointer], ['invalid-request', '/openingBalance'])
})

for (const value of ['NaN', 'Infinity', '01', '+1', '.5', '1.', '0x10', "'1'", 'undefined', '1,', '// 1']) {
  test(`${value} is not JSON`, async () => {
    const { status, body } = await withBalance(value)
    assert.deepEqual([status, body.code], [400, 'invalid-json'])
    assert.match(body.detail, /line 1, column \d+/)
  })
}

for (const [what, members, pointer] of [
  ['a key twice', '"name":"a","name":"b"', '/name'],
  ['a key twice under an escape', '"name":"a","n\\u0061me":"b"', '/name'],
  ['__proto__', '"name":"a","__proto__":{"admin":true}', '/__proto__'],
  ['an escaped __proto__', '"name":"a","\\u005f_proto__":{}', '/__proto__'],
  ['NUL', '"name":"a\\u0000b"', '/name'],
  ['a high surrogate alone', '"name":"\\ud83d"', '/name'],
  ['a low surrogate alone', '"name":"\\ude00 "', '/name'],
  ['surrogates the wrong way round', '"name":"\\ude00\\ud83d"', '/name'],
  ['a raw line end in a text', '"name":"a\nb"', '/name'],
  ['an escape that there is not', '"name":"\\x41"', '/name'],
] as const) {
  test(`${what} is refused with its place`, async () => {
    assertRefused(await account(members), 'invalid-json', [[pointer, 'invalid-json']])
  })
}

for (const [field, value] of [
  ['constructor', '{}'],
  ['toString', '1'],
  ['balance', '5'],
  ['pendingBalance', '5'],
  ['revision', '1'],
  ['householdId', '"0192f0c0-0000-7000-8000-000000000000"'],
  ['Name', '"a"'],
  ['a/b~c', '1'],
] as const) {
  test(`the field ${field} is unknown`, async () => {
    const pointer = `/${field.replaceAll('~', '~0').replaceAll('/', '~1')}`
    assertRefused(await account(`"name":"a","${field}":${value}`), 'invalid-request', [[pointer, 'unknown-field']])
  })
}

test('every wrong place is named at once', async () => {
  assertRefused(await send('{"name":7,"currency":"XXY","extra":1}'), 'invalid-request', [
    ['/name', 'wrong-type'],
    ['/kind', 'required'],
    ['/currency', 'unknown-currency'],
    ['/extra', 'unknown-field'],
  ])
})

for (const [what, raw] of [
  ['null', 'null'],
  ['a list', '[]'],
  ['a number', '1'],
  ['a text', '"name"'],
] as const) {
  test(`a body that is ${what} is of the wrong type`, async () => {
    assertRefused(await send(raw), 'invalid-request', [['', 'wrong-type']])
  })
}

test('an empty body misses every required field', async () => {
  const missing: [string, string][] = [
    ['/name', 'required'],
    ['/kind', 'required'],
    ['/currency', 'required'],
  ]
  assertRefused(await send(''), 'invalid-request', missing)
  assertRefused(await ana.post('/api/accounts'), 'invalid-request', missing)
})

for (const [what, raw] of [
  ['white space only', ' \n '],
  ['text after the value', '{"name":"a","kind":"cash","currency":"EUR"} {}'],
  ['half a value', '{"name":"a","kind":'],
  ['a byte order mark', '\ufeff{"name":"a","kind":"cash","currency":"EUR"}'],
  ['5,000 lists inside each other', `{"name":${'['.repeat(5_000)}${']'.repeat(5_000)}}`],
  ['60,000 keys', `{${Array.from({ length: 60_000 }, (_, index) => `"k${index}":1`).join(',')}}`],
  ['bytes that are no UTF-8', Buffer.from('{"name":"\xff\xfe","kind":"cash","currency":"EUR"}', 'latin1')],
] as const) {
  test(`a body with ${what} is refused`, async () => {
    const { status, body } = await send(raw)
    assert.deepEqual([status, body.code, body.errors.length], [400, 'invalid-json', 1])
  })
}

const draft = '{"name":"a","kind":"cash","currency":"EUR"}'
for (const mediaType of [
  'text/plain',
  'application/x-www-form-urlencoded',
  'application/octet-stream',
  'application/jsonp',
  'multipart/form-data; boundary=x',
  'json',
  '',
]) {
  test(`a body sent as "${mediaType}" is 415`, async () => {
    assertRefused(
      await send(draft, { 'content-type': mediaType }),
      'unsupported-media-type',
      [['Content-Type:', 'unsupported-media-type']],
      415,
    )
  })
}

test('a body without a media type is 415', async () => {
  const { status, body } = await exchange(
    djinn.url,
    head('POST', '/api/accounts', { Authorization: `Bearer ${ana.accessToken}`, 'Content-Length': String(draft.length) }) + draft,
  )
  assert.deepEqual([status, JSON.parse(body.toString()).code], [415, 'unsupported-media-type'])
})

for (const encoding of ['gzip', 'br', 'deflate', 'identity, gzip']) {
  test(`a body with Content-Encoding ${encoding} is 415`, async () => {
    const reply = await send(gzipSync(draft), { ...json, 'content-encoding': encoding })
    assertRefused(reply, 'unsupported-media-type', [['Content-Encoding:', 'unsupported-media-type']], 415)
  })
}

test('a body of 1 MiB is read, one byte more is 413', async () => {
  const sized = (bytes: number) => `{"name":"${'x'.repeat(bytes - 11)}"}`
  const most = await send(sized(1024 * 1024))
  assert.deepEqual([most.status, most.body.errors[0].pointer, most.body.errors[0].code], [400, '/name', 'too-large'])
  assertRefused(await send(sized(1024 * 1024 + 1)), 'too-large', [], 413)
})

test('a body over 1 MiB is 413 also when its length is not announced', async () => {
  const chunk = `10000\r\n${'x'.repeat(65_536)}\r\n`
  const start = head('POST', '/api/accounts', {
    Authorization: `Bearer ${ana.accessToken}`,
    'Content-Type': 'application/json',
    'Transfer-Encoding': 'chunked',
  })
  const { status, body } = await exchange(djinn.url, start + chunk.repeat(17) + '0\r\n\r\n')
  assert.deepEqual([status, JSON.parse(body.toString()).code], [413, 'too-large'])
})

for (const [query, pointer, code] of [
  ['limit=0', '?limit', 'out-of-range'],
  ['limit=101', '?limit', 'out-of-range'],
  ['limit=-1', '?limit', 'out-of-range'],
  ['limit=1e1', '?limit', 'malformed'],
  ['limit=+5', '?limit', 'malformed'],
  ['limit=', '?limit', 'malformed'],
  ['limit=1000000000000000000000', '?limit', 'malformed'],
  ['limit=5&limit=5', '?limit', 'repeated'],
  ['cursor=%00', '?cursor', 'control-character'],
  ['fields=name,secret', '?fields', 'unknown-field'],
  ['fields=', '?fields', 'too-small'],
  ['nonsense=1', '?nonsense', 'unknown-field'],
  ['__proto__=1', '?__proto__', 'unknown-field'],
  ['constructor=1', '?constructor', 'unknown-field'],
] as const) {
  test(`the query ${query} is 400`, async () => {
    assertRefused(await ana.get(`/api/accounts?${query}`), 'invalid-request', [[pointer, code]])
  })
}

test('NUL in a search is 400', async () => {
  const { status, body } = await ana.get('/api/transactions?q=a%00b')
  assert.deepEqual([status, body.errors[0].pointer], [400, '?q'])
})

for (const id of [
  'x',
  '%00',
  '0192F0C0-0000-7000-8000-000000000000',
  '0192f0c0-0000-7000-8000-00000000000',
  '0192f0c0-0000-0000-8000-000000000000',
]) {
  test(`the id ${id} in a path is 400`, async () => {
    const { status, body } = await ana.get(`/api/accounts/${id}`)
    assert.deepEqual([status, body.errors[0].pointer, body.errors[0].code], [400, '/path/id', 'malformed-id'])
  })
}
