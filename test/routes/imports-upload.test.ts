// How a bank's file comes in: as octets or as a form, and what is refused with nothing stored.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, test } from 'node:test'
import { limits } from '../../src/values/limits.ts'
import { open, type Person } from '../harness.ts'
import { coffee, csv, ofx, previewFile, refused } from './import-files.ts'

const djinn = await open()
after(() => djinn.close())
const ana = await djinn.person()
const account = await ana.account()

/** A form as a browser sends it. */
async function form(parts: [name: string, value: string | Blob, fileName?: string][], path = `/api/imports?accountId=${account}`) {
  const data = new FormData()
  for (const [name, value, fileName] of parts) {
    if (typeof value === 'string') data.append(name, value)
    else data.append(name, value, fileName)
  }
  const encoded = new Response(data)
  const headers = { 'content-type': encoded.headers.get('content-type')! }
  return await ana.call('POST', path, { raw: Buffer.from(await encoded.arrayBuffer()), headers })
}

async function stored(person: Person = ana): Promise<number[]> {
  const [counts] = await djinn.sql<{ counts: string[] }>(
    `select array[(select count(*) from imports where household_id = $1), (select count(*) from import_rows where household_id = $1),
      (select count(*) from import_files where household_id = $1), (select count(*) from transactions where household_id = $1)] as counts`,
    [person.householdId],
  )
  return counts!.counts.map(Number)
}

/** Runs an upload that must leave nothing behind. */
async function leavesNothing(work: () => Promise<unknown>) {
  const before = await stored()
  await work()
  assert.deepEqual(await stored(), before)
}

test('a form brings the file in its part named file, and the import keeps its name and digest', async () => {
  const text = csv(coffee)
  const { status, body, headers } = await form([['file', new Blob([text], { type: 'text/csv' }), 'März 2026.csv']])
  assert.equal(status, 201)
  assert.equal(body.fileName, 'März 2026.csv')
  assert.equal(body.fileDigest, createHash('sha256').update(text).digest('hex'))
  assert.equal(body.summary.new, 1)
  assert.equal(headers['location'], `/api/imports/${body.id}`)
  const octets = await previewFile(ana, account, text)
  assert.equal(octets.fileName, null)
  assert.equal(octets.fileDigest, body.fileDigest)
})

test('a form without the part, with the file under another name, or without its boundary is refused', () =>
  leavesNothing(async () => {
    refused(await form([['upload', new Blob([csv(coffee)]), 'a.csv']]), 400, 'invalid-request', '/upload')
    refused(await form([['file', csv(coffee)]]), 400, 'invalid-request', '/file')
    const file = new Blob([csv(coffee)])
    const [named, extra] = [
      await form([
        ['file', file, 'a.csv'],
        ['format', 'csv'],
      ]),
      await form([
        ['accountId', account],
        ['file', file, 'a.csv'],
      ]),
    ]
    refused(named, 400, 'invalid-request', '/format')
    refused(extra, 400, 'invalid-request', '/accountId')
    refused(await form([]), 400, 'invalid-request')
    const headers = { 'content-type': 'multipart/form-data' }
    refused(await ana.call('POST', '/api/imports', { raw: csv(coffee), headers }), 400, 'invalid-request')
    const cut = await ana.call('POST', '/api/imports', { raw: '--x\r\n', headers: { 'content-type': 'multipart/form-data; boundary=x' } })
    refused(cut, 400, 'invalid-request')
  }))

test('a file name is kept without control characters and halves of characters', async () => {
  const name = `a\u0000b\u0007${'x'.repeat(252)}😀.csv`
  const crafted = `--x\r\ncontent-disposition: form-data; name="file"; filename*=utf-8''${encodeURIComponent(name)}\r\n\r\n${csv(coffee)}\r\n--x--\r\n`
  const headers = { 'content-type': 'multipart/form-data; boundary=x' }
  const { status, body, text } = await ana.call('POST', `/api/imports?accountId=${account}`, { raw: crafted, headers })
  assert.equal(status, 201, text)
  assert.equal(body.fileName, `ab${'x'.repeat(252)}\ufffd`)
})

test('two files in one form are refused', () =>
  leavesNothing(async () => {
    const file = new Blob([csv(coffee)])
    const { status } = await form([
      ['file', file, 'a.csv'],
      ['file', file, 'b.csv'],
    ])
    assert.equal(status, 400)
  }))

test('a file over 10 MiB is refused as octets and as a form, and one of just 10 MiB is read', async () => {
  const most = ofx('1', 'EUR', coffee).padEnd(limits.importBytesMax, '\n')
  await leavesNothing(async () => {
    refused(await ana.upload(`/api/imports?accountId=${account}`, `${most}\n`), 413, 'too-large')
    refused(await ana.upload(`/api/imports?accountId=${account}`, most.padEnd(limits.importBytesMax * 1.5, '\n')), 413, 'too-large')
    refused(await form([['file', new Blob([`${most}\n`]), 'big.csv']]), 413, 'too-large')
  })
  assert.equal((await previewFile(ana, account, most)).rows.length, 1)
  const { status, body } = await form([['file', new Blob([most]), 'big.csv']])
  assert.equal(status, 201)
  assert.equal(body.rows.length, 1)
})

test('a file of more rows than an import takes is refused', () =>
  leavesNothing(async () => {
    const many = csv(...Array.from({ length: limits.importRowsMax + 1 }, () => coffee))
    refused(await ana.upload(`/api/imports?accountId=${account}`, many), 422, 'import-too-many-rows')
  }))

const unreadable: [what: string, content: string | Buffer, line: number | null, reason: RegExp][] = [
  ['an empty file', '', null, /empty/],
  ['a picture', Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13]), null, /none of|cannot be read|no /],
  ['OFX cut off', ofx('1', 'EUR', coffee).slice(0, -10), 9, /cut off/],
  ['OFX with a false amount', ofx('1', 'EUR', coffee, ['2026-02-03', 'free', 'Gift']), 10, /^TRNAMT is not an amount in EUR: "free"/],
  ['OFX with entity bombs', `<?xml version="1.0"?>\n<!DOCTYPE a [<!ENTITY a "b">]>\n<OFX></OFX>`, 2, /declares a document type/],
  [
    'CAMT.053 with a document type',
    '<?xml version="1.0"?>\n<!DOCTYPE a>\n<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"/>',
    2,
    /type/,
  ],
  ['MT940 with a false entry', ':20:X\n:25:1\n:28C:1\n:60F:C260201EUR1,00\n:61:what\n:62F:C260201EUR1,00\n-\n', 5, /./],
  ['CSV without any date', 'A,B,C\nx,y,z\n', 1, /dates/],
]
for (const [what, content, line, reason] of unreadable) {
  test(`${what} is refused with line and reason, and nothing is stored`, () =>
    leavesNothing(async () => {
      const reply = await ana.upload(`/api/imports?accountId=${account}`, content)
      refused(reply, 422, 'import-unreadable', '/file')
      assert.equal(reply.body.line, line, reply.text)
      assert.match(reply.body.reason, reason)
      assert.equal(reply.body.detail, line === null ? reply.body.reason : `Line ${line}: ${reply.body.reason}`)
    }))
}

test('the account must be one of the household, open, and in the currency of the file', () =>
  leavesNothing(async () => {
    const strangers = await (await djinn.person()).account()
    const closed = await ana.account()
    assert.equal((await ana.patch(`/api/accounts/${closed}`, { closedAt: '2026-02-01T00:00:00Z' })).status, 200)
    const text = ofx('1', 'EUR', coffee)
    refused(await ana.upload(`/api/imports?accountId=${strangers}`, text), 404, 'account-not-found', '?accountId')
    refused(await ana.upload('/api/imports?accountId=019b76da-a800-7000-8000-000000000000', text), 404, 'account-not-found', '?accountId')
    refused(await ana.upload(`/api/imports?accountId=${closed}`, text), 409, 'account-closed', '?accountId')
    refused(await ana.upload(`/api/imports?accountId=${account}`, ofx('1', 'USD', coffee)), 422, 'currency-mismatch', '?accountId')
    refused(await ana.upload('/api/imports?accountId=checking', text), 400, 'invalid-request', '?accountId')
    refused(await ana.upload('/api/imports?account=1', text), 400, 'invalid-request', '?account')
  }))

test('a cut within a character of two units leaves no half of it', async () => {
  const long = `${'x'.repeat(199)}😀 and more`
  const own = await ana.account()
  const preview = await previewFile(ana, own, csv(['2026-02-03', '-1.00', long], ['2026-02-31', '-1.00', `${'y'.repeat(400)}😀😀`]))
  assert.equal(preview.rows[0].transaction.payee, 'x'.repeat(199))
  assert.equal(preview.rows[0].transaction.rawPayee, long)
  assert.equal(preview.rows[1].status, 'error')
  assert.equal((await ana.post(`/api/imports/${preview.id}/commit`, { skipErrors: true })).body.created, 1)
})

test('a sent key makes an upload once', async () => {
  const headers = { 'content-type': 'application/octet-stream', 'idempotency-key': 'upload-1' }
  const send = () => ana.call('POST', `/api/imports?accountId=${account}`, { raw: csv(coffee), headers })
  const [first, before] = [await send(), await stored()]
  const second = await send()
  assert.equal(second.status, 201)
  assert.equal(second.headers['idempotency-replayed'], 'true')
  assert.equal(second.body.id, first.body.id)
  assert.deepEqual(await stored(), before)
  await djinn.verify()
})
