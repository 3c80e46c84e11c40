// djinn rates: takes in the exchange rates that the European Central Bank publishes, and shows what is there.
import { readFile, stat } from 'node:fs/promises'
import { Command } from 'commander'
import { withDatabase } from '../app/resources.ts'
import { DifferingRates, importRateFile, type Difference, type Imported } from '../features/rates/rate-import.ts'
import { listRatesOn } from '../features/rates/store.ts'
import { readConfig } from '../resources/config.ts'
import { download } from '../resources/download.ts'
import { currencies } from '../values/currencies.ts'
import { dayOf, isDay } from '../values/day.ts'
import { limits } from '../values/limits.ts'

const today = () => dayOf(Date.now(), 'UTC')

export function ratesCommand(): Command {
  return new Command('rates')
    .description('Exchange rates: import what the European Central Bank publishes, list what is there')
    .addHelpText('after', '\nExample:\n  djinn rates import eurofxref-hist.zip && djinn rates list --day 2026-02-27')
    .addCommand(importCommand())
    .addCommand(listCommand())
}

function importCommand(): Command {
  return new Command('import')
    .description(
      "Import a file of rates in the ECB's XML or CSV form, zipped or not: all of it or nothing; exit 1 when a rate is there with another value",
    )
    .argument('[file]', 'the file, or a URL (https, or http on this machine); RATES_URL unless given')
    .option('--correct', 'replace rates that are there with another value; what they were is kept')
    .option('--json', 'report as JSON')
    .addHelpText(
      'after',
      '\nExample:\n  djinn rates import https://www.ecb.europa.eu/stats/eurofxref/eurofxref-hist.zip\n  djinn rates import eurofxref.csv --json',
    )
    .action(async (file: string | undefined, options: { correct?: boolean; json?: boolean }) => {
      const config = readConfig()
      const from = file ?? config.ratesUrl
      if (from === undefined) throw new Error('name a file or a URL, or set RATES_URL')
      const bytes = await readBytes(from)
      try {
        const imported = await withDatabase(config, (database) =>
          importRateFile(database, bytes, options.correct ? 'correct' : 'refuse', today()),
        )
        console.log(options.json ? JSON.stringify({ ok: true, ...imported }) : report(imported))
      } catch (error) {
        if (!(error instanceof DifferingRates)) throw error
        const { count, differences } = error
        if (options.json) console.log(JSON.stringify({ ok: false, differing: count, differences }))
        else console.error(`djinn: ${error.message}; --correct replaces them\n${listed(differences, count)}`)
        process.exitCode = 1
      }
    })
}

function listCommand(): Command {
  return new Command('list')
    .description('List the rates in force on a day: units of each currency for one euro')
    .option('--day <day>', 'such as 2026-02-27; today unless given')
    .option('--json', 'report as JSON')
    .addHelpText('after', '\nExample:\n  djinn rates list --day 2026-02-27')
    .action(async (options: { day?: string; json?: boolean }) => {
      const day = options.day ?? today()
      if (!isDay(day)) throw new Error(`--day must be a calendar day such as 2026-02-27, not ${JSON.stringify(day)}`)
      const data = await withDatabase(readConfig(), (database) =>
        database.write({}, (tx) => tx.run(listRatesOn, { currencies: [...currencies.keys()], day }), 'djinn_keeper'),
      )
      if (options.json) console.log(JSON.stringify({ day, base: 'EUR', data }))
      else if (data.length === 0) console.log(`There are no rates on ${day} or in the ${limits.rateAgeDaysMax} days before.`)
      else for (const row of data) console.log(`${row.currency}  ${row.rate.padStart(14)}  ${row.day}  ${row.source}`)
    })
}

async function readBytes(from: string): Promise<Uint8Array> {
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(from)) {
    return await download(from, { bytesMax: limits.rateFileBytesMax, timeoutMs: limits.rateDownloadMs })
  }
  if ((await stat(from)).size > limits.rateFileBytesMax)
    throw new Error(`${from} is larger than ${limits.rateFileBytesMax / 1024 / 1024} MiB`)
  return await readFile(from)
}

function report(imported: Imported): string {
  const { format, rates, days, added, unchanged, corrected, demoDropped, skipped, differences } = imported
  const span = days === null ? '' : ` from ${days.first} to ${days.last}`
  const lines = [`Read ${rates} rates${span} (${format}): ${added} added, ${unchanged} there already, ${corrected} corrected.`]
  if (corrected > 0) lines.push(listed(differences, corrected))
  if (demoDropped > 0) lines.push(`${demoDropped} made-up rates of the demo made way.`)
  const left = Object.entries(skipped).map(([currency, count]) => `${currency} (${count})`)
  if (left.length > 0) lines.push(`Skipped, for they are not in force any more: ${left.join(', ')}.`)
  return lines.join('\n')
}

function listed(differences: Difference[], count: number): string {
  const lines = differences.map(({ currency, day, old, new: wanted, source }) => `  ${currency} ${day}: ${old} (${source}) -> ${wanted}`)
  if (count > lines.length) lines.push(`  and ${count - lines.length} more`)
  return lines.join('\n')
}
