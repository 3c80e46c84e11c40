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
  assert.equal(statements[0]?.key, 'qif')
  assert.equal(statements[0].currency, null)
  assert.deepEqual(statements[0].rows[0], {
    line: 2,
    date: '2024-01-31',
    amountMinor: -123456,
    payee: 'Corner Grocery',
    rawPayee: 'Corner Grocery',
    note: 'Check 1042, Weekly shopping',
    externalId: null,
    status: 'posted',
    original: null,
  })
  assert.deepEqual(statements[0].rows[1], {
    ...statements[0].rows[0],
    line: 13,
    date: '2004-01-05',
    amountMinor: 200000,
    payee: 'ACME Payroll',
    rawPayee: 'ACME Payroll',
    note: null,
  })
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
