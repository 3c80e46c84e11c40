// The OFX reader against damaged, hostile and oddly written files: read whole or refused with line and reason.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { looksLikeOfx, readOfx } from '../../src/features/imports/readers/ofx.ts'
import { UnreadableFile } from '../../src/features/imports/statement.ts'
import { entry, options, read, rowsOf, sgml, statement } from './ofx-text.ts'

function refuses(text: string, reason: RegExp, line: number | null): void {
  assert.throws(
    () => read(text),
    (error) => {
      assert.ok(error instanceof UnreadableFile, String(error))
      assert.match(error.message, reason)
      assert.equal(error.line, line)
      return true
    },
  )
}

const whole = sgml(statement(entry({}) + entry({ FITID: 'F2', NAME: 'Other' })))
const lineOf = (text: string, words: string) => text.slice(0, text.indexOf(words)).split('\n').length

test('a file cut off anywhere after its first tag is refused with its last line', () => {
  const end = whole.indexOf('</OFX>')
  for (let length = whole.indexOf('<OFX>') + 6; length < end + 6; length++) {
    const cut = whole.slice(0, length)
    assert.throws(
      () => read(cut),
      (error) => {
        assert.ok(error instanceof UnreadableFile, String(error))
        assert.equal(error.line, cut.split('\n').length)
        assert.match(error.message, /cut off/)
        return true
      },
    )
  }
  assert.equal(read(whole.slice(0, end + 6)).statements[0]?.rows.length, 2)
})

test('a part missing from the middle of a file is refused', () => {
  refuses(whole.replace('</BANKTRANLIST>', ''), /^BANKTRANLIST of line 12 is not ended/, lineOf(whole, '</STMTRS>'))
  refuses(whole.replace('<BANKTRANLIST>', ''), /^<\/BANKTRANLIST> ends nothing/, lineOf(whole, '</BANKTRANLIST>'))
  refuses(whole.replace('<BANKMSGSRSV1>', ''), /^<\/BANKMSGSRSV1> ends nothing/, lineOf(whole, '</BANKMSGSRSV1>'))
})

test('an entry of XML without its end is refused, while SGML may go on with the next', () => {
  const open = (text: string) => text.replace('</STMTTRN>', '')
  assert.deepEqual(
    rowsOf(open(statement(entry({}) + entry({ FITID: 'F2' })))).map((row) => row.externalId),
    ['F1', 'F2'],
  )
  const xml = `<?xml version="1.0"?><OFX>${statement(entry({ TRNTYPE: undefined }) + entry({}), true)}</OFX>`
  assert.equal(read(xml).statements[0]?.rows.length, 2)
  assert.throws(() => read(open(xml)), UnreadableFile)
})

test('a bank’s error in place of a statement is told with its code and words', () => {
  const failed = (status: string) => sgml(`<BANKMSGSRSV1><STMTTRNRS><TRNUID>1\n<STATUS>${status}</STATUS>\n</STMTTRNRS></BANKMSGSRSV1>\n`)
  refuses(
    failed('<CODE>2003<SEVERITY>ERROR<MESSAGE>Account not found'),
    /an error in place of a statement: code "2003", "Account not found"/,
    11,
  )
  refuses(failed('<CODE>2000<SEVERITY>ERROR'), /an error in place of a statement: code "2000"\./, 11)
  const signOn = '<SIGNONMSGSRSV1><SONRS><STATUS><CODE>15500<SEVERITY>ERROR<MESSAGE>Signon invalid</STATUS></SONRS></SIGNONMSGSRSV1>'
  refuses(sgml(signOn), /The bank answers with an error: code "15500", "Signon invalid"/, 10)
})

test('one failed account refuses the whole file, and a warning is passed on', () => {
  const failed = '<BANKMSGSRSV1><STMTTRNRS><STATUS><CODE>2003<SEVERITY>ERROR</STATUS></STMTTRNRS></BANKMSGSRSV1>\n'
  assert.throws(() => read(sgml(statement(entry({})) + failed)), /code "2003"/)
  const { statements, warnings } = read(whole.replace('<SEVERITY>INFO', '<SEVERITY>WARN<MESSAGE>Older entries are missing'))
  assert.equal(statements[0]?.rows.length, 2)
  assert.deepEqual(warnings, ['The bank says: code "0", "Older entries are missing".'])
})

test('a status of 0 is no error', () => {
  assert.equal(read(whole.replace('<SEVERITY>INFO', '<SEVERITY>ERROR')).statements[0]?.rows.length, 2)
})

test('entities are not declared in files that are read, so they cannot multiply', () => {
  const bomb = '<!DOCTYPE OFX [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
  refuses(`<?xml version="1.0"?>\n${bomb}\n<OFX><NAME>&b;</NAME></OFX>`, /declares a document type or entities/, 2)
  refuses(`<?xml version="1.0"?>\n\n<!ENTITY x SYSTEM "file:///etc/hostname">\n<OFX></OFX>`, /declares a document type or entities/, 3)
  refuses(`<OFX>\n<!DOCTYPE OFX></OFX>`, /declares a document type or entities/, 2)
})

test('an entry without date or amount, or with a false one, is refused with its line', () => {
  const bad = (fields: Record<string, string | undefined>) => sgml(statement(entry({}) + entry(fields)))
  refuses(bad({ DTPOSTED: undefined }), /^STMTTRN has no date/, 14)
  refuses(bad({ DTPOSTED: '20260230' }), /^DTPOSTED is not a date: "20260230"/, 14)
  refuses(bad({ DTPOSTED: '31/01/2026' }), /^DTPOSTED is not a date/, 14)
  refuses(bad({ TRNAMT: undefined }), /^STMTTRN has no amount/, 14)
  refuses(bad({ TRNAMT: 'ten' }), /^TRNAMT is not an amount in EUR: "ten"/, 14)
  for (const amount of ['1.005', '1e3', '--1', '1,234', '1.2.3', '12,34,5', '90071992547409.92', 'NaN']) {
    refuses(bad({ TRNAMT: amount }), /^TRNAMT is not an amount in EUR/, 14)
  }
  refuses(bad({ CURRENCY: '<CURRATE>x<CURSYM>USD</CURRENCY>' }), /^TRNAMT is in USD and CURRATE does not convert it to EUR/, 14)
  refuses(bad({ ORIGCURRENCY: '<CURRATE>1<CURSYM>DEM</ORIGCURRENCY>' }), /^CURSYM has an unknown currency "DEM"/, 14)
})

test('an unknown currency is refused, and a missing one is the account’s', () => {
  refuses(whole.replace('>EUR', '>XYZ'), /^CURDEF has an unknown currency "XYZ"/, 11)
  const without = whole.replace('<CURDEF>EUR', '<CURDEF>')
  refuses(without, /names no currency/, 11)
  const { statements } = read(without, { currency: 'KWD' })
  assert.equal(statements[0]?.currency, null)
  assert.equal(statements[0].rows[0]?.amountMinor, -12340)
})

test('where CURDEF is empty, the currency of the entries is that of the statement', () => {
  const text = sgml(statement(entry({ CURRENCY: '<CURRATE>1.0000<CURSYM>AUD</CURRENCY>' })).replace('<CURDEF>EUR', '<CURDEF></CURDEF>'))
  for (const currency of [null, 'EUR']) {
    const [found] = read(text, { currency }).statements
    assert.equal(found?.currency, 'AUD')
    assert.deepEqual([found.rows[0]?.amountMinor, found.rows[0]?.original], [-1234, null])
  }
})

test('a balance among the entries, with a bare point for its amount, is left out with a warning', () => {
  const { statements, warnings } = read(
    sgml(statement(entry({}) + entry({ TRNAMT: '           .  ', FITID: '0', NAME: 'Balance of the day' }))),
  )
  assert.equal(statements[0]?.rows.length, 1)
  assert.match(warnings.join(), /^checking \.\.\.0300: balances among the entries, which name no amount, were left out \(1\)/)
})

test('a card’s statement that ends as that of an account is read', () => {
  const text = sgml(statement(entry({})).replace('<STMTRS>', '<CCSTMTRS>').replaceAll('BANKACCTFROM', 'CCACCTFROM'))
  assert.match(text, /<CCSTMTRS>[^]*<\/STMTRS>/)
  assert.deepEqual(
    read(text).statements.map(({ label, rows }) => [label, rows.length]),
    [['credit card ...0300', 1]],
  )
})

test('empty leaves, empty XML elements, comments and lower case are read', () => {
  const odd = statement(
    entry({ MEMO: '\n<CHECKNUM>\n<REFNUM>' }) + '<!-- between -->\n' + entry({ FITID: '</FITID>', MEMO: '<X/>' }),
  ).toLowerCase()
  assert.deepEqual(
    rowsOf(odd).map((row) => [row.amountMinor, row.payee, row.externalId]),
    [
      [-1234, 'shop', 'f1'],
      [-1234, 'shop', null],
    ],
  )
})

test('a file without OFX or without a statement is refused', () => {
  refuses('', /no OFX element/, null)
  refuses('OFXHEADER:100\n', /no OFX element/, null)
  refuses('<OFX></OFX>', /holds no statement/, null)
  refuses('<OFX>'.repeat(200), /nest deeper than 64 levels/, 1)
})

function readsOrRefuses(input: Uint8Array): void {
  looksLikeOfx(input)
  try {
    readOfx(input, options)
  } catch (error) {
    if (!(error instanceof UnreadableFile)) throw error
  }
}

test('whatever the bytes are, the file is read or refused', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.boolean(), (bytes, isOfx) => {
      readsOrRefuses(isOfx ? Buffer.concat([Buffer.from('<OFX>'), bytes]) : bytes)
    }),
    { numRuns: 500 },
  )
})

test('a valid file with any part replaced is read or refused', () => {
  const valid = sgml(statement(entry({ MEMO: 'x', ORIGCURRENCY: '<CURRATE>0.9<CURSYM>USD</ORIGCURRENCY>' }) + entry({})))
  const position = fc.integer({ min: 0, max: valid.length })
  const tag = fc.constantFrom('<STMTTRN>', '</STMTTRN>', '</OFX>', '<![CDATA[', '<!--', '<?', '</STMTRS>', '<CURRENCY>', '&#x110000;')
  fc.assert(
    fc.property(position, fc.nat({ max: 60 }), fc.oneof(tag, fc.string({ unit: 'binary', maxLength: 12 })), (start, length, other) => {
      readsOrRefuses(Buffer.from(valid.slice(0, start) + other + valid.slice(start + length)))
    }),
    { numRuns: 1_000 },
  )
})

test('many tiny parts are read or refused in time that grows with their number only', () => {
  for (const part of ['<', '<A', '<A>', '</A>', '<A>x', '&', '&amp;', '<!--', '<STMTTRN>', '[', ' ']) {
    readsOrRefuses(Buffer.from(sgml(part.repeat(200_000))))
    readsOrRefuses(Buffer.from(sgml(statement(entry({ NAME: 'x' + part.repeat(200_000), MEMO: 'x' + part.repeat(200_000) })))))
  }
})
