// SQL of the exchange rates: units of a currency for one euro, by day. They are the service's own, of no household.
import { statement } from '../../resources/statement.ts'

/** For pairs of a currency and a day, in their order: the rate in force and its own day, null where there is none. */
export const readRatesOn = statement(
  'rates.on',
  { currencies: 'text[]', days: 'date[]' },
  { currency: 'text', day: 'date', rate: 'numeric?', rateDay: 'date?' },
  'select currency, day, rate, rate_day as "rateDay" from rates_on(:currencies, :days)',
)

/** A `RateSeries` for each of the currencies that has any rate in force from the first day to the last. */
export const readRatesBetween = statement(
  'rates.between',
  { currencies: 'text[]', first: 'date', last: 'date' },
  { currency: 'text', days: 'text[]', rates: 'text[]' },
  `select currency, array_agg(day::text order by day) as days, array_agg(rate::text order by day) as rates
  from rates_between(:currencies, :first, :last) group by currency order by currency`,
)

/** Every currency with a rate in force on the day. */
export const listRatesOn = statement(
  'rates.list',
  { currencies: 'text[]', day: 'date' },
  { currency: 'text', day: 'date', rate: 'numeric', source: 'text' },
  `select r.currency, r.day, r.rate, r.source
  from unnest(:currencies) w (currency)
  join lateral (
    select * from exchange_rates e where e.currency = w.currency and e.day between :day - 10 and :day order by e.day desc limit 1
  ) r on true
  order by r.currency`,
)

const chunk = { currencies: 'text[]', days: 'date[]', rates: 'text[]' } as const
const given = 'unnest(:currencies, :days, :rates::numeric[]) g (currency, day, rate)'

/** Adds what is not there yet and answers how many that were. In order of the key, so that two imports at once wait for each other and never in a circle. */
export const addRates = statement(
  'rates.add',
  { ...chunk, source: 'text' },
  { added: 'int8' },
  `with added as (
    insert into exchange_rates (currency, day, rate, source)
    select g.currency, g.day, trim_scale(g.rate), :source from ${given} order by g.currency, g.day
    on conflict do nothing returning 1
  )
  select count(*) as added from added`,
)

/** Rates that are there with another value. Looked up one by one: a join would read the whole table for each chunk. */
export const differingRates = statement(
  'rates.differing',
  { ...chunk, rows: 'int4' },
  { currency: 'text', day: 'date', old: 'numeric', new: 'numeric', source: 'text', count: 'int8' },
  `select g.currency, g.day, r.rate as old, trim_scale(g.rate) as new, r.source, count(*) over () as count
  from ${given}
  cross join lateral (select e.rate, e.source from exchange_rates e where e.currency = g.currency and e.day = g.day limit 1) r
  where r.rate <> g.rate order by g.currency, g.day limit :rows`,
)

/** Replaces them; a trigger keeps what they were. */
export const correctRates = statement(
  'rates.correct',
  { ...chunk, source: 'text' },
  { corrected: 'int8' },
  `with corrected as (
    insert into exchange_rates as r (currency, day, rate, source)
    select g.currency, g.day, trim_scale(g.rate), :source from ${given} order by g.currency, g.day
    on conflict (currency, day) do update set rate = excluded.rate, source = excluded.source, imported_at = now()
    where r.rate <> excluded.rate returning 1
  )
  select count(*) as corrected from corrected`,
)

/** Takes the demo's made-up rates of currencies away. */
export const dropDemoRates = statement(
  'rates.dropDemo',
  { currencies: 'text[]' },
  { dropped: 'int8' },
  `with dropped as (delete from exchange_rates where source = 'demo' and currency = any (:currencies) returning 1)
  select count(*) as dropped from dropped`,
)

/** The currencies that have a rate of another source than the demo. */
export const currenciesWithRates = statement(
  'rates.currencies',
  { currencies: 'text[]' },
  { currency: 'text' },
  `select w.currency from unnest(:currencies) w (currency)
  where exists (select from exchange_rates r where r.currency = w.currency and r.source <> 'demo')`,
)
