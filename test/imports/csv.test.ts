// The CSV reader against layouts of many banks, against files that are broken, and against arbitrary bytes.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { looksLikeCsv, readCsv } from '../../src/features/imports/readers/csv.ts'
import { parseDate, readDate } from '../../src/features/imports/readers/dates.ts'
import { readAmount } from '../../src/features/imports/readers/numerals.ts'
import { UnreadableFile, type CsvMapping, type ReadOptions, type ReadResult } from '../../src/features/imports/statement.ts'

const exponents: Record<string, number> = { EUR: 2, USD: 2, GBP: 2, SEK: 2, CHF: 2, PLN: 2, JPY: 0, BHD: 3 }
const options: ReadOptions = { exponentOf: (code) => exponents[code], currency: null }

function read(text: string, more: Partial<ReadOptions> = {}): ReadResult {
  return readCsv(Buffer.from(text), { ...options, ...more })
}

function rowsOf(text: string, more: Partial<ReadOptions> = {}) {
  const [statement] = read(text, more).statements
  assert.ok(statement)
  return statement.rows
}

/** Date, amount, payee and note of each row, which most tests are about. */
function brief(text: string, more: Partial<ReadOptions> = {}) {
  return rowsOf(text, more).map(({ date, amountMinor, payee, note }) => [date, amountMinor, payee, note])
}

function refusal(text: string | Uint8Array, more: Partial<ReadOptions> = {}): UnreadableFile {
  try {
    readCsv(Buffer.from(text), { ...options, ...more })
  } catch (error) {
    assert.ok(error instanceof UnreadableFile)
    return error
  }
  return assert.fail('the file was read')
}

const ing = `"Datum","Naam / Omschrijving","Rekening","Tegenrekening","Code","Af Bij","Bedrag (EUR)","Mutatiesoort","Mededelingen"
"20240131","Albert Heijn 1234","NL69INGB0123456789","","BA","Af","1.012,34","Betaalautomaat","Pasvolgnr: 001 31-01-2024"
"20240130","Werkgever BV","NL69INGB0123456789","NL02ABNA0123456789","OV","Bij","2.500,00","Overschrijving","Salaris januari"
`

test('a Dutch export with Af and Bij has signed amounts, and its account and currency from column and header', () => {
  const { statements, mapping, warnings } = read(ing)
  assert.deepEqual(mapping, {
    delimiter: ',',
    skipRows: 1,
    date: 0,
    dateOrder: 'ymd',
    decimal: ',',
    amount: { column: 6, invert: false },
    direction: 5,
    payee: 1,
    note: 8,
    currency: null,
    externalId: null,
  } satisfies CsvMapping)
  assert.deepEqual(warnings, [])
  assert.equal(statements.length, 1)
  assert.equal(statements[0]?.key, 'NL69INGB0123456789')
  assert.equal(statements[0]?.currency, 'EUR')
  assert.deepEqual(statements[0]?.rows[0], {
    line: 2,
    date: '2024-01-31',
    amountMinor: -101234,
    payee: 'Albert Heijn 1234',
    rawPayee: 'Albert Heijn 1234',
    note: 'Pasvolgnr: 001 31-01-2024',
    externalId: null,
    status: 'posted',
    original: null,
  })
  assert.equal(statements[0]?.rows[1]?.amountMinor, 250000)
})

test('a German savings bank export in windows-1252 is read with its umlauts and its pending entries', () => {
  const text = `"Auftragskonto";"Buchungstag";"Valutadatum";"Buchungstext";"Verwendungszweck";"Glaeubiger ID";"Kundenreferenz (End-to-End)";"Beguenstigter/Zahlungspflichtiger";"Kontonummer/IBAN";"BIC (SWIFT-Code)";"Betrag";"Waehrung";"Info"
"DE89370400440532013000";"02.02.24";"02.02.24";"KARTENZAHLUNG";"2024-02-01T18:22";"";"";"Bäckerei Müller";"DE02120300000000202051";"BYLADEM1001";"-4,80";"EUR";"Umsatz vorgemerkt"
"DE89370400440532013000";"01.02.24";"01.02.24";"DAUERAUFTRAG";"Miete Februar";"";"";"Hausverwaltung Süd";"DE02100500000054540402";"BELADEBE";"-850,00";"EUR";"Umsatz gebucht"
`
  const { statements, mapping, warnings } = readCsv(Buffer.from(text, 'latin1'), options)
  assert.equal(mapping?.date, 1)
  assert.equal(mapping.payee, 7)
  assert.equal(mapping.currency, 11)
  assert.equal(warnings.length, 1, 'day and month of 01.02.24 could be swapped')
  assert.equal(statements[0]?.key, 'DE89370400440532013000')
  const rows = statements[0].rows
  assert.deepEqual(
    rows.map(({ date, amountMinor, payee, note, status }) => [date, amountMinor, payee, note, status]),
    [
      ['2024-02-02', -480, 'Bäckerei Müller', '2024-02-01T18:22', 'pending'],
      ['2024-02-01', -85000, 'Hausverwaltung Süd', 'Miete Februar', 'posted'],
    ],
  )
})

test('a preamble gives the account, and does not count as rows', () => {
  const text = `"Girokonto";"DE89 3704 0044 0532 0130 00"
"Zeitraum:";"01.01.2024 - 31.01.2024"
"Kontostand vom 31.01.2024:";"1.234,56 €"
""
"Buchungsdatum";"Wertstellung";"Status";"Zahlungspflichtige*r";"Zahlungsempfänger*in";"Verwendungszweck";"Umsatztyp";"IBAN";"Betrag (€)";"Gläubiger-ID"
"31.01.24";"31.01.24";"Gebucht";"Erika Muster";"Stadtwerke";"Abschlag 01/24";"Ausgang";"DE02120300000000202051";"-1.089,5 €";""
"15.01.24";"15.01.24";"Gebucht";"Erika Muster";"Café Süß";"Danke";"Ausgang";"DE02100500000054540402";"-7 €";""
`
  const { statements, mapping } = read(text)
  assert.equal(mapping?.skipRows, 5)
  assert.equal(mapping.dateOrder, 'dmy')
  const [statement] = statements
  assert.equal(statement?.key, 'DE89370400440532013000')
  assert.equal(statement.label, 'Girokonto')
  assert.equal(statement.currency, 'EUR')
  assert.deepEqual(brief(text), [
    ['2024-01-31', -108950, 'Stadtwerke', 'Abschlag 01/24'],
    ['2024-01-15', -700, 'Café Süß', 'Danke'],
  ])
  assert.equal(statement.rows[0]?.line, 6)
})

test('an amount paid in another currency is answered with the sign of the row', () => {
  const text = `"Booking Date","Value Date","Partner Name","Partner Iban",Type,"Payment Reference","Account Name","Amount (EUR)","Original Amount","Original Currency","Exchange Rate"
2024-01-31,2024-01-30,"KONBINI TOKYO",,Presentment,,"Main Account",-3.12,500,JPY,160.25
2024-01-30,2024-01-30,"Jane Doe",DE02120300000000202051,"Credit Transfer","Rent, January","Main Account",450.00,,,
`
  const [statement] = read(text).statements
  assert.equal(statement?.currency, 'EUR')
  assert.equal(statement.label, 'Main Account')
  assert.deepEqual(statement.rows[0]?.original, { amountMinor: -500, currency: 'JPY' })
  assert.equal(statement.rows[1]?.original, null)
  assert.equal(statement.rows[1]?.note, 'Rent, January')
})

test('entries without a booking date are pending ones, those reverted are skipped, and currencies have statements', () => {
  const text = `Type,Product,Started Date,Completed Date,Description,Amount,Fee,Currency,State,Balance
CARD_PAYMENT,Current,2024-01-30 10:11:12,2024-01-31 03:04:05,Lidl,-12.30,0.00,EUR,COMPLETED,100.00
EXCHANGE,Current,2024-01-30 11:11:12,2024-01-30 11:11:13,Exchanged to GBP,20.00,0.50,GBP,COMPLETED,20.00
CARD_PAYMENT,Current,2024-01-31 08:00:00,,Coffee,-3.00,0.00,EUR,PENDING,
CARD_PAYMENT,Current,2024-01-29 08:00:00,2024-01-29 09:00:00,Hotel,-300.00,0.00,EUR,REVERTED,
`
  const { statements, warnings } = read(text)
  assert.deepEqual(
    statements.map(({ key, currency, rows }) => [key, currency, rows.map((row) => [row.date, row.amountMinor, row.status])]),
    [
      [
        'Current-EUR',
        'EUR',
        [
          ['2024-01-31', -1230, 'posted'],
          ['2024-01-31', -300, 'pending'],
        ],
      ],
      ['Current-GBP', 'GBP', [['2024-01-30', 2000, 'posted']]],
    ],
  )
  assert.ok(warnings.some((warning) => warning.includes('reverted')))
  assert.ok(warnings.some((warning) => warning.includes('fee')))
})

test('signed amounts are not turned by a column that says debit and credit as well', () => {
  const text = `Details,Posting Date,Description,Amount,Type,Balance,Check or Slip #
DEBIT,01/31/2024,"GROCERY OUTLET 22",-45.10,DEBIT_CARD,1200.00,,
CREDIT,01/30/2024,"PAYROLL ACME",2000.00,ACH_CREDIT,1245.10,,
`
  assert.deepEqual(brief(text), [
    ['2024-01-31', -4510, 'GROCERY OUTLET 22', null],
    ['2024-01-30', 200000, 'PAYROLL ACME', null],
  ])
  assert.equal(read(text).mapping?.direction, null)
})

test('the posting date is preferred over the date of the purchase', () => {
  const text = `Transaction Date,Post Date,Description,Category,Type,Amount,Memo
01/30/2024,01/31/2024,AMZN Mktp,Shopping,Sale,-12.99,
`
  assert.equal(read(text).mapping?.date, 1)
})

test('a file without a header is read by what its columns hold', () => {
  const text = `"01/31/2024","-12.34","*","","PURCHASE AUTHORIZED ON 01/30 CORNER SHOP"
"01/15/2024","1500.00","*","","ACME CORP PAYROLL"
`
  assert.deepEqual(brief(text), [
    ['2024-01-31', -1234, 'PURCHASE AUTHORIZED ON 01/30 CORNER SHOP', null],
    ['2024-01-15', 150000, 'ACME CORP PAYROLL', null],
  ])
  assert.equal(read(text).mapping?.skipRows, 0)
  const paidAndReceived = `01/31/2024,COFFEE BAR,4.50,,995.50\n01/30/2024,TRANSFER,,500.00,1000.00\n01/13/2024,RENT,700.00,,500.00\n`
  assert.deepEqual(
    rowsOf(paidAndReceived).map(({ amountMinor }) => amountMinor),
    [-450, 50000, -70000],
  )
})

test('a British export has its note for the other party, and the account number as its key', () => {
  const text = `Number,Date,Account,Amount,Subcategory,Memo
 ,31/01/2024,20-00-00 12345678,-9.99,PAYMENT,STREAMING LTD\t\tON 30 JAN BCC
 ,30/01/2024,20-00-00 12345678,100.00,FT,J SMITH
`
  const [statement] = read(text).statements
  assert.equal(statement?.key, '20-00-0012345678')
  assert.equal(statement.rows[0]?.payee, null)
  assert.equal(statement.rows[0]?.rawPayee, 'STREAMING LTD\t\tON 30 JAN BCC')
  assert.equal(statement.rows[0]?.note, 'STREAMING LTD ON 30 JAN BCC')
})

test('a French export with debit and credit columns has spaces between thousands and dates of day and month', () => {
  const text = `Compte de chèques;;;;
Date operation;Libelle;Debit;Credit;Devise
31/01/2024;VIR SEPA LOYER;-1\u202f250,00;;EUR
05/01/2024;SALAIRE;;2\u00a0345,67;EUR
`
  assert.deepEqual(brief(text), [
    ['2024-01-31', -125000, 'VIR SEPA LOYER', null],
    ['2024-01-05', 234567, 'SALAIRE', null],
  ])
})

test('a Swedish export with a preamble line is read', () => {
  const text = `* Transaktioner Period 2024-01-01 – 2024-01-31 Skapad 2024-02-01 10:00 CET
Radnummer,Clearingnummer,Kontonummer,Produkt,Valuta,Bokföringsdag,Transaktionsdag,Valutadag,Referens,Beskrivning,Belopp,Bokfört saldo
1,82149,9912345678,Privatkonto,SEK,2024-01-31,2024-01-30,2024-01-31,ICA KVANTUM,Kortköp,-123.50,1000.00
2,82149,9912345678,Privatkonto,SEK,2024-01-30,2024-01-30,2024-01-30,Hyra,Överföring,-8000.00,1123.50
`
  const { statements, mapping } = read(text)
  assert.equal(mapping?.skipRows, 2)
  assert.equal(statements[0]?.key, '9912345678')
  assert.equal(statements[0]?.currency, 'SEK')
  assert.deepEqual(brief(text)[0], ['2024-01-31', -12350, 'Kortköp', 'ICA KVANTUM'])
})

test('a wallet takes the net amount and ids that are of one entry each', () => {
  const text = `\ufeff"Date","Time","TimeZone","Name","Type","Status","Currency","Gross","Fee","Net","Transaction ID","Balance"
"1/31/2024","10:00:00","PST","Shop Ltd","Express Checkout Payment","Completed","USD","-1,020.00","0.00","-1,020.00","4AB12345CD678901E","0.00"
"1/30/2024","09:00:00","PST","","Bank Deposit","Completed","USD","100.00","-2.50","97.50","9ZY98765XW432109V","20.00"
`
  const rows = rowsOf(text)
  assert.deepEqual(
    rows.map(({ amountMinor, externalId }) => [amountMinor, externalId]),
    [
      [-102000, '4AB12345CD678901E'],
      [9750, '9ZY98765XW432109V'],
    ],
  )
  const repeated = text.replace('9ZY98765XW432109V', '4AB12345CD678901E')
  assert.equal(read(repeated).mapping?.externalId, null)
  assert.deepEqual(
    rowsOf(repeated).map(({ externalId }) => externalId),
    [null, null],
  )
})

test('headers in Spanish, Italian, Portuguese, Polish and Swiss German are known', () => {
  const files: [string, (string | number | null)[]][] = [
    [
      'Fecha operación;Fecha valor;Concepto;Importe;Saldo\n31/01/2024;30/01/2024;Mercado;-12,50;100,00\n',
      ['2024-01-31', -1250, 'Mercado', null],
    ],
    [
      'Data contabile;Data valuta;Descrizione;Addebiti;Accrediti\n31/01/2024;30/01/2024;Pagamento;12,50;\n',
      ['2024-01-31', -1250, 'Pagamento', null],
    ],
    ['Data Lançamento;Descrição;Valor;Saldo\n31/01/2024;Supermercado;-R$ 1.012,50;5,00\n', ['2024-01-31', -101250, 'Supermercado', null]],
    [
      'Data księgowania;Nadawca/Odbiorca;Tytuł operacji;Kwota;Waluta\n2024-01-31;Sklep;Zakupy;-12,50;PLN\n',
      ['2024-01-31', -1250, 'Sklep', 'Zakupy'],
    ],
    [
      "Buchungsdatum;Buchungstext;Belastung;Gutschrift;Saldo\n31.01.2024;Migros;1'012.50;;20'000.00\n",
      ['2024-01-31', -101250, 'Migros', null],
    ],
  ]
  for (const [text, row] of files) assert.deepEqual(brief(text), [row], text)
})

test('footers of totals and balances are skipped with a warning', () => {
  const text = `Date;Description;Amount
31.01.2024;Shop;-1,50
30.01.2024;Bakery;-2,00

Total;;-3,50
Closing balance 31.01.2024;;100,00
Data supplied without guarantee
`
  const { statements, warnings } = read(text)
  assert.equal(statements[0]?.rows.length, 2)
  assert.deepEqual(statements[0].unreadable, [])
  assert.ok(
    warnings.some((warning) => warning.startsWith('3 rows without a date')),
    String(warnings),
  )
})

test('one row that cannot be read is told with its line and the reason, and does not keep the others out', () => {
  const text = `Date;Payee;Amount
31.01.2024;"Shop
in two lines";-1,50
32.01.2024;Bakery;-2,00
30.01.2024;Bar;-2,005
29.01.2024;Kiosk;abc
28.01.2024;Inn;-4,00
27.01.2024;Pub;-5,00
26.01.2024;Zoo;-6,00
`
  const [statement] = read(text).statements
  assert.equal(statement?.rows[0]?.payee, 'Shop in two lines')
  assert.deepEqual(
    statement.rows.map(({ line }) => line),
    [2, 7, 8, 9],
  )
  assert.deepEqual(
    statement.unreadable.map(({ line, text: row }) => [line, row]),
    [
      [4, '32.01.2024;Bakery;-2,00'],
      [5, '30.01.2024;Bar;-2,005'],
      [6, '29.01.2024;Kiosk;abc'],
    ],
  )
  assert.match(statement.unreadable[0]?.reason ?? '', /not a date/)
  assert.match(statement.unreadable[1]?.reason ?? '', /more digits/)
  assert.match(statement.unreadable[2]?.reason ?? '', /not an amount/)
})

test('day and month are told apart by any row of the file, else by the caller, else by hints with a warning', () => {
  const file = (...dates: string[]): string => `Date,Payee,Amount\n${dates.map((date) => `${date},A,-1.50\n`).join('')}`
  assert.equal(read(file('01/02/2024', '13/02/2024')).mapping?.dateOrder, 'dmy')
  assert.equal(read(file('01/02/2024', '02/13/2024')).mapping?.dateOrder, 'mdy')
  const given = read(file('01/02/2024'), { dateOrder: 'dmy' })
  assert.equal(given.mapping?.dateOrder, 'dmy')
  assert.deepEqual(given.warnings, [])
  const guessed = read(file('01/02/2024'))
  assert.equal(guessed.mapping?.dateOrder, 'mdy')
  assert.equal(guessed.warnings.length, 1)
  assert.equal(read(file('01.02.2024')).mapping?.dateOrder, 'dmy')
  assert.equal(read(file('01/02/2024'), { currency: 'GBP' }).mapping?.dateOrder, 'dmy')
  assert.equal(read(file('24-01-30', '24-01-31', '24-02-01')).mapping?.dateOrder, 'ymd')
})

test('dates are read with all separators, with none, with the month in words and with times behind', () => {
  const written = [
    '2024-01-31',
    '31/01/2024',
    '31.1.24',
    '20240131',
    '31012024',
    '2024-01-31T10:11:12Z',
    '31-01-2024 10:11',
    '31 Jan 2024',
    'Jan 31, 2024',
    '31-JAN-24',
    '31. Januar 2024',
    '31 januari 2024',
    '31 janvier 2024',
    '2024/01/31 00:00:00',
  ]
  for (const text of written) assert.equal(readDate(text, 'dmy'), '2024-01-31', text)
  for (const text of ['', '12.34', '1.234.567', '31 Foo 2024', '2024-31-01x', '30/02', 'January', '1e5']) {
    assert.equal(parseDate(text), undefined, text)
  }
  assert.equal(readDate('30/02/2024', 'dmy'), undefined)
})

test('a mapping given in part completes the guess, and one beyond the file is refused', () => {
  const text = `Date;Value date;What;Amount\n31.01.2024;30.01.2024;Shop;1,50\n`
  const { mapping, statements } = read(text, { mapping: { date: 1, amount: { column: 3, invert: true }, payee: null } })
  assert.equal(mapping?.date, 1)
  assert.equal(mapping.decimal, ',')
  assert.equal(mapping.payee, null)
  assert.deepEqual(
    statements[0]?.rows.map(({ date, amountMinor }) => [date, amountMinor]),
    [['2024-01-30', -150]],
  )
  for (const wrong of [{ date: 4 }, { payee: -1 }, { amount: { debit: 0, credit: 9 } }, { skipRows: 3 }, { note: 0.5 }]) {
    const error = refusal(text, { mapping: wrong })
    assert.equal(error.line, null)
    assert.match(error.message, /^mapping: /)
  }
})

test('a mapping that was answered reads the same file the same way', () => {
  for (const text of [ing, `x;y;z\n31.01.2024;Shop;-1,50\n01.02.2024;Bar;-2,00\n`]) {
    const first = read(text)
    assert.ok(first.mapping)
    assert.deepEqual(read(text, { mapping: first.mapping }).statements, first.statements)
  }
})

test('files of several accounts have a statement for each', () => {
  const text = `Account number,Date,Description,Amount
11112222,2024-01-31,A,-1.00
33334444,2024-01-31,B,-2.00
11112222,2024-01-30,C,-3.00
11112222,2024-01-29,D,-4.00
33334444,2024-01-28,E,-5.00
11112222,2024-01-27,F,-6.00
`
  assert.deepEqual(
    read(text).statements.map(({ key, rows }) => [key, rows.length]),
    [
      ['11112222', 4],
      ['33334444', 2],
    ],
  )
})

test('the minor digits are of the currency of the row, else of the account', () => {
  assert.deepEqual(
    rowsOf('Date,Payee,Amount,Currency\n2024-01-31,A,-500,JPY\n').map((row) => row.amountMinor),
    [-500],
  )
  assert.deepEqual(
    rowsOf('Date,Payee,Amount\n2024-01-31,A,-1.005\n', { currency: 'BHD' }).map((row) => row.amountMinor),
    [-1005],
  )
  const [statement] = read('Date,Payee,Amount\n2024-01-31,A,-1.50\n', { currency: 'EUR' }).statements
  assert.equal(statement?.currency, null)
  assert.equal(read('Date;Payee;Amount\n2024-01-31;A;-1,50 €\n').statements[0]?.currency, 'EUR')
})

test('all encodings, line endings and delimiters read the same', () => {
  const text = 'Date;Payee;Amount\n31.01.2024;"Käse ""Süd""";-1,50\n30.01.2024;Brot;-2,00\n'
  const expected = rowsOf(text)
  assert.equal(expected[0]?.payee, 'Käse "Süd"')
  const variants: Uint8Array[] = [
    Buffer.from(`\ufeff${text}`),
    Buffer.from(text, 'latin1'),
    Buffer.from(`\ufeff${text}`, 'utf16le'),
    Buffer.from(`\ufeff${text}`, 'utf16le').swap16(),
    Buffer.from(text.replaceAll('\n', '\r\n')),
    Buffer.from(text.replaceAll('\n', '\r')),
    Buffer.from(text.replaceAll(';', '\t')),
    Buffer.from(text.replaceAll(';', '|')),
    Buffer.from(text.replaceAll(';', ' ; ')),
  ]
  for (const bytes of variants) assert.deepEqual(readCsv(bytes, options).statements[0]?.rows, expected)
  assert.deepEqual(
    rowsOf(`sep=;\n${text}`).map(({ line }) => line),
    [3, 4],
  )
})

test('what is no table of dates and amounts is refused with line and reason', () => {
  assert.match(refusal('').message, /empty/)
  assert.match(refusal('just some words\nand more\n').message, /columns/)
  assert.match(refusal('a,b\nc,d\ne,f\n').message, /dates/)
  const noAmounts = refusal('Date,Payee\n2024-01-31,A\n')
  assert.match(noAmounts.message, /amounts/)
  assert.equal(noAmounts.line, 1)
  assert.match(refusal('Date;Payee;Amount\n31.01.2024;A;-1,50\n30.02.2024;B;1,00\n31.02.2024;B;1,00\n').message, /2 of 3 rows/)
})

test('a quote that is never closed is refused with the line it opens on', () => {
  const lost = refusal('Date,Payee,Amount\n2024-01-31,A,-1.50\n2024-01-30,"B,-2.50\n2024-01-29,C,-3.50\n')
  assert.equal(lost.line, 3)
  assert.match(lost.message, /quote/)
  const swallowing = refusal('Date,Payee,Amount\n2024-01-31,"A,-1.50\n2024-01-30,B,-2.50\n2024-01-29,C",-3.50\n2024-01-28,D,1.00\n')
  assert.equal(swallowing.line, 2)
})

test('limits on bytes, rows, columns and cells are kept', () => {
  assert.match(refusal(Buffer.alloc(10 * 1024 * 1024 + 1, 'a')).message, /10 MiB/)
  assert.match(refusal(`Date,Payee,Amount${',x'.repeat(200)}\n2024-01-31,A,-1.50\n`).message, /200 columns/)
  assert.match(refusal(`Date,Payee,Amount\n2024-01-31,${'A'.repeat(10_001)},-1.50\n`).message, /10000 characters/)
  assert.match(refusal(`a,b\n${'2024-01-31,1.50\n'.repeat(50_001)}`).message, /50000 rows/)
  assert.match(refusal(';'.repeat(9_000_000)).message, /too long/)
  assert.match(refusal('a,b' + '\n'.repeat(9_000_000)).message, /rows/)
})

test('only tables of text look like CSV', () => {
  assert.ok(looksLikeCsv(Buffer.from(ing)))
  assert.ok(looksLikeCsv(Buffer.from(`\ufeff${ing}`, 'utf16le')))
  for (const text of [
    '<?xml version="1.0"?>\n<a,b>\n<c,d>',
    'OFXHEADER:100\nDATA:a,b\nX:a,b',
    '!Type:Bank\nD1/2,3\nT1,234.00',
    '{1:F01}{4:\n:20:a,b\n:25:c,d',
    ':20:a,b\n:25:c,d',
    'one line, only',
    'a\nb\nc',
    '',
  ]) {
    assert.equal(looksLikeCsv(Buffer.from(text)), false, text)
  }
  assert.equal(looksLikeCsv(Buffer.from(Array.from({ length: 400 }, (_, index) => index % 32))), false)
})

test('ten thousand rows are read, none is lost', () => {
  const line = (index: number): string =>
    `"${String((index % 28) + 1).padStart(2, '0')}.01.2024";"Shop ${index}";"For, what; ever";"-1.0${index % 10}2,50";"EUR"\n`
  const bytes = Buffer.from(
    `Datum;Empfänger;Verwendungszweck;Betrag;Währung\n${Array.from({ length: 10_000 }, (_, index) => line(index)).join('')}`,
  )
  assert.equal(readCsv(bytes, options).statements[0]?.rows.length, 10_000)
})

test('any amount reads back exactly in every manner of writing it', () => {
  const grouped = (whole: string, separator: string): string => whole.replace(/\B(?=(\d{3})+$)/g, separator)
  const manners = [
    [',', '.'],
    ['.', ','],
    ['', '.'],
    ['', ','],
    [' ', ','],
    ['\u00a0', ','],
    ['\u202f', ','],
    ["'", '.'],
    ['’', '.'],
    [' ', '.'],
  ] as const
  const signs: ((text: string) => string)[] = [
    (text) => `-${text}`,
    (text) => `${text}-`,
    (text) => `\u2212${text}`,
    (text) => `(${text})`,
    (text) => `- ${text} €`,
    (text) => `EUR -${text}`,
    (text) => `-$${text}`,
    (text) => `($${text})`,
    (text) => `${text} DR`,
    (text) => `€ ${text}-`,
    (text) => `-${text} kr`,
  ]
  const plus: ((text: string) => string)[] = [
    (text) => text,
    (text) => `+${text}`,
    (text) => `${text} CR`,
    (text) => `€${text}`,
    (text) => `${text} EUR`,
  ]
  fc.assert(
    fc.property(
      fc.maxSafeNat(),
      fc.nat(4),
      fc.constantFrom(...manners),
      fc.nat(),
      fc.boolean(),
      (minor, exponent, [separator, decimal], pick, out) => {
        const digits = String(minor).padStart(exponent + 1, '0')
        const whole = grouped(exponent === 0 ? digits : digits.slice(0, -exponent), separator)
        const text = exponent === 0 ? whole : `${whole}${decimal}${digits.slice(-exponent)}`
        const written = out ? signs[pick % signs.length]?.(text) : plus[pick % plus.length]?.(text)
        const amount = readAmount(written ?? '', decimal, exponent)
        assert.equal('minor' in amount ? amount.minor : amount.reason, out && minor !== 0 ? -minor : minor, written ?? '')
      },
    ),
    { numRuns: 2000 },
  )
  for (const text of [
    '',
    '-',
    '1,2,3',
    '1.2.3',
    '12,34.5',
    '--1',
    '-(1)',
    '1 2',
    '1e5',
    '0x10',
    '1,23',
    '(1',
    'one',
    '١٢',
    '12.34 Foo',
    '9007199254740993',
  ]) {
    assert.ok('reason' in readAmount(text, '.', 2), text)
  }
})

test('arbitrary bytes and mutated files are read or refused, and nothing else', () => {
  const harmless = (bytes: Uint8Array, more: Partial<ReadOptions>): void => {
    looksLikeCsv(bytes)
    try {
      for (const { rows } of readCsv(bytes, { ...options, ...more }).statements) {
        for (const { amountMinor } of rows) assert.ok(Number.isSafeInteger(amountMinor))
      }
    } catch (error) {
      if (!(error instanceof UnreadableFile)) throw error
    }
  }
  const mapping = fc.option(
    fc.record(
      { date: fc.nat(4), dateOrder: fc.constantFrom('dmy', 'mdy', 'ymd'), payee: fc.option(fc.nat(4)), skipRows: fc.nat(3) },
      { requiredKeys: [] },
    ),
    { nil: undefined },
  )
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), mapping, (bytes, given) => harmless(bytes, { mapping: given })),
    { numRuns: 500 },
  )
  const pieces = fc.constantFrom(
    ';',
    ',',
    '\n',
    '"',
    '\t',
    '-',
    '1.234,56',
    '31.01.2024',
    '\0',
    '\ufeff',
    '€',
    '(',
    "'",
    'Date;Amount',
    ' ',
  )
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(), fc.nat(9), pieces), { maxLength: 8 }), mapping, (edits, given) => {
      let text = ing
      for (const [where, length, piece] of edits) {
        const at = where % (text.length + 1)
        text = text.slice(0, at) + piece + text.slice(at + length)
      }
      harmless(Buffer.from(text), { mapping: given })
    }),
    { numRuns: 1000 },
  )
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 60 }), (parts) => harmless(Buffer.from(parts.join('')), {})),
    { numRuns: 1000 },
  )
})
