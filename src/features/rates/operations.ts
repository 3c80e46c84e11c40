// Exchange rates for apps: what one euro was in other currencies on a day.
import { z } from 'zod'
import { operation, type Operation } from '../../http/operation.ts'
import { currency, day } from '../../http/parameters.ts'
import { currencies } from '../../values/currencies.ts'
import { limits } from '../../values/limits.ts'
import { readRatesOn } from './store.ts'

const codes = z
  .string()
  .min(1)
  .max(limits.rateCurrenciesMax * 4)
  .transform((list) => [...new Set(list.split(','))])
  .refine((list) => list.every((code) => currencies.has(code)), {
    error: 'must be ISO 4217 codes in force with commas between them, such as USD,JPY',
    params: { code: 'unknown-currency' },
  })
  .meta({ description: 'ISO 4217 codes with commas between them; all that have a rate unless given.' })

const rateShape = z.strictObject({
  currency,
  day: day.nullable().meta({ description: 'Whose rate it is: the day asked for or one of the 10 before it. Null where there is none.' }),
  rate: z.string().nullable().meta({ description: 'Units of the currency for one euro, as a decimal numeral. Null where there is none.' }),
})

export function rateOperations(): Operation[] {
  return [
    operation({
      name: 'rates.list',
      summary: 'Exchange rates on a day',
      description:
        "The rate in force on a day is that of the day or the latest before it, at most 10 days older, for none are published on weekends and holidays; a later one never counts. Currencies asked for that have no such rate come with nulls. To convert, divide by the rate of the one currency and multiply by that of the other; the euro's is 1.",
      tag: 'Rates',
      method: 'GET',
      path: '/api/rates',
      access: 'user',
      criticality: 'list',
      effect: 'read',
      query: z.strictObject({ on: day, currencies: codes.optional() }),
      answer: z.strictObject({ base: z.literal('EUR'), data: z.array(rateShape) }),
      run: async (context, { query }) => {
        const wanted = query.currencies ?? [...currencies.keys()]
        const rows = await context.db.run(readRatesOn, { currencies: wanted, days: wanted.map(() => query.on) })
        const data = rows.map((row) => ({ currency: row.currency, day: row.rateDay, rate: row.rate }))
        return { body: { base: 'EUR', data: query.currencies ? data : data.filter(({ rate }) => rate !== null) } }
      },
    }),
  ]
}
