// The evaluation of rules in PostgreSQL against the same written plainly, and what the tables refuse whoever writes.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import pg from 'pg'
import { newId } from '../../src/values/id.ts'
import { open, type Person } from '../harness.ts'
import { asRole, refusalOf, type Run } from './app-role.ts'

const djinn = await open()
const admin = new pg.Client({ connectionString: djinn.adminUrl })
// The database may be dropped first, with whoever is connected to it.
admin.on('error', () => {})
await admin.connect()
after(async () => {
  await admin.end()
  await djinn.close()
})

let ana: Person
let accounts: string[]
let categories: string[]
before(async () => {
  ana = await djinn.person()
  accounts = [await ana.account(), await ana.account({ name: 'Savings' })]
  categories = []
  for (const name of ['One', 'Two', 'Three']) categories.push((await ana.post('/api/categories', { name, kind: 'expense' })).body.id)
})
const write = <T>(work: (run: Run) => Promise<T>) => asRole(djinn, { household: ana.householdId, user: ana.userId }, work)

type Condition = { field: string; operator: string; value: unknown }
type Actions = { categoryId?: string; payee?: string; note?: string }
type Rule = { match: 'all' | 'any'; conditions: Condition[]; actions: Actions; stop: boolean }
type Row = {
  id: string
  account: string
  amount: number
  payee: string
  rawPayee: string | null
  note: string
  category: string | null
  split: boolean
  edited: string[]
}

/** As people read it: no case, one encoding. By code points, since the last letter of a word has no form of its own to us. */
const fold = (value: string | null) => Array.from((value ?? '').normalize('NFKC'), (letter) => letter.toLowerCase()).join('')

function holds({ field, operator, value }: Condition, row: Row): boolean {
  if (field === 'account') return row.account === value
  if (field === 'amount') {
    const { min, max } = value as { min: number; max: number }
    const judged: Record<string, boolean> = {
      is: row.amount === value,
      atLeast: row.amount >= (value as number),
      atMost: row.amount <= (value as number),
      between: row.amount >= min && row.amount <= max,
    }
    return judged[operator]!
  }
  const [shown, wanted] = [fold(row[field as 'payee']), fold(value as string)]
  return { is: shown === wanted, contains: shown.includes(wanted), startsWith: shown.startsWith(wanted), endsWith: shown.endsWith(wanted) }[
    operator
  ]!
}

/** Rule by rule, row by row, as the documentation tells it. */
function naive(rules: Rule[], row: Row) {
  const matched: number[] = []
  const wins: Record<string, { by: number; value: string }> = {}
  for (const [index, rule] of rules.entries()) {
    const matches =
      rule.match === 'all' ? rule.conditions.every((each) => holds(each, row)) : rule.conditions.some((each) => holds(each, row))
    if (!matches) continue
    matched.push(index + 1)
    for (const [field, value] of Object.entries(rule.actions)) wins[field] ??= { by: index + 1, value }
    if (rule.stop) break
  }
  const change = (field: 'categoryId' | 'payee' | 'note', current: string | null, free: boolean) => {
    const won = wins[field]
    return won && free && won.value !== current ? won : null
  }
  return {
    matched,
    category: change('categoryId', row.category, !row.split && !row.edited.includes('category_id')),
    payee: change('payee', row.payee, !row.edited.includes('payee')),
    note: change('note', row.note, !row.edited.includes('note')),
  }
}

const most = Number.MAX_SAFE_INTEGER
// Letters of several scripts, composed and not, ligatures and widths, and all that SQL, LIKE, format() or a regular expression would take for its own.
const letters = [
  'a',
  'A',
  'b',
  'é',
  'e\u0301',
  'É',
  'ß',
  'ﬁ',
  'Ａ',
  'Ж',
  'ж',
  'Σ',
  '字',
  '👍',
  ' ',
  '%',
  '_',
  '\\',
  "'",
  '"',
  '.',
  '*',
  '(',
  '+',
  ')',
  '$1',
  '%s',
  '%L',
  '{}',
  '--',
  '\n',
]
const text = fc.array(fc.constantFrom(...letters), { maxLength: 5 }).map((parts) => parts.join(''))
const value = text.filter((each) => each !== '')
const amount = fc.oneof(fc.constantFrom(-most, most, 0, -1, 1), fc.integer({ min: -20, max: 20 }))
const draws = <T>(from: () => T[]) => fc.nat(100).map((index) => from()[index % from().length]!)

const condition: fc.Arbitrary<Condition> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      field: fc.constantFrom('payee', 'rawPayee', 'note'),
      operator: fc.constantFrom('is', 'contains', 'contains', 'startsWith', 'endsWith'),
      value,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ field: fc.constant('amount'), operator: fc.constantFrom('is', 'atLeast', 'atMost'), value: amount }),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(amount, amount)
      .map(([a, b]) => ({ field: 'amount', operator: 'between', value: { min: Math.min(a, b), max: Math.max(a, b) } })),
  },
  { weight: 1, arbitrary: draws(() => accounts).map((account) => ({ field: 'account', operator: 'is', value: account })) },
)
const rule: fc.Arbitrary<Rule> = fc.record({
  match: fc.constantFrom('all' as const, 'any' as const),
  conditions: fc.array(condition, { minLength: 1, maxLength: 3 }),
  actions: fc
    .record({ categoryId: draws(() => categories), payee: value, note: value }, { requiredKeys: [] })
    .filter((actions) => Object.keys(actions).length > 0),
  stop: fc.boolean(),
})
const row: fc.Arbitrary<Row> = fc.record({
  id: fc.constant('').map(() => newId()),
  account: draws(() => accounts),
  amount,
  payee: text,
  rawPayee: fc.option(text),
  note: text,
  category: fc.option(draws(() => categories)),
  split: fc.boolean(),
  edited: fc.subarray(['category_id', 'payee', 'note', 'date']),
})

test('what PostgreSQL makes of random rules and rows is what the same rules make of them read plainly', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(rule, { minLength: 1, maxLength: 6 }),
      fc.array(row, { minLength: 1, maxLength: 12 }),
      async (rules, rows) => {
        const seen = await outcomesOf(rules, rows)
        const wanted = rows.map((each) => ({ id: each.id, ...naive(rules, each) })).toSorted((a, b) => (a.id < b.id ? -1 : 1))
        assert.deepEqual(seen, wanted)
      },
    ),
    { numRuns: 150 },
  )
})

/** The outcomes of rows that are there for as long as it takes; without the books, which would not hold all of these amounts. */
async function outcomesOf(rules: Rule[], rows: Row[]) {
  const drafts = rows.map((each) => ({
    household_id: ana.householdId,
    id: each.id,
    account_id: each.account,
    amount: each.amount,
    payee: each.payee,
    raw_payee: each.rawPayee,
    note: each.note,
    category_id: each.category,
    splits: each.split ? [{ amount: each.amount }, { amount: 0 }] : null,
    edited_fields: each.edited,
  }))
  const kept = [ana.householdId, JSON.stringify(rules), JSON.stringify({ transactionIds: rows.map((each) => each.id) })]
  await admin.query('begin')
  try {
    await admin.query('set local session_replication_role = replica')
    await admin.query(
      `insert into transactions (household_id, id, account_id, currency, date, amount, payee, raw_payee, note, category_id, splits, edited_fields)
      select household_id, id, account_id, 'EUR', '2026-02-01', amount, payee, raw_payee, note, category_id, splits, edited_fields
      from jsonb_populate_recordset(null::transactions, $1)`,
      [JSON.stringify(drafts)],
    )
    const { rows: found } = await admin.query('select * from rule_outcomes($1, $2, $3, null, 1000) order by id', kept)
    return found.map(presentOutcome)
  } finally {
    await admin.query('rollback')
  }
}

function presentOutcome(each: Record<string, never>) {
  const settled = (by: number | null, set: string | null) => (by === null ? null : { by, value: set })
  return {
    id: each['id'],
    matched: each['matched'],
    category: settled(each['category_by']!, each['category_after']!),
    payee: settled(each['payee_by']!, each['payee_after']!),
    note: settled(each['note_by']!, each['note_after']!),
  }
}

const insertRule = (run: Run, draft: Record<string, unknown> = {}) => {
  const made = {
    position: 1,
    conditions: [{ field: 'payee', operator: 'is', value: 'x' }],
    actions: { note: 'y' },
    ...draft,
  }
  return run(
    `insert into rules (household_id, id, name, position, match, conditions, actions) values ($1, $2, 'Rule', $3, 'all', $4, $5)`,
    [ana.householdId, draft['id'] ?? newId(), made.position, JSON.stringify(made.conditions), JSON.stringify(made.actions)],
  )
}

test('the table takes no condition and no action that the evaluation does not know', async () => {
  const conditions: unknown[] = [
    {},
    [],
    Array.from({ length: 21 }, () => ({ field: 'payee', operator: 'is', value: 'x' })),
    [{ field: 'payee', operator: 'like', value: 'x' }],
    [{ field: 'payee', operator: 'is', value: '' }],
    [{ field: 'payee', operator: 'is', value: 5 }],
    [{ field: 'payee', operator: 'is', value: 'x'.repeat(201) }],
    [{ field: 'status', operator: 'is', value: 'posted' }],
    [{ field: 'amount', operator: 'is', value: '5' }],
    [{ field: 'amount', operator: 'is', value: 0.5 }],
    [{ field: 'amount', operator: 'atMost', value: 9007199254740992 }],
    [{ field: 'amount', operator: 'between', value: { min: 1 } }],
    [{ field: 'account', operator: 'is', value: `x' or true --` }],
    ['payee'],
    [null],
  ]
  for (const each of conditions) {
    const refusal = await refusalOf(write((run) => insertRule(run, { conditions: each })))
    assert.deepEqual([refusal?.code, refusal?.constraint], ['23514', 'rule_conditions'], JSON.stringify(each))
  }
  for (const each of [{}, [], { amount: 1 }, { payee: null }, { payee: '' }, { note: 'x'.repeat(2_001) }, { payee: 'x'.repeat(201) }]) {
    const refusal = await refusalOf(write((run) => insertRule(run, { actions: each })))
    assert.deepEqual([refusal?.code, refusal?.constraint], ['23514', 'rule_actions'], JSON.stringify(each))
  }
})

test('two live rules never share a position, and none names what is of another household or gone', async () => {
  const ben = await djinn.person()
  const theirs = (await ben.post('/api/categories', { name: 'Theirs', kind: 'expense' })).body.id
  const refused = async (constraint: string, work: (run: Run) => Promise<unknown>) => {
    const refusal = await refusalOf(write(work))
    assert.equal(refusal?.constraint, constraint, refusal?.message ?? 'done')
  }
  await refused('rule_position', async (run) => {
    await insertRule(run)
    await insertRule(run)
  })
  await refused('rule_category', (run) => insertRule(run, { actions: { categoryId: theirs } }))
  await refused('rule_account', async (run) =>
    insertRule(run, { conditions: [{ field: 'account', operator: 'is', value: await ben.account() }] }),
  )
  const id = newId()
  await write((run) => insertRule(run, { id, actions: { categoryId: categories[0] } }))
  await refused('category_unruled', (run) =>
    run('update categories set deleted_at = now() where household_id = $1 and id = $2', [ana.householdId, categories[0]]),
  )
  for (const order of [
    'delete from rules',
    'update rules set category_id = null',
    'update rules set revision = 0',
    'update rule_runs set rule_ids = null',
    'update rule_run_changes set payee_before = null',
    'delete from rule_run_changes',
    `select forget_rules(now(), 1)`,
  ]) {
    assert.match((await refusalOf(write((run) => run(order))))?.code ?? 'done', /^(42501|428C9)$/, order)
  }
  await djinn.sql(
    `do $$ begin
      set local session_replication_role = replica;
      update categories set deleted_at = now() where id = '${categories[0]}';
    end $$`,
  )
  assert.equal((await djinn.broken()).find(({ name }) => name === 'rules')?.broken, 1)
})
