// What the statements of every day read, at volume: never a household table from end to end, and little more than they answer.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { declaredStatements } from '../../src/resources/statement.ts'
import { open } from '../harness.ts'
import { coldStatements } from './cold-statements.ts'
import { plansOf, type Ran } from './plans.ts'
import { makeNouns, readAll, signIn, syncAndWrite } from './requests.ts'
import { fillVolume, spread } from './volume.ts'

// Those of commands are declared with their files.
await Promise.all([import('../../src/features/backups/store.ts'), import('../../src/features/inspecting/store.ts')])

/** Rows of a page and the one that says that there is another. */
const pageRows = 101
/** Rows that a statement may read for each that it gives, or for none. */
const factor = 3

/** What reads more, by the beginning of its name or text: how much, for each row that it gives, and why. */
const readsMore: readonly { of: RegExp; factor: number; why: string; sorts?: true }[] = [
  { of: /^transactions\.list.* q/, factor: Infinity, sorts: true, why: 'words are looked for in all rows, or on the way along the dates' },
  {
    of: /^transactions\.list.* (status|amountMin|amountMax|updatedSince)/,
    factor: Infinity,
    why: 'a filter without an index drops rows on the way along the dates',
  },
  { of: /^audit\.list .*kind/i, factor: Infinity, why: 'entries of other kinds are dropped on the way' },
  { of: /\.list\.since/, factor: Infinity, why: 'rows of before are dropped on the way; a phone that wants what is new asks /api/sync' },
  { of: /^transfers\.(list|read)/, factor: 7, why: 'a transfer is shown with both legs, each of which names the other' },
  { of: /^transfers\.patchLegs/, factor: 6, why: 'two accounts for each leg' },
  { of: /^feeds\.handWritten/, factor: 100, why: 'an entry may be what somebody wrote by hand in the days around it' },
  { of: /^feeds\./, factor: 10, why: 'a feed is shown with its keys and use; a push looks in three places for each row' },
  { of: /^refreshTokens\./, factor: 10, why: 'there is one page of them here' },
  { of: /^reports\./, factor: 2_000, why: 'a sum is one row; test/database/report-rows.test.ts counts what it is of' },
  { of: /^bills\.expected/, factor: 10, why: 'a plan is one row of all bills' },
  { of: /^journal\.changedColumns/, factor: 200, why: 'one row of all changes since the revision that a phone knows' },
  { of: /^with recursive (asked|rose|tree)/, factor: 10_000, sorts: true, why: 'a budget sums its periods' },
  { of: /^select m\.household_id, m\.role/, factor: 15, why: 'a household is told with the digest of each kind' },
  {
    of: /^(with candidates|with wanted|update bill_occurrences|delete from bill_payments)/,
    factor: 100,
    why: 'rows that may pay a bill are those of the days around it',
  },
  {
    of: /^(select case when a\.id is null|exists \( select from unnest|with lines)/,
    factor: 200,
    why: 'what a row is booked on is held against accounts and categories of the household',
  },
  {
    of: /^exists \(select from transactions t where t\.household_id = new\.household_id and t\.category_id/,
    factor: Infinity,
    why: 'that nothing is booked on a category is known once all is seen; it is deleted once',
  },
]

const djinn = await open()
after(() => djinn.close())
const ran: Ran[] = []
let large: Set<string>

before(async () => {
  const person = await fillVolume(djinn)
  const nouns = await makeNouns(djinn, person)
  const empty = await spread(djinn, person)
  assert.deepEqual(
    empty,
    ['deliveries', 'email_links', 'erasures', 'recovery_codes', 'restores', 'second_factors'],
    'all else has rows of many',
  )
  const tables = await djinn.sql<{ name: string }>(
    `select relname as name from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r' and relpages > 1`,
  )
  large = new Set(tables.map(({ name }) => name))
  for (const mode of ['force_custom_plan', 'force_generic_plan'] as const) {
    ran.push(
      ...(await plansOf(djinn, mode, async () => {
        await readAll(person, nouns)
        await syncAndWrite(djinn, person, nouns)
        await signIn(djinn, person)
      })),
    )
  }
})

/** Each statement once, with what went furthest past the promise. */
function broken(excess: (one: Ran) => string | undefined): string[] {
  const found = new Map<string, string>()
  for (const one of ran) {
    const said = excess(one)
    if (said !== undefined) found.set(one.name, `${one.name}: ${said} (${one.indexes.join(', ')})`)
  }
  return [...found.values()]
}

test('every declared statement runs here, or says why it is none of every day', () => {
  const seen = new Set(ran.map(({ name }) => name))
  const cold = new Set(coldStatements.flatMap(({ names }) => names))
  const declared = [...declaredStatements().keys()]
  assert.deepEqual(
    declared.filter((name) => !seen.has(name) && !cold.has(name)),
    [],
    'neither',
  )
  assert.deepEqual(
    [...cold].filter((name) => !declared.includes(name)),
    [],
    'named as cold, and not there',
  )
})

test('none reads a table of more than a page from end to end', () => {
  assert.ok(large.size > 30, `only ${[...large].join(', ')}`)
  assert.deepEqual(
    broken(({ scanned }) => scanned.find((table) => large.has(table))),
    [],
  )
})

test('none sorts more than a page of rows, but for those that say so', () => {
  const may = (name: string) => readsMore.some(({ of, sorts }) => sorts && of.test(name))
  assert.deepEqual(
    broken(({ name, rowsSorted }) => (rowsSorted > pageRows && !may(name) ? `sorts ${rowsSorted}` : undefined)),
    [],
  )
})

test('none reads more than three rows for each that it gives, but for those that say why', (t) => {
  const allowed = (name: string) => readsMore.find(({ of }) => of.test(name))?.factor ?? factor
  assert.deepEqual(
    broken(({ name, rowsRead, rowsGiven }) =>
      rowsRead > allowed(name) * Math.max(1, rowsGiven) ? `reads ${rowsRead} for ${rowsGiven}` : undefined,
    ),
    [],
  )
  const unused = readsMore.filter(({ of }) => !ran.some(({ name }) => of.test(name)))
  assert.deepEqual(unused, [], 'allowed, and not there')
  t.diagnostic(`${ran.length} plans of ${new Set(ran.map(({ name }) => name)).size} statements`)
})
