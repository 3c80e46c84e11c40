// Exchange rates in the database: which is in force on a day, who may write them, and that no change of one is silent.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import fc from 'fast-check'
import { readRatesBetween, readRatesOn } from '../../src/features/rates/store.ts'
import { addDays, type Day } from '../../src/values/day.ts'
import { limits } from '../../src/values/limits.ts'
import { rateInForce } from '../../src/values/rate-series.ts'
import { open, type Djinn } from '../harness.ts'
import { asRole, refusalOf } from './app-role.ts'

const djinn = await open()
after(() => djinn.close())

type Given = [currency: string, day: Day, rate: string]

const put = (rates: readonly Given[], into: Djinn = djinn) =>
  into.sql(
    `insert into exchange_rates (currency, day, rate, source) select c, d, r, 'test' from unnest($1::text[], $2::date[], $3::numeric[]) g (c, d, r)`,
    [rates.map(([currency]) => currency), rates.map(([, day]) => day), rates.map(([, , rate]) => rate)],
  )
const ratesOn = async (...pairs: [currency: string, day: Day][]) =>
  (
    await djinn.resources.database
      .reader({})
      .run(readRatesOn, { currencies: pairs.map(([currency]) => currency), days: pairs.map(([, day]) => day) })
  ).map((row) => [row.currency, row.day, row.rate, row.rateDay])

test('the rate of a day is its own or the latest before, at most 10 days older, and never a later one', async () => {
  await put([
    ['USD', '2024-03-08', '1.08'],
    ['USD', '2024-03-11', '1.0925'],
    ['JPY', '2024-03-08', '160.45'],
  ])
  assert.equal(limits.rateAgeDaysMax, 10)
  const answered = await ratesOn(
    ['USD', '2024-03-11'],
    ['USD', '2024-03-10'],
    ['USD', '2024-03-07'],
    ['USD', '2024-03-21'],
    ['USD', '2024-03-22'],
    ['JPY', '2024-03-18'],
    ['JPY', '2024-03-19'],
    ['EUR', '2024-03-10'],
    ['CHF', '2024-03-11'],
    ['USD', '2024-03-11'],
  )
  assert.deepEqual(answered, [
    ['USD', '2024-03-11', '1.0925', '2024-03-11'],
    ['USD', '2024-03-10', '1.08', '2024-03-08'],
    ['USD', '2024-03-07', null, null],
    ['USD', '2024-03-21', '1.0925', '2024-03-11'],
    ['USD', '2024-03-22', null, null],
    ['JPY', '2024-03-18', '160.45', '2024-03-08'],
    ['JPY', '2024-03-19', null, null],
    ['EUR', '2024-03-10', '1', '2024-03-10'],
    ['CHF', '2024-03-11', null, null],
    ['USD', '2024-03-11', '1.0925', '2024-03-11'],
  ])
})

test('the rates between two days are those of the days and the one in force on the first', async () => {
  await put([
    ['SEK', '2024-01-05', '11.1'],
    ['SEK', '2024-01-12', '11.2'],
    ['SEK', '2024-01-19', '11.3'],
    ['SEK', '2024-01-26', '11.4'],
    ['NOK', '2024-01-02', '11.9'],
  ])
  const between = async (first: Day, last: Day) =>
    await djinn.resources.database.reader({}).run(readRatesBetween, { currencies: ['SEK', 'NOK', 'EUR', 'SEK'], first, last })
  assert.deepEqual(await between('2024-01-15', '2024-01-25'), [
    { currency: 'EUR', days: ['2024-01-15'], rates: ['1'] },
    { currency: 'SEK', days: ['2024-01-12', '2024-01-19'], rates: ['11.2', '11.3'] },
  ])
  assert.deepEqual(await between('2024-01-12', '2024-01-12'), [
    { currency: 'EUR', days: ['2024-01-12'], rates: ['1'] },
    { currency: 'NOK', days: ['2024-01-02'], rates: ['11.9'] },
    { currency: 'SEK', days: ['2024-01-12'], rates: ['11.2'] },
  ])
  const [, , later] = await between('2023-12-01', '2024-01-05')
  assert.deepEqual(later, { currency: 'SEK', days: ['2024-01-05'], rates: ['11.1'] })
})

test('the series in the process and the functions in the database hold the same rule', async () => {
  const start = '2023-01-01'
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(fc.integer({ min: 0, max: 120 }), { minLength: 1, maxLength: 20 }),
      fc.array(fc.integer({ min: 0, max: 140 }), { minLength: 1, maxLength: 20 }),
      async (givenDays, askedDays) => {
        await djinn.sql(`delete from exchange_rates where currency = 'HUF'`)
        await put(givenDays.map((offset) => ['HUF', addDays(start, offset), `${300 + offset}`]))
        const asked = askedDays.map((offset) => addDays(start, offset)).toSorted()
        const [series] = await djinn.resources.database
          .reader({})
          .run(readRatesBetween, { currencies: ['HUF'], first: asked[0]!, last: asked.at(-1)! })
        const naive = (day: Day) => {
          const found = givenDays
            .map((offset) => addDays(start, offset))
            .filter((each) => each <= day && each >= addDays(day, -limits.rateAgeDaysMax))
            .toSorted()
            .at(-1)
          return found ?? null
        }
        const told = await ratesOn(...asked.map((day): [string, Day] => ['HUF', day]))
        for (const [index, day] of asked.entries()) {
          assert.equal(told[index]![3], naive(day))
          assert.equal(rateInForce(series ?? { days: [], rates: [] }, day)?.day ?? null, naive(day))
        }
      },
    ),
    { numRuns: 40 },
  )
})

test('the app reads rates and writes none, and sees no corrections', async () => {
  const refused = [
    `insert into exchange_rates (currency, day, rate, source) values ('USD', '2024-01-01', 1, 'x')`,
    'update exchange_rates set rate = 2',
    'delete from exchange_rates',
    'truncate exchange_rates',
    'select from exchange_rate_corrections',
    `insert into exchange_rate_corrections (currency, day, old, old_source) values ('USD', '2024-01-01', 1, 'x')`,
  ]
  for (const text of refused) assert.equal((await refusalOf(asRole(djinn, {}, (run) => run(text))))?.code, '42501', text)
  const keeper = (text: string) => refusalOf(asRole(djinn, { role: 'djinn_keeper' }, (run) => run(text)))
  for (const text of ['update exchange_rate_corrections set old = 1', 'delete from exchange_rate_corrections', 'truncate exchange_rates']) {
    assert.equal((await keeper(text))?.code, '42501', text)
  }
})

test('what is no rate is kept out', async () => {
  const tomorrow = `(now() at time zone 'UTC')::date + 1`
  const drafts = [
    `('EUR', '2024-01-01', 1, 'test')`,
    `('usd', '2024-01-01', 1, 'test')`,
    `('US', '2024-01-01', 1, 'test')`,
    `('GBP', '2024-01-01', 0, 'test')`,
    `('GBP', '2024-01-01', -1, 'test')`,
    `('GBP', '2024-01-01', 'NaN', 'test')`,
    `('GBP', '2024-01-01', 'Infinity', 'test')`,
    `('GBP', '2024-01-01', 0.1234567890123, 'test')`,
    `('GBP', '2024-01-01', 1, '')`,
    `('GBP', '1899-12-31', 1, 'test')`,
    `('GBP', ${tomorrow}, 1, 'test')`,
  ]
  for (const draft of drafts) {
    const refusal = await refusalOf(djinn.sql(`insert into exchange_rates (currency, day, rate, source) values ${draft}`))
    assert.equal(refusal?.code, '23514', draft)
  }
})

test('whoever changes or removes a rate leaves what it was behind', async () => {
  await put([
    ['CZK', '2024-05-02', '25.1'],
    ['CZK', '2024-05-03', '25.2'],
  ])
  await djinn.sql(`update exchange_rates set rate = 25.10, source = 'again' where currency = 'CZK' and day = '2024-05-02'`)
  await djinn.sql(`update exchange_rates set rate = rate + 1, source = 'psql' where currency = 'CZK'`)
  await djinn.sql(`delete from exchange_rates where currency = 'CZK' and day = '2024-05-03'`)
  const kept = await djinn.sql(
    `select day::text, old, new, old_source as "oldSource", new_source as "newSource" from exchange_rate_corrections where currency = 'CZK' order by id`,
  )
  assert.deepEqual(kept, [
    { day: '2024-05-02', old: '25.10', new: '26.10', oldSource: 'again', newSource: 'psql' },
    { day: '2024-05-03', old: '25.2', new: '26.2', oldSource: 'test', newSource: 'psql' },
    { day: '2024-05-03', old: '26.2', new: null, oldSource: 'psql', newSource: null },
  ])
  const moved = await refusalOf(djinn.sql(`update exchange_rates set day = '2024-05-06' where currency = 'CZK'`))
  assert.deepEqual([moved?.code, moved?.constraint], ['23514', 'rate_keeps_its_day'])
  await djinn.verify()
})

test('verify tells a rate that was changed behind the trigger', async () => {
  await using other = await open()
  await put([['USD', '2024-05-02', '1.1']], other)
  await other.sql(`update exchange_rates set rate = 1.2`)
  await other.verify()
  await other.sql(`set session_replication_role = replica; update exchange_rates set rate = 1.3; reset session_replication_role`)
  const [finding, ...others] = await other.broken()
  assert.deepEqual([finding?.name, finding?.broken, others], ['rates', 1, []])
  await other.sql(`set session_replication_role = replica; delete from exchange_rates; reset session_replication_role`)
  assert.deepEqual(
    (await other.broken()).map(({ name }) => name),
    ['rates'],
  )
})

test('a rate is found by one look into the index for each pair, in a history of 25 years', async () => {
  await using large = await open()
  const currencies = Array.from(
    { length: 40 },
    (_, nth) => `Q${String.fromCharCode(65 + (nth % 26))}${String.fromCharCode(65 + Math.floor(nth / 26))}`,
  )
  await large.sql(
    `insert into exchange_rates (currency, day, rate, source) select c, d, 1.5, 'test'
    from unnest($1::text[]) c, generate_series('1999-01-04'::date, '2023-12-29'::date, '1 day') d where extract(isodow from d) < 6`,
    [currencies],
  )
  await large.sql('analyze exchange_rates')
  const explain = async (text: string) => {
    const [row] = await large.sql<{ 'QUERY PLAN': { Plan: unknown }[] }>(`explain (analyze, buffers, format json) ${text}`)
    return JSON.stringify(row!['QUERY PLAN'])
  }
  for (const text of [
    `select * from rates_on(array['QAA', 'QBB', 'QCA'], array['2010-05-16', '2020-02-29', '1999-01-01']::date[])`,
    `select * from rates_between(array['QAA', 'QBB'], '2019-01-01', '2019-12-31')`,
  ]) {
    const plan = await explain(text)
    assert.match(plan, /exchange_rates_pkey/)
    assert.doesNotMatch(plan, /Seq Scan/)
  }
})
