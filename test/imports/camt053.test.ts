// CAMT.053: what the reader takes from statements of versions 2 and 8, and what it refuses.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { looksLikeCamt053, readCamt053 } from '../../src/features/imports/readers/camt053.ts'
import { UnreadableFile, type ReadOptions } from '../../src/features/imports/statement.ts'

const exponents = new Map([
  ['EUR', 2],
  ['USD', 2],
  ['SEK', 2],
  ['JPY', 0],
  ['BHD', 3],
])
const options: ReadOptions = { exponentOf: (currency) => exponents.get(currency), currency: null }
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const read = (text: string) => readCamt053(bytes(text), options)

const own = 'NL02TEST0123456789'
const account = `<Acct><Id><IBAN>${own}</IBAN></Id><Ccy>EUR</Ccy></Acct>`

function statement(inner: string, acct = account): string {
  return `<Stmt><Id>1</Id>${acct}\n${inner}</Stmt>`
}

function message(statements: string, version = '08'): string {
  const namespace = `urn:iso:std:iso:20022:tech:xsd:camt.053.001.${version}`
  return `<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="${namespace}"><BkToCstmrStmt><GrpHdr><MsgId>M</MsgId></GrpHdr>
${statements}
</BkToCstmrStmt></Document>`
}

type EntryParts = { amount: string; currency: string; mark: string; status: string; dates: string; rest: string }

function entry(parts: Partial<EntryParts> = {}): string {
  const { amount, currency, mark, status, dates, rest } = {
    amount: '12.34',
    currency: 'EUR',
    mark: '<CdtDbtInd>DBIT</CdtDbtInd>',
    status: '<Sts><Cd>BOOK</Cd></Sts>',
    dates: '<BookgDt><Dt>2026-03-02</Dt></BookgDt><ValDt><Dt>2026-03-03</Dt></ValDt>',
    rest: '',
    ...parts,
  }
  return `<Ntry><Amt Ccy="${currency}">${amount}</Amt>${mark}${status}${dates}${rest}</Ntry>\n`
}

const credit = '<CdtDbtInd>CRDT</CdtDbtInd>'
const details = (...transactions: string[]): string =>
  `<NtryDtls>${transactions.map((each) => `<TxDtls>${each}</TxDtls>`).join('')}</NtryDtls>`

function only(inner: string, version?: string) {
  const rows = read(message(statement(inner), version)).statements[0]?.rows ?? []
  assert.equal(rows.length, 1)
  const [row] = rows
  assert.ok(row)
  return row
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

test('an entry of version 8 is read with party, note, id and the date of booking', () => {
  const parties = '<RltdPties><Dbtr><Pty><Nm>Me</Nm></Pty></Dbtr><Cdtr><Pty><Nm>Green\n  Grocer</Nm></Pty></Cdtr></RltdPties>'
  const remittance = '<RmtInf><Ustrd>Order 7</Ustrd><Ustrd>thank you</Ustrd></RmtInf>'
  const rest = `<AcctSvcrRef>BANK-1</AcctSvcrRef>${details(parties + remittance)}`
  const result = read(message(statement(entry({ rest }))))
  assert.deepEqual(result, {
    format: 'camt053',
    mapping: null,
    warnings: [],
    statements: [
      {
        key: own,
        currency: 'EUR',
        label: null,
        unreadable: [],
        rows: [
          {
            line: 4,
            date: '2026-03-02',
            amountMinor: -1234,
            payee: 'Green Grocer',
            rawPayee: 'Green\n  Grocer',
            note: 'Order 7 thank you',
            externalId: 'BANK-1',
            status: 'posted',
            original: null,
          },
        ],
      },
    ],
  })
})

test('version 2 with a namespace prefix, a status as text and names without a wrapper is read', () => {
  const parties = '<RltdPties><Dbtr><Nm>Employer</Nm></Dbtr><Cdtr><Nm>Me</Nm></Cdtr></RltdPties>'
  const text = message(statement(entry({ mark: credit, status: '<Sts>PDNG</Sts>', rest: details(parties) })), '02')
    .replaceAll('<', '<n:')
    .replaceAll('<n:/', '</n:')
    .replace('<n:?', '<?')
    .replace('xmlns=', 'xmlns:n=')
  const row = read(text).statements[0]?.rows[0]
  assert.equal(row?.amountMinor, 1234)
  assert.equal(row?.status, 'pending')
  assert.equal(row?.payee, 'Employer')
})

test('informational entries are left out with a warning', () => {
  const result = read(message(statement(entry({ status: '<Sts>INFO</Sts>' }) + entry())))
  assert.equal(result.statements[0]?.rows.length, 1)
  assert.match(result.warnings[0] ?? '', /^1 informational entry/)
})

test('a reversal keeps the direction of its own indicator', () => {
  assert.equal(only(entry({ mark: `${credit}<RvslInd>true</RvslInd>` })).amountMinor, 1234)
  assert.equal(only(entry({ mark: '<CdtDbtInd>DBIT</CdtDbtInd><RvslInd>1</RvslInd>' })).amountMinor, -1234)
})

test('the other party of a reversal is found in the roles of the payment reversed', () => {
  const parties = '<RltdPties><Dbtr><Nm>Me</Nm></Dbtr><Cdtr><Nm>Shop</Nm></Cdtr></RltdPties>'
  assert.equal(only(entry({ mark: `${credit}<RvslInd>true</RvslInd>`, rest: details(parties) })).payee, 'Shop')
})

test('a party whose account is the statement’s own is never taken for the other one', () => {
  const parties =
    `<RltdPties><Dbtr><Nm>Me</Nm></Dbtr><DbtrAcct><Id><IBAN>${own}</IBAN></Id></DbtrAcct>` +
    '<Cdtr><Nm>Shop</Nm></Cdtr><CdtrAcct><Id><IBAN>DE02120300000000202051</IBAN></Id></CdtrAcct></RltdPties>'
  assert.equal(only(entry({ mark: credit, rest: details(parties) })).payee, 'Shop')
})

test('the ultimate party stands in for a missing one, and the bank’s words for both', () => {
  const ultimate = '<RltdPties><UltmtCdtr><Nm>Shop</Nm></UltmtCdtr></RltdPties>'
  assert.equal(only(entry({ rest: details(ultimate) })).payee, 'Shop')
  const row = only(entry({ rest: '<AddtlNtryInf>Account fee</AddtlNtryInf>' }))
  assert.equal(row.payee, 'Account fee')
  assert.equal(row.note, null)
})

test('a structured reference and additional remittance make the note', () => {
  const remittance = '<RmtInf><Strd><CdtrRefInf><Ref>RF18539007547034</Ref></CdtrRefInf><AddtlRmtInf>March</AddtlRmtInf></Strd></RmtInf>'
  assert.equal(only(entry({ rest: details(remittance) })).note, 'RF18539007547034 March')
})

test('a batch whose payments sum to the entry becomes one row for each', () => {
  const first = '<Amt Ccy="EUR">10.00</Amt><CdtDbtInd>DBIT</CdtDbtInd><RmtInf><Ustrd>one</Ustrd></RmtInf>'
  const second = '<AmtDtls><TxAmt><Amt Ccy="EUR">2.34</Amt></TxAmt></AmtDtls><RmtInf><Ustrd>two</Ustrd></RmtInf>'
  const rest = `<AcctSvcrRef>B7X</AcctSvcrRef>${details(first, second)}`
  const rows = read(message(statement(entry({ rest })))).statements[0]?.rows ?? []
  assert.deepEqual(
    rows.map(({ amountMinor, note, externalId }) => [amountMinor, note, externalId]),
    [
      [-1000, 'one', 'B7X/1'],
      [-234, 'two', 'B7X/2'],
    ],
  )
})

test('payments of a batch keep ids of their own', () => {
  const part = (amount: string, id: string): string => `<Refs><AcctSvcrRef>${id}</AcctSvcrRef></Refs><Amt Ccy="EUR">${amount}</Amt>`
  const rest = `<AcctSvcrRef>B7X</AcctSvcrRef>${details(part('12.00', 'P1'), part('0.34', 'P2'))}`
  const rows = read(message(statement(entry({ rest })))).statements[0]?.rows ?? []
  assert.deepEqual(
    rows.map((row) => row.externalId),
    ['P1', 'P2'],
  )
})

test('a batch whose payments do not sum to the entry stays one row', () => {
  const part = '<Amt Ccy="EUR">10.00</Amt><RltdPties><Cdtr><Nm>Shop</Nm></Cdtr></RltdPties>'
  const row = only(entry({ rest: `${details(part, part)}<AddtlNtryInf>Batch</AddtlNtryInf>` }))
  assert.equal(row.amountMinor, -1234)
  assert.equal(row.payee, 'Batch')
})

test('placeholders, the payer’s reference and counters within the statement are no ids', () => {
  const end = details('<Refs><AcctSvcrRef>NONREF</AcctSvcrRef><EndToEndId>E2E-123456</EndToEndId></Refs>')
  assert.equal(only(entry({ rest: `<NtryRef>0001</NtryRef>${end}` })).externalId, null)
  assert.equal(only(entry({ rest: '<NtryRef>2026030200017</NtryRef>' })).externalId, '2026030200017')
})

test('an id that two entries share is given to neither', () => {
  const shared = entry({ rest: '<AcctSvcrRef>SAME-REF</AcctSvcrRef>' })
  const rows = read(message(statement(shared + shared))).statements[0]?.rows ?? []
  assert.deepEqual(
    rows.map((row) => row.externalId),
    [null, null],
  )
})

test('the amount of purchase in another currency has the sign of the row', () => {
  const instructed = '<AmtDtls><InstdAmt><Amt Ccy="JPY">2000</Amt></InstdAmt></AmtDtls>'
  assert.deepEqual(only(entry({ rest: details(instructed) })).original, { amountMinor: -2000, currency: 'JPY' })
})

test('a time of booking gives its own day, and the value date stands in for a missing one', () => {
  assert.equal(only(entry({ dates: '<BookgDt><DtTm>2026-01-01T00:30:00+01:00</DtTm></BookgDt>' })).date, '2026-01-01')
  assert.equal(only(entry({ dates: '<ValDt><Dt>2026-02-03</Dt></ValDt>' })).date, '2026-02-03')
})

test('statements of one account are joined, and currencies of one account are told apart', () => {
  const joined = read(message(statement(entry()) + statement(entry({ mark: credit }))))
  assert.deepEqual(
    joined.statements.map((each) => [each.key, each.rows.length]),
    [[own, 2]],
  )
  const dollars = account.replace('EUR', 'USD')
  const apart = read(message(statement(entry()) + statement(entry({ currency: 'USD' }), dollars)))
  assert.deepEqual(
    apart.statements.map((each) => each.key),
    [`${own}-EUR`, `${own}-USD`],
  )
})

test('an account by another number takes its currency from the balances', () => {
  const acct = '<Acct><Id><Othr><Id>12 34</Id></Othr></Id><Nm>Savings</Nm></Acct>'
  const balance = '<Bal><Amt Ccy="BHD">1.000</Amt></Bal>'
  const [found] = read(message(statement(balance, acct))).statements
  assert.deepEqual(found, { key: '1234', currency: 'BHD', label: 'Savings', rows: [], unreadable: [] })
})

test('zeroes past the currency’s digits are dropped', () => {
  assert.equal(only(entry({ amount: '8.85000' })).amountMinor, -885)
})

test('text in windows-1252 is read as its declaration says', () => {
  const text = message(statement(entry({ rest: '<AddtlNtryInf>M#ller</AddtlNtryInf>' })))
  const encoded = bytes(text.replace('UTF-8', 'windows-1252')).map((byte) => (byte === 0x23 ? 0xfc : byte))
  assert.equal(readCamt053(encoded, options).statements[0]?.rows[0]?.payee, 'Müller')
})

test('intraday reports and notifications are refused by name', () => {
  const report = message(statement('')).replaceAll('BkToCstmrStmt', 'BkToCstmrAcctRpt')
  assert.equal(looksLikeCamt053(bytes(report)), true)
  refuses(report, /camt\.052.*an intraday report, not a statement/, 2)
  refuses(message(statement('')).replaceAll('BkToCstmrStmt', 'BkToCstmrDbtCdtNtfctn'), /camt\.054/)
})

test('an unknown currency, a false amount and too many digits are refused with their line', () => {
  refuses(message(statement(entry({ currency: 'DEM' }), account.replace('EUR', ''))), /'DEM' is not a currency/, 4)
  refuses(message(statement(entry() + entry({ amount: '1,50' }))), /'1,50' is not an amount of EUR/, 5)
  refuses(message(statement(entry({ amount: '1.005' }))), /'1\.005' is not an amount/, 4)
  refuses(message(statement(entry({ amount: '-1.00' }))), /is not an amount/, 4)
})

test('an entry in another currency than its account is refused', () => {
  refuses(message(statement(entry({ currency: 'USD' }))), /in USD, but its account is in EUR/, 4)
})

test('an entry without amount, direction or date is refused', () => {
  refuses(message(statement('<Ntry></Ntry>')), /no amount/, 4)
  refuses(message(statement(entry({ mark: '' }))), /credit or a debit/, 4)
  refuses(message(statement(entry({ dates: '' }))), /neither a booking nor a value date/, 4)
  refuses(message(statement(entry({ dates: '<BookgDt><Dt>2026-02-30</Dt></BookgDt>' }))), /is not a date/, 4)
})

test('an unknown status and a statement without an account are refused', () => {
  refuses(message(statement(entry({ status: '<Sts>WHAT</Sts>' }))), /unknown entry status 'WHAT'/, 4)
  refuses(message(statement('', '')), /names no account/, 3)
})

test('unclosed XML, a document type and other XML are refused', () => {
  const whole = message(statement(entry()))
  refuses(whole.slice(0, whole.indexOf('</Stmt>')), /not well-formed XML/, 5)
  const entity = '<!DOCTYPE Document [<!ENTITY a "b">]>\n<Document'
  refuses(whole.replace('<Document', entity), /document type/, 2)
  refuses('<html></html>', /no CAMT\.053 statement/, null)
  refuses('', /not well-formed|no CAMT/)
})

test('elements nested without end are refused', () => {
  refuses(message(statement('<Ntry>'.repeat(1000))), /nests elements/)
})

test('only CAMT looks like CAMT', () => {
  assert.equal(looksLikeCamt053(bytes(message(''))), true)
  assert.equal(looksLikeCamt053(bytes('<OFX><BANKMSGSRSV1>')), false)
  assert.equal(looksLikeCamt053(bytes('memo,camt.053.001.02')), false)
})

function readsOrRefuses(input: Uint8Array): void {
  looksLikeCamt053(input)
  try {
    readCamt053(input, options)
  } catch (error) {
    if (!(error instanceof UnreadableFile)) throw error
  }
}

test('whatever the bytes are, the file is read or refused', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), readsOrRefuses), { numRuns: 300 })
})

test('a valid file with any part replaced is read or refused', () => {
  const part = '<Amt Ccy="EUR">6.17</Amt><RmtInf><Ustrd>x</Ustrd></RmtInf>'
  const valid = message(statement(entry() + entry({ rest: `<NtryRef>AB1234567</NtryRef>${details(part, part)}` })))
  const position = fc.integer({ min: 0, max: valid.length })
  fc.assert(
    fc.property(position, fc.nat({ max: 60 }), fc.string({ unit: 'binary', maxLength: 12 }), (start, length, other) => {
      readsOrRefuses(bytes(valid.slice(0, start) + other + valid.slice(start + length)))
    }),
    { numRuns: 500 },
  )
})

test('many tiny parts are read or refused', () => {
  const many = '<Ustrd>a</Ustrd>'.repeat(20_000) + Array.from({ length: 20_000 }, (_, n) => `<Ustrd>${n}</Ustrd>`).join('')
  readsOrRefuses(bytes(message(statement(entry({ rest: details(`<RmtInf>${many}</RmtInf>`) })))))
  readsOrRefuses(bytes(message(statement(entry({ rest: details(...Array.from({ length: 40_000 }, () => '')) })))))
})
