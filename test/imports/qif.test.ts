// The QIF reader against files of Quicken and of banks, against broken ones, and against arbitrary bytes.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { looksLikeQif, readQif } from '../../src/features/imports/readers/qif.ts'
import { UnreadableFile, type ReadOptions, type ReadResult } from '../../src/features/imports/statement.ts'

const exponents: Record<string, number> = { EUR: 2, USD: 2, JPY: 0 }
const options: ReadOptions = { exponentOf: (code) => exponents[code], currency: null }

function read(text: string, more: Partial<ReadOptions> = {}): ReadResult {
  return readQif(Buffer.from(text), { ...options, ...more })
}

function rowsOf(text: string, more: Partial<ReadOptions> = {}) {
  return read(text, more).statements.flatMap(({ rows }) => rows)
}

const checking = `!Type:Bank
D1/31'24
U-1,234.56
T-1,234.56
CX
N1042
PCorner Grocery
A12 Main Street
ASpringfield
MWeekly shopping
LFood:Groceries
^
D1/ 5' 4
T2,000.00
PACME Payroll
N DEP
^
`

test('entries of a bank account have payee, memo and check number, and no ids', () => {
  const { format, statements, mapping } = read(checking)
  assert.equal(format, 'qif')
  assert.equal(mapping, null)
  assert.equal(statements.length, 1)
  const [statement] = statements
  assert.equal(statement?.key, 'qif')
  assert.equal(statement.currency, null)
  const first = {
    line: 2,
    date: '2024-01-31',
    amountMinor: -123456,
    payee: 'Corner Grocery',
    rawPayee: 'Corner Grocery',
    note: 'Check 1042, Weekly shopping',
    externalId: null,
    status: 'posted',
    original: null,
  }
  const second = { line: 13, date: '2004-01-05', amountMinor: 200000, payee: 'ACME Payroll', rawPayee: 'ACME Payroll' }
  assert.deepEqual(statement.rows, [first, { ...first, ...second, note: null }])
})

test('several accounts of one file have a statement each, named by their accounts', () => {
  const text = `!Option:AutoSwitch
!Account
NChecking
TBank
^
NVisa
TCCard
^
!Clear:AutoSwitch
!Account
NChecking
TBank
^
!Type:Bank
D01/31/2024
T-10.00
PShop
^
!Account
NVisa
TCCard
^
!Type:CCard
D01/30/2024
T-20.00
PHotel
^
!Type:Cat
NFood
E
^
!Account
NChecking
^
!Type:Bank
D01/29/2024
T5.00
^
`
  const { statements } = read(text)
  assert.deepEqual(
    statements.map(({ key, rows }) => [key, rows.map(({ amountMinor }) => amountMinor)]),
    [
      ['Checking', [-1000, 500]],
      ['Visa', [-2000]],
    ],
  )
})

test('lists without account names are told apart by their kind', () => {
  const text = `!Type:Bank\nD31/01/2024\nT1.00\n^\n!Type:Oth L\nD30/01/2024\nT2.00\n^\n!Type:Cash\nD30/01/2024\nT3.00\n^\n`
  assert.deepEqual(
    read(text).statements.map(({ key }) => key),
    ['qif', 'qif-oth-l', 'qif-cash'],
  )
})

test('European dates and amounts are recognised over the whole file, umlauts of windows-1252 included', () => {
  const text = '!Type:Bank\r\nD02.01.2024\r\nT-1.234,56\r\nPB\xe4ckerei\r\n^\r\nD31.01.2024\r\nT99,5\r\n^\r\n'
  const { statements, warnings } = readQif(Buffer.from(text, 'latin1'), options)
  assert.deepEqual(warnings, [])
  assert.deepEqual(
    statements[0]?.rows.map(({ date, amountMinor, payee }) => [date, amountMinor, payee]),
    [
      ['2024-01-02', -123456, 'Bäckerei'],
      ['2024-01-31', 9950, null],
    ],
  )
  const several = rowsOf('!Type:Bank\nD2024-01-31\nT1.00\n^\nD31-01-24\nT1.00\n')
  assert.deepEqual(
    several.map(({ date }) => date),
    ['2024-01-31', '2024-01-31'],
  )
})

test('an order of day and month that the dates leave open is as the caller says, else guessed with a warning', () => {
  const file = (amount: string): string => `!Type:Bank\nD01/02/2024\nT${amount}\n^\n`
  const given = read(file('1.50'), { dateOrder: 'dmy' })
  assert.equal(given.statements[0]?.rows[0]?.date, '2024-02-01')
  assert.deepEqual(given.warnings, [])
  const american = read(file('1.50'))
  assert.equal(american.statements[0]?.rows[0]?.date, '2024-01-02')
  assert.equal(american.warnings.length, 1)
  const european = read(file('1,50'))
  assert.equal(european.statements[0]?.rows[0]?.date, '2024-02-01')
  assert.equal(european.warnings.length, 1)
})

test('splits that sum to the amount pass, others make the entry unreadable', () => {
  const file = (last: string): string => `!Type:Bank
D01/31/2024
T-100.00
PStore
SFood
EApples
$-60.10
SHome
$${last}
^
`
  assert.deepEqual(
    rowsOf(file('-39.90')).map(({ amountMinor }) => amountMinor),
    [-10000],
  )
  const [statement] = read(file('-39.00')).statements
  assert.equal(statement?.rows.length, 0)
  assert.equal(statement.unreadable[0]?.line, 2)
  assert.match(statement.unreadable[0].reason, /sum/)
})

test('a missing end, byte order mark, old line ends and unknown fields are accepted', () => {
  const expected = rowsOf('!Type:Bank\nD01/31/2024\nT-1.00\nPShop\n^\n')
  assert.equal(expected.length, 1)
  for (const text of [
    '\ufeff!Type:Bank\nD01/31/2024\nT-1.00\nPShop',
    '!Type:Bank\rD01/31/2024\rT-1.00\rPShop\r^\r',
    '!Type:Bank\r\nD01/31/2024\r\nT-1.00\r\nPShop\r\nZwhat\r\n~ever\r\n^\r\n',
    '!type:bank \nD01/31/2024\nT-1.00\nPShop\n^\n\n',
  ]) {
    assert.deepEqual(rowsOf(text), expected)
  }
})

test('entries with a wrong date or amount are told with line and reason', () => {
  const text = `!Type:Cash
D01/31/2024
T-1.00
^
D13/32/2024
T-1.00
PNo day
^
D01/30/2024
Tabc
^
D01/30/2024
^
T1.00
^
D01/30/2024
T1.005
^
D01/30/2024
T1.00
D01/29/2024
T2.00
^
`
  const [statement] = read(text).statements
  assert.equal(statement?.rows.length, 1)
  assert.deepEqual(
    statement.unreadable.map(({ line }) => line),
    [5, 9, 12, 14, 16, 19],
  )
  assert.equal(statement.unreadable[0]?.text, 'D13/32/2024 T-1.00 PNo day')
  const expected = [/not a date/, /not an amount/, /no amount/, /no date/, /more digits/, /without a \^/]
  for (const [index, reason] of expected.entries()) assert.match(statement.unreadable[index]?.reason ?? '', reason)
})

test('investments are skipped with a warning, and a file of nothing else is refused', () => {
  const investments = '!Type:Invst\nD01/31/2024\nNBuy\nYACME\nI10.00\nQ5\nT50.00\n^\n'
  const { statements, warnings } = read(`${checking}${investments}`)
  assert.equal(statements.length, 1)
  assert.ok(warnings.some((warning) => warning.includes('"invst" skipped: 1')))
  for (const text of [investments, '', 'D01/31/2024\nT1.00\n^\n', '!Type:Cat\nNFood\n^\n', '!Account\nNA\n^\n']) {
    assert.throws(() => read(text), UnreadableFile)
  }
})

test('the minor digits are of the currency of the account', () => {
  const minorOf = (currency: string) => rowsOf('!Type:Bank\nD01/31/2024\nT-1,500\n^\n', { currency }).map((row) => row.amountMinor)
  assert.deepEqual(minorOf('JPY'), [-1500])
  assert.deepEqual(minorOf('USD'), [-150000])
})

test('a file of more than 10 MiB is refused', () => {
  assert.throws(() => readQif(Buffer.alloc(10 * 1024 * 1024 + 1, '^\n'), options), UnreadableFile)
})

test('only files that open with a list look like QIF', () => {
  for (const text of [checking, `\ufeff\n${checking}`, '!Account\nNA', '!Option:MDY\n', '!type:ccard\r\n']) {
    assert.ok(looksLikeQif(Buffer.from(text)), text)
  }
  for (const text of ['', 'D1/1/24', 'a,b\nc,d', '<OFX>', '!important', ':20:']) {
    assert.equal(looksLikeQif(Buffer.from(text)), false, text)
  }
})

test('any amount reads back exactly in both manners', () => {
  const amounts = fc.integer({ min: -1_000_000_000, max: 1_000_000_000 })
  fc.assert(
    fc.property(amounts, fc.boolean(), (minor, european) => {
      const digits = String(Math.abs(minor)).padStart(3, '0')
      const whole = digits.slice(0, -2).replace(/\B(?=(\d{3})+$)/g, european ? '.' : ',')
      const numeral = `${minor < 0 ? '-' : ''}${whole}${european ? ',' : '.'}${digits.slice(-2)}`
      const text = `!Type:Bank\nD31/01/2024\nT${numeral}\n^\n`
      assert.deepEqual(
        rowsOf(text).map(({ amountMinor }) => amountMinor),
        [minor],
      )
    }),
  )
})

test('arbitrary bytes and mutated files are read or refused, and nothing else', () => {
  const harmless = (bytes: Uint8Array): void => {
    looksLikeQif(bytes)
    try {
      readQif(bytes, options)
    } catch (error) {
      if (!(error instanceof UnreadableFile)) throw error
    }
  }
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), harmless), { numRuns: 500 })
  const texts = ['!Type:Bank\n', '!Account\n', '^', '\n', 'D', 'T', '$', "1/ 5' 4", '-1.234,56', '\0', 'S', '!', 'N', '\r', ' ']
  const pieces = fc.constantFrom(...texts)
  const edits = fc.array(fc.tuple(fc.nat(), fc.nat(6), pieces), { maxLength: 8 })
  const mutated = edits.map((all) =>
    all.reduce((text, [where, length, piece]) => {
      const at = where % (text.length + 1)
      return text.slice(0, at) + piece + text.slice(at + length)
    }, checking),
  )
  fc.assert(
    fc.property(mutated, (text) => harmless(Buffer.from(text))),
    { numRuns: 1000 },
  )
  fc.assert(fc.property(fc.array(pieces, { maxLength: 60 }), (parts) => harmless(Buffer.from(parts.join('')))))
})
