// Every format over HTTP: previewed, committed as previewed, and undone.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, test } from 'node:test'
import { open } from '../harness.ts'
import { balanceOf, brief, importFile, ofx, previewFile, transactionsOf } from './import-files.ts'

const djinn = await open()
after(() => djinn.close())

const file = (name: string) => readFileSync(new URL(`../imports/files/${name}`, import.meta.url))

const camt = `<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt><GrpHdr><MsgId>M1</MsgId></GrpHdr>
<Stmt><Id>1</Id><Acct><Id><IBAN>NL02TEST0123456789</IBAN></Id><Ccy>EUR</Ccy></Acct>
<Ntry><Amt Ccy="EUR">3.20</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>2026-02-03</Dt></BookgDt>
<AcctSvcrRef>BANK-REF-01</AcctSvcrRef><NtryDtls><TxDtls><RltdPties><Cdtr><Pty><Nm>Café Central</Nm></Pty></Cdtr></RltdPties></TxDtls></NtryDtls></Ntry>
<Ntry><Amt Ccy="EUR">10.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts><Cd>PDNG</Cd></Sts><BookgDt><Dt>2026-02-04</Dt></BookgDt>
<AddtlNtryInf>Refund</AddtlNtryInf></Ntry>
</Stmt></BkToCstmrStmt></Document>
`
const mt940 = `:20:STARTUMSE
:25:10010010/1234567
:28C:1/1
:60F:C260201EUR100,00
:61:2602030203DR3,20NTRFNONREF//BANKREF00417
:86:Café Central
:61:2602040204C10,NTRFNONREF
:86:Refund
:62F:C260228EUR106,80
-
`

type Wanted = {
  name: string
  content: string | Buffer
  query?: string
  currency?: string
  format: string
  key: string
  rows: unknown[][]
  pending?: number
}
const formats: Wanted[] = [
  {
    name: 'OFX in SGML',
    content: file('checking-sgml.ofx'),
    format: 'ofx',
    key: '10010010/0001234567',
    rows: [
      ['new', '2026-02-03', -320, 'CAFÉ CENTRAL'],
      ['new', '2026-02-05', -12000, 'Smith & Sons'],
      ['new', '2026-02-27', 250000, 'Example Works Ltd'],
    ],
  },
  {
    name: 'OFX in XML',
    content: `<?xml version="1.0"?><?OFX OFXHEADER="200" VERSION="211"?>
<OFX><BANKMSGSRSV1><STMTTRNRS><STMTRS><CURDEF>EUR</CURDEF><BANKACCTFROM><ACCTID>77</ACCTID></BANKACCTFROM><BANKTRANLIST>
<STMTTRN><DTPOSTED>20260228</DTPOSTED><TRNAMT>1,07</TRNAMT><FITID>S1</FITID><NAME>Interest &amp; bonus</NAME></STMTTRN>
</BANKTRANLIST></STMTRS></STMTTRNRS></BANKMSGSRSV1></OFX>`,
    format: 'ofx',
    key: '77',
    rows: [['new', '2026-02-28', 107, 'Interest & bonus']],
  },
  {
    name: 'QFX',
    content: file('card.qfx'),
    currency: 'USD',
    format: 'qfx',
    key: 'xxxx-9876',
    rows: [
      ['new', '2024-01-31', -1234, 'CORNER DINER'],
      ['new', '2024-01-30', 4500, 'REFUND'],
    ],
  },
  {
    name: 'QIF with US dates',
    content: "!Type:Bank\nD2/27'26\nT-1,203.20\nPCafé\n^\nD03/01/2026\nT10.00\nPRefund\n^\n",
    format: 'qif',
    key: 'qif',
    rows: [
      ['new', '2026-02-27', -120320, 'Café'],
      ['new', '2026-03-01', 1000, 'Refund'],
    ],
  },
  {
    name: 'QIF with European dates',
    content: '!Type:Bank\nD27.02.2026\nT-1.203,20\nPCafé\n^\nD01.03.2026\nT10,00\nPRefund\n^\n',
    format: 'qif',
    key: 'qif',
    rows: [
      ['new', '2026-02-27', -120320, 'Café'],
      ['new', '2026-03-01', 1000, 'Refund'],
    ],
  },
  {
    name: 'QIF whose dates leave the order open, with the order given',
    content: '!Type:Bank\nD03/02/2026\nT-3.20\nPCafé\n^\n',
    query: '&dateOrder=dmy',
    format: 'qif',
    key: 'qif',
    rows: [['new', '2026-02-03', -320, 'Café']],
  },
  {
    name: 'CSV',
    content: 'Datum;Bedrag;Naam\n01-02-2026;-3,20;Koffie\n13-02-2026;1.000,00;Baas\n',
    format: 'csv',
    key: 'csv',
    rows: [
      ['new', '2026-02-01', -320, 'Koffie'],
      ['new', '2026-02-13', 100000, 'Baas'],
    ],
  },
  {
    name: 'CAMT.053',
    content: camt,
    format: 'camt053',
    key: 'NL02TEST0123456789',
    rows: [
      ['new', '2026-02-03', -320, 'Café Central'],
      ['new', '2026-02-04', 1000, 'Refund'],
    ],
    pending: 1000,
  },
  {
    name: 'MT940',
    content: mt940,
    format: 'mt940',
    key: '10010010/1234567',
    rows: [
      ['new', '2026-02-03', -320, 'Café Central'],
      ['new', '2026-02-04', 1000, 'Refund'],
    ],
  },
]

for (const { name, content, query, currency = 'EUR', format, key, rows, pending = 0 } of formats) {
  test(`${name} is previewed, committed as previewed, committed again as nothing, and undone`, async () => {
    const person = await djinn.person()
    const account = await person.account({ currency, openingBalance: 500 })
    const sum = rows.reduce((total, [, , amount]) => total + (amount as number), 0)

    const preview = await previewFile(person, account, content, query)
    assert.equal(preview.format, format)
    assert.equal(preview.status, 'previewed')
    assert.deepEqual(brief(preview), rows)
    assert.deepEqual(preview.summary, { new: rows.length, duplicate: 0, matched: 0, error: 0 })
    assert.deepEqual(
      preview.statements.map((statement: { key: string; accountId: string }) => [statement.key, statement.accountId]),
      [[key, account]],
    )
    assert.deepEqual(await transactionsOf(person, account), [])
    assert.equal(await balanceOf(person, account), 500)

    const committed = await person.post(`/api/imports/${preview.id}/commit`, {})
    assert.equal(committed.status, 200, committed.text)
    assert.deepEqual(committed.body, { created: rows.length, duplicate: 0, matched: 0 })
    const made = await transactionsOf(person, account)
    assert.deepEqual(
      new Set(made.map(({ id, date, amount, payee, importId }) => JSON.stringify([id, date, amount, payee, importId]))),
      new Set(
        preview.rows.map(({ transaction: { id, date, amount, payee } }: never) => JSON.stringify([id, date, amount, payee, preview.id])),
      ),
    )
    assert.equal(await balanceOf(person, account), 500 + sum - pending)
    assert.equal((await person.get(`/api/accounts/${account}`)).body.pendingBalance, pending)

    const again = await previewFile(person, account, content, query)
    assert.deepEqual(again.summary, { new: 0, duplicate: rows.length, matched: 0, error: 0 })
    assert.deepEqual((await person.post(`/api/imports/${again.id}/commit`, {})).body, { created: 0, duplicate: rows.length, matched: 0 })
    assert.equal((await transactionsOf(person, account)).length, rows.length)

    assert.equal((await person.delete(`/api/imports/${preview.id}`)).status, 204)
    assert.deepEqual(await transactionsOf(person, account), [])
    assert.equal(await balanceOf(person, account), 500)
    assert.equal((await person.get(`/api/imports/${preview.id}`)).body.status, 'undone')
    await djinn.verify()
  })
}

test('what the bank says of an entry is kept: its words, its id, its note and what was paid abroad', async () => {
  const person = await djinn.person()
  const [savings, card] = [await person.account({ name: 'Savings' }), await person.account({ name: 'Card', kind: 'creditCard' })]
  const preview = await previewFile(person, null, file('savings-and-card.ofx'))
  const accounts = { '20020020/555000111': savings, '4111000011112222': card }
  assert.deepEqual((await person.post(`/api/imports/${preview.id}/commit`, { accounts })).body, { created: 3, duplicate: 0, matched: 0 })
  const books = (await transactionsOf(person, card)).find(({ amount }) => amount === -9250)
  const { payee, rawPayee, note, externalId, status, original, accountId, currency } = books
  assert.deepEqual(
    { payee, rawPayee, note, externalId, status, original, accountId, currency },
    {
      payee: 'Books & More',
      rawPayee: 'Books & More',
      note: '',
      externalId: 'C-0210-1',
      status: 'posted',
      original: { amount: -10000, currency: 'USD', rate: '0.925' },
      accountId: card,
      currency: 'EUR',
    },
  )
  await djinn.verify()
})

test('the format named by the caller is taken, and one that does not fit is refused', async () => {
  const person = await djinn.person()
  const account = await person.account({ currency: 'USD' })
  assert.equal((await previewFile(person, account, file('card.qfx'), '&format=ofx')).summary.new, 2)
  const wrong = await person.upload(`/api/imports?accountId=${account}&format=camt053`, file('card.qfx'))
  assert.equal(wrong.status, 422)
  assert.equal(wrong.body.code, 'import-unreadable')
  assert.equal((await person.upload('/api/imports?format=pdf', file('card.qfx'))).status, 400)
})

test('the rate of an original amount is that of the same transaction written by hand', async () => {
  const person = await djinn.person()
  const [imported, written] = [await person.account(), await person.account()]
  const entry = (id: string, symbol: string, rate: string) =>
    `<STMTTRN><DTPOSTED>20260203<TRNAMT>-9.37<FITID>${id}<NAME>Shop<ORIGCURRENCY><CURRATE>${rate}<CURSYM>${symbol}</ORIGCURRENCY></STMTTRN>`
  const entries = [entry('1', 'JPY', '0.00613'), entry('2', 'KWD', '2.9'), entry('3', 'USD', '0.92'), entry('4', 'CLF', '41.2')].join('')
  await importFile(person, imported, ofx('1', 'EUR').replace('</BANKTRANLIST>', `${entries}</BANKTRANLIST>`))
  const rows = await transactionsOf(person, imported)
  assert.equal(rows.length, 4)
  for (const { date, amount, original } of rows) {
    const { rate, ...paid } = original
    const { body } = await person.post('/api/transactions', { accountId: written, date, amount, original: paid })
    assert.equal(rate, body.original.rate, paid.currency)
  }
})
