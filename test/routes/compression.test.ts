// Compressed answers: from 1,024 bytes on, as the caller asks, and readable again.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import zlib from 'node:zlib'
import { open } from '../harness.ts'
import { exchange, head } from './wire.ts'

const djinn = await open()
after(() => djinn.close())

const ana = await djinn.person()
/** An account whose `?fields=note` answers exactly so many bytes. */
const sized = async (bytes: number) => `/api/accounts/${await ana.account({ note: 'x'.repeat(bytes - '{"note":""}'.length) })}?fields=note`
const large = await sized(1_024)
const small = await sized(1_023)
const get = (path: string, acceptEncoding?: string, method = 'GET') =>
  exchange(
    djinn.url,
    head(method, path, {
      Authorization: `Bearer ${ana.accessToken}`,
      ...(acceptEncoding === undefined ? {} : { 'Accept-Encoding': acceptEncoding }),
    }),
  )
const decoders = { gzip: zlib.gunzipSync, br: zlib.brotliDecompressSync, zstd: zlib.zstdDecompressSync }

for (const encoding of ['gzip', 'br', 'zstd'] as const) {
  test(`1,024 bytes are sent as ${encoding} to who asks for it, 1,023 never`, async () => {
    const plain = await get(large)
    assert.deepEqual([plain.body.length, plain.headers['content-encoding']], [1_024, undefined])
    const packed = await get(large, encoding)
    assert.equal(packed.headers['content-encoding'], encoding)
    assert.equal(Number(packed.headers['content-length']), packed.body.length)
    assert.ok(packed.body.length < 200)
    assert.deepEqual(decoders[encoding](packed.body), plain.body)
    const short = await get(small, encoding)
    assert.deepEqual([short.body.length, short.headers['content-encoding']], [1_023, undefined])
  })
}

test('gzip is of level 5', async () => {
  for (let row = 0; row < 25; row++) await ana.account({ name: `Account ${row * 7919}`, note: `${row}: ${'lorem ipsum '.repeat(row)}` })
  const path = '/api/accounts?limit=100'
  const [plain, packed] = [await get(path), await get(path, 'gzip')]
  assert.deepEqual(packed.body, zlib.gzipSync(plain.body, { level: 5 }))
  assert.notEqual(packed.body.length, zlib.gzipSync(plain.body, { level: 9 }).length, 'the levels can be told apart here')
})

test('an answer of more than 16 KiB is compressed whole as well', async () => {
  for (let row = 0; row < 10; row++) await ana.account({ note: `${row}`.repeat(2_000) })
  const path = '/api/accounts?limit=100'
  const plain = await get(path)
  assert.ok(plain.body.length > 16 * 1024, `${plain.body.length} bytes`)
  for (const encoding of ['gzip', 'br', 'zstd'] as const) {
    const packed = await get(path, encoding)
    assert.equal(packed.headers['content-encoding'], encoding)
    assert.deepEqual(decoders[encoding](packed.body), plain.body)
  }
})

for (const [accepted, encoding] of [
  [undefined, undefined],
  ['', undefined],
  ['identity', undefined],
  ['deflate', undefined],
  ['gzip;q=0', undefined],
  ['gzip;q=0, *;q=0', undefined],
  ['gzip;q=0.5, identity', undefined],
  ['*', 'gzip'],
  ['*;q=0.1, gzip;q=0', undefined],
  ['GZIP', 'gzip'],
  ['gzip;q=0.001', 'gzip'],
  ['deflate, gzip;q=1.0, br;q=0.9', 'gzip'],
  ['gzip;q=0.8, br;q=0.9', 'br'],
  ['br , zstd;q=0', 'br'],
  ['gzip;q=0.5, zstd;q=0.5;x=y', 'zstd'],
  ['gzip, deflate, br, zstd', 'zstd'],
] as const) {
  test(`Accept-Encoding ${accepted === undefined ? 'missing' : `"${accepted}"`} is answered ${encoding ?? 'plain'}`, async () => {
    const { status, headers } = await get(large, accepted)
    assert.equal(status, 200)
    assert.equal(headers['content-encoding'], encoding)
    assert.match(headers['vary'] ?? '', /Accept-Encoding/)
  })
}

test('HEAD says what GET would send', async () => {
  const [got, asked] = [await get(large, 'gzip'), await get(large, 'gzip', 'HEAD')]
  assert.equal(asked.body.length, 0)
  for (const name of ['content-encoding', 'content-length', 'etag']) assert.equal(asked.headers[name], got.headers[name], name)
})

test('the document and the docs are compressed too', async () => {
  for (const path of ['/api/openapi.json', '/docs']) {
    const [plain, packed] = [await get(path), await get(path, 'gzip')]
    assert.equal(packed.headers['content-encoding'], 'gzip')
    assert.match(packed.headers['vary'] ?? '', /Accept-Encoding/)
    assert.deepEqual(zlib.gunzipSync(packed.body), plain.body)
  }
})
