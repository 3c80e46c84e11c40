// The balance on a date: as it is known now, and as it was known at an instant.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import pg from 'pg'
import { newId } from '../../src/values/id.ts'
import { assertRefused, open, type Person } from '../harness.ts'

const djinn = await open()
after(() => djinn.close())

const add = async (person: Person, accountId: string, date: string, amount: number, draft: object = {}): Promise<string> => {
  const { status, body, text } = await person.post('/api/transactions', { accountId, date, amount, ...draft })
  assert.equal(status, 201, text)
  return body.id
}

/** The instant it is in the database: everything written is before it, all that comes is behind it. */
const instant = async (): Promise<string> => {
  const [row] = await djinn.sql<{ at: string }>(
    `select to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as at`,
  )
  return row!.at
}

const balance = async (person: Person, account: string, date: string, knownAt?: string): Promise<number> => {
  const { status, body, text } = await person.get(
    `/api/reports/balance?account=${account}&date=${date}${knownAt === undefined ? '' : `&knownAt=${knownAt}`}`,
  )
  assert.equal(status, 200, text)
  assert.equal(body.data.length, 1)
  return body.data[0].balance
}

test('the balance on a day counts posted rows up to its end, on every day of a month', async () => {
  const ana = await djinn.person()
  const account = await ana.account({ openingBalance: 1_000 })
  for (const day of ['01', '02', '15', '16', '17', '28']) await add(ana, account, `2026-02-${day}`, -1)
  await add(ana, account, '2026-02-16', -500, { status: 'pending' })
  await add(ana, account, '2026-01-31', 10)
  await add(ana, account, '2026-03-01', 100)
  const expected: Record<string, number> = {
    '1900-01-01': 1_000,
    '2026-01-30': 1_000,
    '2026-01-31': 1_010,
    '2026-02-01': 1_009,
    '2026-02-14': 1_008,
    '2026-02-15': 1_007,
    '2026-02-16': 1_006,
    '2026-02-17': 1_005,
    '2026-02-28': 1_004,
    '2026-03-01': 1_104,
    '2199-12-31': 1_104,
  }
  for (const [day, amount] of Object.entries(expected)) {
    assert.equal(await balance(ana, account, day), amount, day)
    assert.equal(await balance(ana, account, day, '2199-12-31T23:59:59Z'), amount, `${day}, known for long`)
  }
})

test('without a date it is of today, of all accounts, with their sum in the base currency', async () => {
  const ana = await djinn.person({ timeZone: 'Pacific/Kiritimati' })
  const today = Temporal.Now.plainDateISO('Pacific/Kiritimati')
  const [euros, dollars, closed] = [
    await ana.account({ openingBalance: 5 }),
    await ana.account({ currency: 'USD', openingBalance: 7 }),
    await ana.account({ openingBalance: 3 }),
  ]
  await ana.patch(`/api/accounts/${closed}`, { closedAt: '2026-01-01T00:00:00Z' })
  await add(ana, euros, today.toString(), 20)
  await add(ana, euros, today.add({ days: 1 }).toString(), 400)
  const { body } = await ana.get('/api/reports/balance')
  assert.deepEqual(body, {
    date: today.toString(),
    knownAt: null,
    currency: 'EUR',
    data: [
      { accountId: euros, currency: 'EUR', balance: 25, converted: 25 },
      { accountId: dollars, currency: 'USD', balance: 7, converted: null },
      { accountId: closed, currency: 'EUR', balance: 3, converted: 3 },
    ].toSorted((a, b) => (a.accountId < b.accountId ? -1 : 1)),
    total: 28,
    rates: [],
    unconverted: [{ currency: 'USD', amount: 7 }],
  })
})

test('what comes later changes what is known now and not what was known then', async () => {
  const ana = await djinn.person()
  const account = await ana.account({ openingBalance: 100 })
  const opened = await instant()
  const row = await add(ana, account, '2026-01-10', -30)
  const posted = await instant()
  await ana.patch(`/api/transactions/${row}`, { amount: -40 })
  const corrected = await instant()
  await ana.patch(`/api/transactions/${row}`, { date: '2026-03-10' })
  const moved = await instant()
  await add(ana, account, '2026-01-05', -7)
  const lateDated = await instant()
  await ana.delete(`/api/transactions/${row}`)
  const deleted = await instant()
  await ana.patch(`/api/accounts/${account}`, { openingBalance: 1_000 })
  const reopened = await instant()
  await ana.post(`/api/transactions/${row}/restore`)
  const restored = await instant()
  const known = { opened: 100, posted: 70, corrected: 60, moved: 100, lateDated: 93, deleted: 93, reopened: 993, restored: 993 }
  const instants: Record<string, string> = { opened, posted, corrected, moved, lateDated, deleted, reopened, restored }
  for (const [name, amount] of Object.entries(known)) assert.equal(await balance(ana, account, '2026-01-31', instants[name]), amount, name)
  assert.equal(await balance(ana, account, '2026-03-31', restored), 953)
  assert.equal(await balance(ana, account, '2026-03-31', deleted), 93)
  assert.equal(await balance(ana, account, '2026-01-31'), 993)
})

test('a row counts from the instant that the audit trail gives, to the microsecond', async () => {
  const ana = await djinn.person()
  const account = await ana.account()
  const row = await add(ana, account, '2026-01-10', -30)
  const { body } = await ana.get(`/api/audit?entity=${row}`)
  const { at } = body.data[0]
  assert.equal(await balance(ana, account, '2026-01-31', at), -30)
  const [before] = await djinn.sql<{ at: string }>(
    `select to_char(($1::timestamptz - interval '1 microsecond') at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as at`,
    [at],
  )
  assert.equal(await balance(ana, account, '2026-01-31', before!.at), 0)
  const offset = Temporal.Instant.from(at).toZonedDateTimeISO('+02:00').toString({ timeZoneName: 'never' })
  assert.equal(await balance(ana, account, '2026-01-31', encodeURIComponent(offset)), -30, 'an offset is another name of the same instant')
})

test('a since deleted account is there when it was there then', async () => {
  const ana = await djinn.person()
  const before = await instant()
  const account = await ana.account({ openingBalance: 55 })
  const opened = await instant()
  await ana.delete(`/api/accounts/${account}`)
  const gone = await instant()
  assert.equal(await balance(ana, account, '2026-01-31', opened), 55)
  for (const path of [`knownAt=${before}`, `knownAt=${gone}`, 'date=2026-01-31']) {
    assertRefused(await ana.get(`/api/reports/balance?account=${account}&${path}`), 404, 'account-not-found', '?account')
    const all = await ana.get(`/api/reports/balance?${path}`)
    assert.deepEqual([all.body.data, all.body.total], [[], 0], path)
  }
})

test('both legs of a transfer and all rows of one transaction are known at once', async () => {
  const ana = await djinn.person()
  const [from, to] = [await ana.account(), await ana.account()]
  const before = await instant()
  await ana.post('/api/transfers', { fromAccountId: from, toAccountId: to, date: '2026-01-10', amount: 9 })
  const moved = await instant()
  assert.deepEqual([await balance(ana, from, '2026-01-10', before), await balance(ana, to, '2026-01-10', before)], [0, 0])
  assert.deepEqual([await balance(ana, from, '2026-01-10', moved), await balance(ana, to, '2026-01-10', moved)], [-9, 9])
})

test('a write counts from when its transaction began, though another began later and ended before', async () => {
  const ana = await djinn.person()
  const account = await ana.account()
  const slow = new pg.Client({ connectionString: djinn.resources.config.databaseUrl! })
  await slow.connect()
  try {
    await slow.query('begin')
    await slow.query(`select now(), set_config('djinn.household', $1, true), set_config('role', 'djinn_app', true)`, [ana.householdId])
    const between = await instant()
    await add(ana, account, '2026-01-10', -1)
    const quickKnown = await instant()
    assert.equal(await balance(ana, account, '2026-01-31', quickKnown), -1)
    await slow.query(
      `insert into transactions (household_id, id, account_id, currency, date, amount) values ($1, $2, $3, 'EUR', '2026-01-11', -20)`,
      [ana.householdId, newId(), account],
    )
    await slow.query('commit')
    assert.equal(await balance(ana, account, '2026-01-31', between), -20, 'it began before')
    assert.equal(await balance(ana, account, '2026-01-31', quickKnown), -21)
  } finally {
    await slow.end()
  }
})

/** As if the household had learned everything so far at this instant: only the administrator can write into the past. */
async function learnedAt(person: Person, at: string) {
  const client = new pg.Client({ connectionString: djinn.adminUrl })
  await client.connect()
  try {
    await client.query(`begin; set local time zone 'UTC'; set local session_replication_role = replica`)
    const values = [person.householdId, at]
    await client.query(
      `update balance_changes set known_at = $2::timestamptz where household_id = $1 and known_at > now() - interval '1 hour'`,
      values,
    )
    await client.query('delete from balance_months where household_id = $1', [person.householdId])
    await client.query(
      `insert into balance_months select household_id, account_id, date_trunc('month', known_at)::date, date_trunc('month', date)::date, sum(posted)
       from balance_changes where household_id = $1 group by 1, 2, 3, 4`,
      [person.householdId],
    )
    await client.query('update accounts set created_at = least(created_at, $2::timestamptz) where household_id = $1', values)
    await client.query('commit')
  } finally {
    await client.end()
  }
}

test('months of knowledge begin and end in UTC, to the microsecond', async () => {
  const ana = await djinn.person({ timeZone: 'Pacific/Kiritimati' })
  const account = await ana.account()
  await add(ana, account, '2025-05-20', -1)
  await learnedAt(ana, '2025-05-31T23:59:59.999999Z')
  await add(ana, account, '2025-05-20', -20)
  await learnedAt(ana, '2025-06-01T00:00:00Z')
  await add(ana, account, '2025-05-20', -300)
  await learnedAt(ana, '2025-06-15T23:59:59.999999Z')
  await add(ana, account, '2025-06-20', -4_000)
  await learnedAt(ana, '2025-06-16T00:00:00Z')
  const known: [string, number, number][] = [
    ['2025-05-31T23:59:59.999999Z', -1, -1],
    ['2025-06-01T00:00:00Z', -21, -21],
    ['2025-06-01T14:00:00%2B14:00', -21, -21],
    ['2025-06-01T13:59:59.999999%2B14:00', -1, -1],
    ['2025-06-15T23:59:59.999998Z', -21, -21],
    ['2025-06-15T23:59:59.999999Z', -321, -321],
    ['2025-06-16T00:00:00Z', -321, -4_321],
    ['2025-07-01T00:00:00Z', -321, -4_321],
    ['2199-12-31T23:59:59Z', -321, -4_321],
  ]
  for (const [at, may, june] of known) {
    assert.deepEqual([await balance(ana, account, '2025-05-31', at), await balance(ana, account, '2025-06-30', at)], [may, june], at)
    assert.equal(await balance(ana, account, '2025-05-19', at), 0, at)
  }
  assertRefused(
    await ana.get(`/api/reports/balance?account=${account}&knownAt=2025-05-31T23:59:59.999998Z`),
    404,
    'account-not-found',
    '?account',
  )
  await djinn.verify()
})

test('sums pass 2^53 on the way and are right at the end', async () => {
  const ana = await djinn.person()
  const account = await ana.account()
  const most = Number.MAX_SAFE_INTEGER
  await add(ana, account, '2026-01-01', most)
  await add(ana, account, '2026-03-01', -most)
  await add(ana, account, '2026-02-01', most)
  assert.equal(await balance(ana, account, '2026-01-31'), most)
  assertRefused(await ana.get('/api/reports/balance?date=2026-02-20'), 422, 'amount-out-of-range')
  assertRefused(await ana.get('/api/reports/balance?date=2026-02-20&knownAt=2199-01-01T00:00:00Z'), 422, 'amount-out-of-range')
  assert.equal(await balance(ana, account, '2026-03-01'), most)
})

test('a malformed day or instant is refused where it stands', async () => {
  const ana = await djinn.person()
  for (const [query, pointer] of [
    ['date=2026-02-29', '?date'],
    ['date=2200-01-01', '?date'],
    ['date=2026-2-1', '?date'],
    ['knownAt=2026-01-01', '?knownAt'],
    ['knownAt=2026-01-01T00:00:00', '?knownAt'],
    ['knownAt=1899-12-31T00:00:00Z', '?knownAt'],
    ['knownat=2026-01-01T00:00:00Z', '?knownat'],
    ['account=x', '?account'],
  ] as const) {
    assertRefused(await ana.get(`/api/reports/balance?${query}`), 400, 'invalid-request', pointer)
  }
})
