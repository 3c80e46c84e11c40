// The OFX reader against files as banks write them: SGML, XML and Quicken's, in their encodings and manners.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { looksLikeOfx, readOfx } from '../../src/features/imports/readers/ofx.ts'
import { entry, field, options, read, rowsOf, sgml, statement } from './ofx-text.ts'

const file = (name: string) => readFileSync(new URL(`files/${name}`, import.meta.url))

test('SGML without end tags is read whole, in windows-1252 as its header says', () => {
  const { format, mapping, statements, warnings } = readOfx(file('checking-sgml.ofx'), options)
  assert.equal(format, 'ofx')
  assert.equal(mapping, null)
  assert.deepEqual(warnings, [])
  const common = { status: 'posted', original: null }
  assert.deepEqual(statements, [
    {
      key: '10010010/0001234567',
      currency: 'EUR',
      label: 'checking ...4567',
      unreadable: [],
      rows: [
        {
          line: 20,
          date: '2026-02-03',
          amountMinor: -320,
          payee: 'CAFÉ CENTRAL',
          rawPayee: 'CAFÉ CENTRAL',
          note: 'Espresso',
          externalId: '20260203-0001',
          ...common,
        },
        {
          line: 28,
          date: '2026-02-05',
          amountMinor: -12000,
          payee: 'Smith & Sons',
          rawPayee: 'Smith & Sons',
          note: 'Check 1042',
          externalId: '20260205-0001',
          ...common,
        },
        {
          line: 37,
          date: '2026-02-27',
          amountMinor: 250000,
          payee: 'Example Works Ltd',
          rawPayee: 'Example Works Ltd',
          note: 'Salary € February',
          externalId: '20260227-0001',
          ...common,
        },
      ],
    },
  ])
})

test('XML with a bank account and a credit card has a statement for each', () => {
  const { format, statements } = readOfx(file('savings-and-card.ofx'), options)
  assert.equal(format, 'ofx')
  assert.deepEqual(
    statements.map(({ key, label, currency }) => [key, label, currency]),
    [
      ['20020020/555000111', 'savings ...0111', 'EUR'],
      ['4111000011112222', 'credit card ...2222', 'EUR'],
    ],
  )
  assert.deepEqual(
    statements.map(({ rows }) => rows.map((row) => [row.date, row.amountMinor, row.payee, row.externalId])),
    [
      [['2026-02-28', 107, 'Zinsen für Februar', 'S-0228-1']],
      [
        ['2026-02-10', -9250, 'Books & More', 'C-0210-1'],
        ['2026-02-15', 30000, 'Payment received', 'C-0215-1'],
      ],
    ],
  )
})

test('QFX on one line, without breaks in its header, is read', () => {
  const { format, statements } = readOfx(file('card.qfx'), options)
  assert.equal(format, 'qfx')
  assert.deepEqual(
    statements.map(({ key, label, currency }) => [key, label, currency]),
    [['xxxx-9876', 'credit card ...9876', 'USD']],
  )
  assert.deepEqual(
    statements[0]?.rows.map((row) => [row.line, row.date, row.amountMinor, row.payee]),
    [
      [1, '2024-01-31', -1234, 'CORNER DINER'],
      [1, '2024-01-30', 4500, 'REFUND'],
    ],
  )
})

test('the head of an OFX file is known, and that of other files is not taken for one', () => {
  for (const name of ['checking-sgml.ofx', 'savings-and-card.ofx', 'card.qfx']) assert.equal(looksLikeOfx(file(name)), true, name)
  assert.equal(looksLikeOfx(Buffer.from('<?xml version="1.0"?><ofx></ofx>')), true)
  for (const other of ['', '!Type:Bank\n^', 'date;ofx;amount', '<Document><BkToCstmrStmt/></Document>', '<OFXish>']) {
    assert.equal(looksLikeOfx(Buffer.from(other)), false, other)
  }
})

for (const [header, encoding] of [
  ['ENCODING:USASCII\nCHARSET:1252', 'windows-1252'],
  ['ENCODING:USASCII\nCHARSET:ISO-8859-1', 'windows-1252'],
  ['ENCODING:UTF-8\nCHARSET:NONE', 'utf-8'],
  ['ENCODING:UTF8\nCHARSET:NONE', 'utf-8'],
  ['ENCODING:UNICODE\nCHARSET:NONE', 'utf-8'],
  ['ENCODING:USASCII\nCHARSET:1252', 'utf-8'],
  ['ENCODING:USASCII\nCHARSET:NONE', 'utf-8'],
  ['ENCODING:UTF-8\nCHARSET:NONE', 'windows-1252'],
  ['ENCODING:USASCII', 'utf-16le'],
] as const) {
  test(`letters under ${header.replace('\n', ' ')} are right when the bytes are ${encoding}`, () => {
    const text = sgml(statement(entry({ NAME: 'Bäckerei Ødegård' })), header)
    const bytes =
      encoding === 'utf-8'
        ? Buffer.from(text)
        : encoding === 'utf-16le'
          ? Buffer.from(`\ufeff${text}`, 'utf16le')
          : Buffer.from(text, 'latin1')
    assert.equal(readOfx(bytes, options).statements[0]?.rows[0]?.payee, 'Bäckerei Ødegård')
  })
}

test('a code page other than the Latin ones is followed', () => {
  const text = sgml(statement(entry({ NAME: '####' })), 'ENCODING:USASCII\nCHARSET:1251')
  const bytes = Buffer.from(text).map((byte) => (byte === 0x23 ? 0xc4 : byte))
  assert.equal(readOfx(bytes, options).statements[0]?.rows[0]?.payee, 'ДДДД')
})

test('the declaration of XML is followed, unless the bytes say UTF-8', () => {
  const xml = (encoding: string) => `<?xml version="1.0" encoding="${encoding}"?>\n<OFX>${statement(entry({ NAME: '#' }), true)}</OFX>`
  const payee = (text: string, byte: number[]) => {
    const at = text.indexOf('#')
    const bytes = Buffer.concat([Buffer.from(text.slice(0, at)), Buffer.from(byte), Buffer.from(text.slice(at + 1))])
    return readOfx(bytes, options).statements[0]?.rows[0]?.payee
  }
  assert.equal(payee(xml('iso-8859-2'), [0xb9]), 'š')
  assert.equal(payee(xml('us-ascii'), [0xc3, 0xa9]), 'é')
  assert.equal(payee(xml('us-ascii'), [0xe9]), 'é')
})

test('a day is the one the bank wrote, whatever its zone and form', () => {
  const forms = {
    '20240131235959.000[-5:EST]': '2024-01-31',
    '20240101000000[+12.00:NZT]': '2024-01-01',
    '20240131': '2024-01-31',
    '202401312359': '2024-01-31',
    '20240131120000': '2024-01-31',
    '20240131120000.123': '2024-01-31',
    '20240131120000[-3:BRT]': '2024-01-31',
    '20240131120000[0:GMT': '2024-01-31',
    '20240131120000.000 GMT': '2024-01-31',
    '20240131093914:014': '2024-01-31',
    '2024-01-31': '2024-01-31',
    '2024-01-31T10:00:00Z': '2024-01-31',
    '2024-01-31T10:00:00.000+01:00': '2024-01-31',
    '20240229': '2024-02-29',
  }
  for (const [form, day] of Object.entries(forms)) assert.equal(field('date', { DTPOSTED: form }), day, form)
})

test('amounts have a point or a comma, and thousands only where they cannot be taken for decimals', () => {
  const forms = {
    '-12.34': -1234,
    '+12.34': 1234,
    '-12,34': -1234,
    '           -200,00': -20000,
    '.5': 50,
    '-0': 0,
    '12': 1200,
    '1,650.00': 165000,
    '1.400,82': 140082,
    '1 234,50': 123450,
    "1'234.50": 123450,
    '-8.95000': -895,
    '−3.10': -310,
    '1,234,567': 123456700,
    '90071992547409.91': 9007199254740991,
  }
  for (const [form, amount] of Object.entries(forms)) {
    assert.equal(field('amountMinor', { TRNAMT: form }), amount, form)
  }
  assert.equal(rowsOf(statement(entry({ TRNAMT: '-1,250' })).replace('>EUR', '>JPY'))[0]?.amountMinor, -1250)
  assert.equal(rowsOf(statement(entry({ TRNAMT: '-1.250' })).replace('>EUR', '>KWD'))[0]?.amountMinor, -1250)
})

test('the words of entities are decoded, and an ampersand of no entity stays', () => {
  assert.equal(field('payee', { NAME: 'A &amp; B' }), 'A & B')
  assert.equal(field('payee', { NAME: 'A & B; C&D' }), 'A & B; C&D')
  assert.equal(field('payee', { NAME: '&lt;b&gt; &#233;&#xE9; &quot;x&quot;' }), '<b> éé "x"')
  assert.equal(field('payee', { NAME: 'R&unknown; &#0; &#xD800;' }), 'R&unknown; &#0; &#xD800;')
  assert.equal(field('payee', { NAME: '5 < 6 <b and c> d' }), '5 < 6 <b and c> d')
  assert.equal(field('payee', { NAME: '<![CDATA[Fish & <Chips>]]>' }), 'Fish & <Chips>')
})

test('a missing, empty or zero FITID leaves the entry without an id', () => {
  assert.equal(field('externalId', { FITID: undefined }), null)
  assert.equal(field('externalId', { FITID: '' }), null)
  assert.equal(field('externalId', { FITID: '000' }), null)
})

test('entries that share a FITID are told apart when they differ, in the order of the file', () => {
  const same = entry({ FITID: 'A' })
  const text = statement(
    same + entry({ FITID: 'A', TRNAMT: '-2.00' }) + entry({ FITID: 'A~3' }) + entry({ FITID: 'A', TRNAMT: '-3.00' }) + same,
  )
  const ids = rowsOf(text).map((row) => row.externalId)
  assert.deepEqual(ids, ['A', 'A~2', 'A~3', 'A~4', 'A'])
  assert.deepEqual(
    rowsOf(text).map((row) => row.externalId),
    ids,
  )
})

test('one account in two parts is one statement', () => {
  const { statements } = read(sgml(statement(entry({ FITID: 'A' })) + statement(entry({ FITID: 'B' }))))
  assert.deepEqual(
    statements.map(({ rows }) => rows.map((row) => row.externalId)),
    [['A', 'B']],
  )
})

test('a statement with an empty list, or with none, has no rows', () => {
  assert.deepEqual(rowsOf(statement('')), [])
  assert.deepEqual(rowsOf(statement('').replace(/<BANKTRANLIST>[^]*<\/BANKTRANLIST>/, '')), [])
  assert.equal(read(sgml(statement(''))).statements.length, 1)
})

test('pending entries are pending', () => {
  const pending = '<BANKTRANLISTP><DTASOF>20260301<STMTTRNP><TRNTYPE>POS<DTTRAN>20260301<TRNAMT>-4.00<NAME>Kiosk</STMTTRNP></BANKTRANLISTP>'
  const rows = rowsOf(statement(entry({})).replace('</STMTRS>', `${pending}</STMTRS>`))
  assert.deepEqual(
    rows.map((row) => [row.status, row.date, row.amountMinor, row.externalId]),
    [
      ['posted', '2026-03-02', -1234, 'F1'],
      ['pending', '2026-03-01', -400, null],
    ],
  )
})

test('payee and note come from NAME, PAYEE, EXTDNAME and MEMO without saying a thing twice', () => {
  const both = (fields: Record<string, string | undefined>) => [field('payee', fields), field('note', fields)]
  assert.deepEqual(both({ NAME: 'Shop', MEMO: 'Shop' }), ['Shop', null])
  assert.deepEqual(both({ NAME: 'Shop', MEMO: 'Shop; receipt 7' }), ['Shop', 'receipt 7'])
  assert.deepEqual(both({ NAME: undefined, MEMO: 'Card payment' }), ['Card payment', null])
  assert.deepEqual(both({ NAME: undefined, PAYEE: '<NAME>Grocer<CITY>Town</PAYEE>', MEMO: 'x' }), ['Grocer', 'x'])
  assert.deepEqual(both({ NAME: 'LONG NAME OF A SHO', EXTDNAME: 'Long name of a shop' }), ['Long name of a shop', null])
  assert.deepEqual(both({ NAME: undefined, MEMO: undefined }), [null, null])
  assert.equal(field('rawPayee', { NAME: 'A  B\u00a0C' }), 'A  B\u00a0C')
})

test('ORIGCURRENCY gives what was paid, and CURRENCY the amount in another currency', () => {
  const currency = (name: string, symbol: string, rate: string) => ({ [name]: `<CURRATE>${rate}<CURSYM>${symbol}</${name}>` })
  assert.deepEqual(field('original', { TRNAMT: '-92.50', ...currency('ORIGCURRENCY', 'USD', '0.925') }), {
    amountMinor: -10000,
    currency: 'USD',
  })
  assert.deepEqual(field('original', { TRNAMT: '-9.00', ...currency('ORIGCURRENCY', 'JPY', '0.006') }), {
    amountMinor: -1500,
    currency: 'JPY',
  })
  assert.equal(field('original', currency('ORIGCURRENCY', 'EUR', '1.0')), null)
  assert.equal(field('original', currency('ORIGCURRENCY', 'USD', '0')), null)
  const foreign = rowsOf(statement(entry({ TRNAMT: '-10.00', ...currency('CURRENCY', 'USD', '0,9') })))[0]
  assert.deepEqual([foreign?.amountMinor, foreign?.original], [-900, { amountMinor: -1000, currency: 'USD' }])
})
