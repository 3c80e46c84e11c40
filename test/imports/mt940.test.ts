// MT940: what the reader takes from statements of many banks, and what it refuses.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { looksLikeMt940, readMt940 } from '../../src/features/imports/readers/mt940.ts'
import { UnreadableFile, type ReadOptions } from '../../src/features/imports/statement.ts'

const exponents = new Map([
  ['EUR', 2],
  ['USD', 2],
  ['PLN', 2],
  ['HUF', 2],
  ['JPY', 0],
])
const options: ReadOptions = { exponentOf: (currency) => exponents.get(currency), currency: null }
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const read = (text: string) => readMt940(bytes(text), options)

/** A statement whose balances fit when its entries sum to nothing. */
function file(lines: string, account = '123456789', currency = 'EUR'): string {
  return `:20:STARTUMSE
:25:${account}
:28C:1/1
:60F:C260301${currency}100,00
${lines}
:62F:C260331${currency}100,00
-
`
}

function only(lines: string) {
  const rows = read(file(lines)).statements[0]?.rows ?? []
  assert.equal(rows.length, 1)
  const [row] = rows
  assert.ok(row)
  return row
}

/** The payee and note of an entry with this :86: text. */
function words(narrative: string, line = ':61:2603020302D1,00NTRFNONREF') {
  const { payee, note } = only(`${line}\n:86:${narrative}`)
  return [payee, note]
}

function refuses(text: string, reason: RegExp, line?: number | null): void {
  assert.throws(
    () => read(text),
    (error) => {
      assert.ok(error instanceof UnreadableFile, String(error))
      assert.match(error.message, reason)
      if (line !== undefined) assert.equal(error.line, line)
      return true
    },
  )
}

test('an entry is read with its date of booking, amount, party, note and the bank’s reference', () => {
  const lines = `:61:2603010302DR12,5NTRFKREF+//BANK0042X17
:86:105?00LASTSCHRIFT?20EREF+E-1?21SVWZ+Electricity March?32CITY POWER
:61:2603030303C12,50NTRFNONREF
:86:Refund`
  assert.deepEqual(read(file(lines)), {
    format: 'mt940',
    mapping: null,
    warnings: [],
    statements: [
      {
        key: '123456789',
        currency: 'EUR',
        label: null,
        unreadable: [],
        rows: [
          {
            line: 5,
            date: '2026-03-02',
            amountMinor: -1250,
            payee: 'CITY POWER',
            rawPayee: 'CITY POWER',
            note: 'Electricity March',
            externalId: 'BANK0042X17',
            status: 'posted',
            original: null,
          },
          {
            line: 7,
            date: '2026-03-03',
            amountMinor: 1250,
            payee: 'Refund',
            rawPayee: 'Refund',
            note: null,
            externalId: null,
            status: 'posted',
            original: null,
          },
        ],
      },
    ],
  })
})

test('marks say whether money comes or goes, reversals and expected entries included', () => {
  const marks = ['C', 'D', 'RC', 'RD', 'EC', 'ED', 'CR', 'DR', 'RCR', 'RDR']
  const rows = read(file(marks.map((mark) => `:61:260302${mark}1,NTRFNONREF`).join('\n'))).statements[0]?.rows ?? []
  assert.deepEqual(
    rows.map((row) => row.amountMinor),
    [100, -100, -100, 100, 100, -100, 100, -100, -100, 100],
  )
  assert.deepEqual(rows.map((row) => row.status).indexOf('pending'), 4)
  assert.deepEqual(rows.filter((row) => row.status === 'pending').length, 2)
})

test('amounts may leave out the digits before or behind the comma', () => {
  const amounts = ['12,', ',50', '12,5', '000000000012,34', '12']
  const rows = read(file(amounts.map((amount) => `:61:260302C${amount}NTRFX`).join('\n'))).statements[0]?.rows ?? []
  assert.deepEqual(
    rows.map((row) => row.amountMinor),
    [1200, 50, 1250, 1234, 1200],
  )
})

test('a booking on the other side of New Year gets the nearer year', () => {
  assert.equal(only(':61:2512310102C1,NTRFX').date, '2026-01-02')
  assert.equal(only(':61:2601021231C1,NTRFX').date, '2025-12-31')
})

test('years from 80 are of the last century', () => {
  assert.equal(only(':61:991231C1,NTRFX').date, '1999-12-31')
  assert.equal(only(':61:791231C1,NTRFX').date, '2079-12-31')
})

test('30 February, the value date of months of 30 days, is the last day of the month', () => {
  assert.equal(only(':61:260230C1,NTRFX').date, '2026-02-28')
  assert.equal(only(':61:2602300301C1,NTRFX').date, '2026-03-01')
})

test('a bank reference is an id only when it is unique and no counter or placeholder', () => {
  const lines = ['REF1234567', 'SAME12345', 'SAME12345', 'NONREF', '00000000', '0000000017']
  const text = lines.map((reference) => `:61:260302C1,NTRFX//${reference}`).join('\n')
  const rows = read(file(text)).statements[0]?.rows ?? []
  assert.deepEqual(
    rows.map((row) => row.externalId),
    ['REF1234567', null, null, null, null, null],
  )
})

test('envelopes, bank headers, control characters and blank lines are passed over', () => {
  const one = file(':61:260302C1,NTRFX')
  const swift = `{1:F01TESTNL2AXXXX0000000000}{2:O940TESTNL2AXXXXN}{3:}{4:\n${one.trimEnd()}}{5:}`
  assert.equal(read(swift).statements[0]?.rows.length, 1)
  const dutch = `ABNANL2A\r\n940\r\nABNANL2A\r\n${file(':61:260302C1,NTRFX\n\n').replaceAll('\n', '\r\n')}`
  assert.equal(read(dutch).statements[0]?.rows.length, 1)
  assert.equal(read(`\u0001\n${file(':61:260302C1,NTRFX')}\u0003`).statements[0]?.rows.length, 1)
})

test('pages and statements of one account are joined', () => {
  const page = (from: string, to: string): string =>
    `:20:X\n:25:123\n:28C:1/1\n:${from}:C260301EUR0,\n:61:260302C1,NTRFX\n:${to}:C260302EUR1,\n-\n`
  const result = read(page('60F', '62M') + page('60M', '62F') + file('', '999'))
  assert.deepEqual(
    result.statements.map((each) => [each.key, each.rows.length]),
    [
      ['123', 2],
      ['999', 0],
    ],
  )
})

test('the account is cleaned of blanks and of the currency behind it', () => {
  const key = (account: string): string | undefined => read(file('', account)).statements[0]?.key
  assert.equal(key('NL02RABO0123456789 EUR'), 'NL02RABO0123456789')
  assert.equal(key('1234.56.789EUR'), '1234.56.789')
  assert.equal(key('50050000/1234567'), '50050000/1234567')
  assert.equal(key('TESTHUHB/0123/EUR'), 'TESTHUHB/0123')
})

test('balances that do not fit the entries give a warning with both figures', () => {
  const { warnings } = read(file(':61:260302C1,NTRFX'))
  assert.equal(warnings.length, 1)
  assert.match(warnings[0] ?? '', /101\.00 EUR.*100\.00 EUR/)
})

test('the words behind a closing balance belong to no entry', () => {
  const text = file(':61:260302C1,NTRFX').replace('-\n', ':64:C260331EUR1,\n:86:sum of the day\n-\n')
  assert.equal(read(text).statements[0]?.rows[0]?.note, null)
})

test('German subfields cut at 27 characters are joined, and labels keep references out of the note', () => {
  assert.deepEqual(
    words(`166?00GUTSCHRIFT?20EREF+INVOICE-2026-0000000017?21MREF+M1?22CRED+DE98ZZZ09999999999
?23SVWZ+Rent for the flat in ?24March and April?30TESTDEFF?31DE02120300000000202051
?32Maria Magdalena Mustermann-?33Musterfrau?34000?60and the garage`),
    ['Maria Magdalena Mustermann-Musterfrau', 'Rent for the flat in March and April and the garage'],
  )
})

test('a line end within a subfield or its number is no part of the text', () => {
  assert.deepEqual(words('051?00UEBERWEISUNG?20Gehalt Oktob\ner?\n32MUELLER'), ['MUELLER', 'Gehalt Oktober'])
})

test('the party on whose behalf was paid, then the kind of entry, stand in for a missing name', () => {
  assert.deepEqual(words('105?00LASTSCHRIFT?20SVWZ+Tickets?21ABWA+Opera House'), ['Opera House', 'Tickets'])
  assert.deepEqual(words('805?00ENTGELT?20Quarter one'), ['ENTGELT', 'Quarter one'])
})

test('labels with a colon end the note as those with a plus do', () => {
  assert.deepEqual(words('105?20Service fee 24.90 EUR?21EREF: N0003 MREF: M1?32BANK'), ['BANK', 'Service fee 24.90 EUR'])
})

test('a question mark of the text is kept', () => {
  assert.deepEqual(words('166?20why not? yes?32ANNA'), ['ANNA', 'why not? yes'])
})

test('Polish subfields with other separators are read', () => {
  assert.deepEqual(words('020~00Przelew~20Czynsz za marzec~32JAN KOWALSKI~33 WARSZAWA'), ['JAN KOWALSKI WARSZAWA', 'Czynsz za marzec'])
  assert.deepEqual(words('020<00Przelew<20Czynsz<32JAN'), ['JAN', 'Czynsz'])
  assert.deepEqual(words('000>100987654321\n>20ALGEMENE TUSSENREKENING KOS>21TEN'), [null, 'ALGEMENE TUSSENREKENING KOSTEN'])
})

test('code words of ABN AMRO, Rabobank and ING give name and remittance', () => {
  assert.deepEqual(words('/TRTP/SEPA OVERBOEKING/IBAN/NL02TEST0123456789/BIC/TESTNL2A/NAME/ALBERT HE\nIJN/REMI/Invoice 3/4/EREF/NONE'), [
    'ALBERT HEIJN',
    'Invoice 3/4',
  ])
  assert.deepEqual(words('/EREF/12/BENM//NAME/J. Doe/ADDR/Street 1/REMI/Gift/ISDT/2026-03-02'), ['J. Doe', 'Gift'])
  assert.deepEqual(words('/ORDP//NAME/Payer/INIT//NAME/Agent/REMI//ISDT/2026-03-02'), ['Payer', null])
  assert.deepEqual(words('/EREF/E1//CNTP/NL02TEST0123456789/TESTNL2A/J.Jans\nsen/Delft//REMI/USTD//Invoice 5/'), ['J.Janssen', 'Invoice 5'])
  assert.deepEqual(words('/TRTP/RENTE'), ['RENTE', null])
})

test('the amount of purchase is taken from its code word', () => {
  const row = only(':61:260302D10,NTRFX\n:86:/NAME/Shop/OCMT/USD11,50//EXCH/1,15/')
  assert.deepEqual(row.original, { amountMinor: -1150, currency: 'USD' })
})

test('card payments of ABN AMRO name the shop', () => {
  assert.deepEqual(words('BEA   NR:XY12345   02.03.26/12.54 CORNER SHOP DELFT,PAS012'), [
    'CORNER SHOP DELFT',
    'BEA NR:XY12345 02.03.26/12.54 PAS012',
  ])
  assert.deepEqual(words('BEA, Google Pay                  Corner Shop,PAS012               \nNR:XY1, 02.03.26/12:54'), [
    'Corner Shop',
    'BEA, Google Pay PAS012 NR:XY1, 02.03.26/12:54',
  ])
})

test('older transfers of ABN AMRO name the party behind its account', () => {
  assert.deepEqual(words('GIRO   123456 TELEPHONE CO         INVOICE 12'), ['TELEPHONE CO', 'INVOICE 12'])
  assert.deepEqual(words('12.34.56.789                     CORNER SHOP'), ['CORNER SHOP', null])
})

test('labels with a colon name party and text', () => {
  assert.deepEqual(words('SEPA Overboeking                 IBAN: NL02TEST0123456789\nNaam: A. Friend              Omschrijving: Dinner'), [
    'A. Friend',
    'Dinner',
  ])
  assert.deepEqual(words('INVOICE 12\nREK: NL02TEST0123456789/NAAM: SUPPLIER'), ['SUPPLIER', 'INVOICE 12'])
  assert.deepEqual(words('911 TRANSAKCJA; OD: JAN NOWAK  UL. NIJAKA 1; TYT.: PREZENT ; TNR: 1'), ['JAN NOWAK', 'PREZENT'])
})

test('the party may stand with its account on the first line or behind the reference', () => {
  assert.deepEqual(words('NL02TEST0123456789 a friend\n   \nDinner'), ['a friend', 'Dinner'])
  assert.deepEqual(words('Direct debit\nphone', ':61:2603020302D1,00N012NONREF\nTELEPHONE CO'), ['TELEPHONE CO', 'Direct debit phone'])
})

test('a long text without structure is all note', () => {
  const text = 'A LONG TEXT OF SOME BANK THAT SAYS A LOT AND NAMES NOBODY IN PARTI'
  assert.deepEqual(words(`${text}\nCULAR`), [null, `${text}CULAR`])
  assert.deepEqual(words('999PN0911STANDING ORDER'), ['STANDING ORDER', null])
  assert.deepEqual(words(''), [null, null])
})

test('a wrapped text that looks like a field of no known tag stays text', () => {
  assert.deepEqual(words('805?00FEE?202026-01-01T13\n:12:11'), ['FEE', '2026-01-01T13:12:11'])
})

test('the fields of home-banking programs give name and purpose', () => {
  const row = only(':61:260302D1,S051\n:NS:01Rent\n02March\n15Landlord\n17Transfer')
  assert.deepEqual([row.payee, row.note], ['Landlord', 'Rent March'])
})

test('letters of windows-1252 and of the DOS code pages are read', () => {
  const encode = (byte: number): Uint8Array => bytes(file(':61:260302D1,NTRFX\n:86:M#ller')).map((each) => (each === 0x23 ? byte : each))
  assert.equal(readMt940(encode(0xfc), options).statements[0]?.rows[0]?.payee, 'Müller')
  assert.equal(readMt940(encode(0x81), options).statements[0]?.rows[0]?.payee, 'Müller')
})

test('balances without a currency take the one of the chosen account', () => {
  const text = file(':61:260302C1,NTRFX', '123', '')
  const [found] = readMt940(bytes(text.replaceAll('100,00', '100,')), { ...options, currency: 'JPY' }).statements
  assert.equal(found?.currency, null)
  assert.equal(found?.rows[0]?.amountMinor, 1)
  refuses(text, /names no currency/, 4)
})

test('a currency no longer in force is refused with its line', () => {
  refuses(file('', '123', 'DEM'), /'DEM' is not a currency of ISO 4217 in force/, 4)
})

test('a false statement line is refused with its line and reason', () => {
  refuses(file(':61:260302X1,00NTRFX'), /is not a statement line/, 5)
  refuses(file(':61:260302CNTRFX'), /is not an amount of EUR/, 5)
  refuses(file(':61:260302C1,005NTRFX'), /'1,005' is not an amount of EUR/, 5)
  refuses(file(':61:261302C1,00NTRFX'), /is not a date/, 5)
  refuses(file(':61:2603020231C1,00NTRFX'), /is not a date/, 5)
})

test('a false balance and a closing balance in another currency are refused', () => {
  refuses(file('').replace(':60F:C', ':60F:X'), /is not a balance \(:60F:\)/, 4)
  refuses(file('').replace(':62F:C260331EUR', ':62F:C260331USD'), /opens in EUR and closes in USD/, 6)
})

test('a file that was cut off is refused', () => {
  const text = file(':61:260302C1,NTRFX')
  refuses(text.slice(0, text.indexOf(':62F:')), /no closing balance.*cut off/, 4)
  refuses(text.slice(0, text.indexOf(':62F:')) + text, /no closing balance.*cut off/, 4)
})

test('a statement without account or opening balance is refused', () => {
  refuses(file('').replace(':25:123456789\n', ''), /names no account/, 1)
  refuses(file(':61:260302C1,NTRFX').replace(/:60F:.*\n/, ''), /no opening balance/, 1)
  refuses(`${file('')}:20:NEXT\n:25:123\n`, /no opening balance/, 8)
  refuses('nothing of the kind', /no MT940 statement/, null)
})

test('intraday reports are refused by name', () => {
  const report = ':20:X\n:25:123\n:28C:1\n:34F:EURD0,00\n:13D:2603021200+0000\n:61:260302C1,NTRFX\n'
  assert.equal(looksLikeMt940(bytes(report)), true)
  refuses(report, /MT942.*an intraday report, not a statement/, 4)
})

test('only MT940 looks like MT940', () => {
  assert.equal(looksLikeMt940(bytes(file(''))), true)
  assert.equal(looksLikeMt940(bytes('Date,Amount\n2026-03-02,1.00\n')), false)
  assert.equal(looksLikeMt940(bytes('!Type:Bank\nD03/02/26\n')), false)
})

function readsOrRefuses(input: Uint8Array): void {
  looksLikeMt940(input)
  try {
    readMt940(input, options)
  } catch (error) {
    if (!(error instanceof UnreadableFile)) throw error
  }
}

test('whatever the bytes are, the file is read or refused', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), readsOrRefuses), { numRuns: 300 })
})

test('whatever the narrative is, the entry is read', () => {
  const start = fc.constantFrom('', '166?00', '020~20', '/NAME/', '/CNTP/', 'BEA ', 'GIRO 1234 ', 'SEPA Naam: ', 'SVWZ+')
  fc.assert(
    fc.property(start, fc.string({ maxLength: 120 }), (head, tail) => {
      readsOrRefuses(bytes(file(`:61:260302C1,NTRFX\n:86:${head}${tail}`)))
    }),
    { numRuns: 300 },
  )
})

test('a valid file with any part replaced is read or refused', () => {
  const valid = file(':61:2603020302D1,00NTRFNONREF//REF1234567\nExtra\n:86:166?00GUTSCHRIFT?20SVWZ+Text?32NAME')
  const position = fc.integer({ min: 0, max: valid.length })
  fc.assert(
    fc.property(position, fc.nat({ max: 40 }), fc.string({ unit: 'binary', maxLength: 12 }), (start, length, other) => {
      readsOrRefuses(bytes(valid.slice(0, start) + other + valid.slice(start + length)))
    }),
    { numRuns: 500 },
  )
})

test('long hostile runs are read or refused, with no pattern that backtracks over them', () => {
  for (const run of ['?', '/', ' ', '1', ',', '?20', '/REMI', ' Naam:', 'EREF+', ';']) {
    readsOrRefuses(bytes(file(`:61:260302C1,NTRFX\n:86:166?20${run.repeat(100_000)}`)))
    readsOrRefuses(bytes(file(`:61:260302C1,NTRFX\n:86:${run.repeat(100_000)}`)))
    readsOrRefuses(bytes(file(`:61:260302C1,NTRFX\n:86:BEA ${run.repeat(100_000)}`)))
    readsOrRefuses(bytes(file(`:61:260302C${run.repeat(100_000)}x`)))
    readsOrRefuses(bytes(`:20:1\n:60F:C260301EUR${run.repeat(100_000)}x`))
  }
})
