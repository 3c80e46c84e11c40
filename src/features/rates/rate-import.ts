// Takes a file of exchange rates in, all or nothing: what is there with another value is never replaced unless that is asked for.
import type { Database } from '../../resources/database.ts'
import { currencies } from '../../values/currencies.ts'
import type { Day } from '../../values/day.ts'
import { limits } from '../../values/limits.ts'
import type { DatedRate, RateFile } from './rate-file.ts'
import { addRates, correctRates, currenciesWithRates, differingRates, dropDemoRates } from './store.ts'
import { readRateFile } from './readers/read.ts'

/** A rate that is there with another value, and who it is from. */
export type Difference = { currency: string; day: Day; old: string; new: string; source: string }

export type Imported = {
  format: RateFile['format']
  /** The days that the file spans; null when all its rates were skipped. */
  days: { first: Day; last: Day } | null
  rates: number
  added: number
  unchanged: number
  corrected: number
  /** Rates of the file that were left out, since others are there. */
  left: number
  /** Made-up rates of a demo that made way. */
  demoDropped: number
  skipped: Record<string, number>
  differences: Difference[]
}

/** What becomes of rates that are there with another value: they refuse the file, are replaced, or are left. */
export type Policy = 'refuse' | 'correct' | 'leave'

/** Nothing was written: these many rates differ from what is there. Not all of them may be listed. */
export class DifferingRates extends Error {
  readonly count: number
  readonly differences: Difference[]
  constructor(count: number, differences: Difference[]) {
    super(`${count} ${count === 1 ? 'rate differs' : 'rates differ'} from what is there; nothing was written`)
    this.name = 'DifferingRates'
    this.count = count
    this.differences = differences
  }
}

/** Reads the bytes and takes them in; throws UnreadableRates or DifferingRates. `today` is the day in UTC. */
export async function importRateFile(database: Database, bytes: Uint8Array, policy: Policy, today: Day): Promise<Imported> {
  const file = readRateFile(bytes, (currency) => currencies.has(currency))
  const future = file.rates.find(({ day }) => day > today)
  if (future) throw new Error(`The rate of ${future.currency} is of ${future.day}, which is not yet; nothing was written`)
  const rates = file.rates.toSorted(byKey)
  const days = rates.map(({ day }) => day).toSorted()
  return await database.write(
    {},
    async (tx) => {
      const codes = [...new Set(rates.map(({ currency }) => currency))]
      const [dropped] = await tx.run(dropDemoRates, { currencies: codes })
      let [added, corrected, differing] = [0, 0, 0]
      const differences: Difference[] = []
      for (const chunk of chunksOf(rates)) {
        const [adding] = await tx.run(addRates, { ...chunk, source: 'ecb' })
        added += adding!.added
        // What was added is new, and differs from nothing.
        if (adding!.added === chunk.days.length) continue
        const found = await tx.run(differingRates, { ...chunk, rows: limits.statementRowsMax })
        differing += found[0]?.count ?? 0
        const room = limits.statementRowsMax - differences.length
        differences.push(
          ...found.slice(0, room).map(({ currency, day, old, new: wanted, source }) => ({ currency, day, old, new: wanted, source })),
        )
        if (policy === 'correct' && found.length > 0) corrected += (await tx.run(correctRates, { ...chunk, source: 'ecb' }))[0]!.corrected
      }
      if (policy === 'refuse' && differing > 0) throw new DifferingRates(differing, differences)
      return {
        format: file.format,
        days: days.length === 0 ? null : { first: days[0]!, last: days.at(-1)! },
        rates: rates.length,
        added,
        unchanged: rates.length - added - differing,
        corrected,
        left: differing - corrected,
        demoDropped: dropped!.dropped,
        skipped: Object.fromEntries([...file.skipped].toSorted(([a], [b]) => (a < b ? -1 : 1))),
        differences,
      }
    },
    'djinn_keeper',
  )
}

/** Adds made-up rates, of currencies that have none from elsewhere. */
export async function addDemoRates(database: Database, rates: readonly DatedRate[]) {
  await database.write(
    {},
    async (tx) => {
      const real = await tx.run(currenciesWithRates, { currencies: [...new Set(rates.map(({ currency }) => currency))] })
      const taken = new Set(real.map(({ currency }) => currency))
      const wanted = rates.filter(({ currency }) => !taken.has(currency)).toSorted(byKey)
      for (const chunk of chunksOf(wanted)) await tx.run(addRates, { ...chunk, source: 'demo' })
    },
    'djinn_keeper',
  )
}

/** In the order of the key: two imports at once wait for each other, and never in a circle. */
function byKey(a: DatedRate, b: DatedRate): number {
  if (a.currency !== b.currency) return a.currency < b.currency ? -1 : 1
  return a.day < b.day ? -1 : 1
}

function* chunksOf(rates: readonly DatedRate[]) {
  for (let at = 0; at < rates.length; at += limits.rateChunkRows) {
    const rows = rates.slice(at, at + limits.rateChunkRows)
    yield { currencies: rows.map((row) => row.currency), days: rows.map((row) => row.day), rates: rows.map((row) => row.rate) }
  }
}
