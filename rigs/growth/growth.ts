// Prints which step of the path so many users need and what they cost a month, or writes the table into docs/scaling.md.
import { readFileSync, writeFileSync } from 'node:fs'
import { Command } from 'commander'
import { measured, table, type Assumptions, type Kind } from './model.ts'

export const place = /(<!-- growth -->\n)[^]*?(\n<!-- \/growth -->)/

/** Names of the bench's parts, as the mix has them. */
const benched: Record<string, string> = { sync: 'sync, nothing new', list: 'list', row: 'row', system: 'system data', create: 'create' }

type Measured = { name: string; cpuMsPerRequest: number }

/** A kind that was measured costs the API what it did then; of PostgreSQL the bench's JSON says nothing. */
function fromBench(kinds: readonly Kind[], rows: readonly Measured[]): Kind[] {
  return kinds.map((kind) => {
    const row = rows.find(({ name }) => benched[name] === kind.name)
    return row ? { ...kind, apiMs: row.cpuMsPerRequest } : kind
  })
}

/** What one server said of all of its requests: the mix is as it was there. */
function fromAdvice(kinds: readonly Kind[], cpuMsPerRequest: number): Kind[] {
  const now = kinds.reduce((sum, { share, apiMs, databaseMs }) => sum + share * (apiMs + databaseMs), 0)
  const factor = cpuMsPerRequest / now
  return kinds.map((kind) => ({ ...kind, apiMs: kind.apiMs * factor, databaseMs: kind.databaseMs * factor }))
}

const json = (file: string): unknown => JSON.parse(readFileSync(file, 'utf8'))

const program = new Command('growth')
  .description('Which step of the path so many users need, and what they cost')
  .option('--bench <file>', 'costs of npm run -s bench -- saturation --json')
  .option('--advice <file>', 'costs of djinn advise --json')
  .option('--requests <n>', 'of a user and day', Number, measured.requestsPerUserAndDay)
  .option('--peak <factor>', 'busiest seconds over the mean of a day', Number, measured.peakFactor)
  .option('--bytes <n>', 'of a user', Number, measured.bytesPerUser)
  .option('--write', 'into docs/scaling.md')
  .addHelpText('after', '\nExample:\n  node rigs/growth/growth.ts --requests 40 --peak 15')
  .action(
    ({
      bench,
      advice,
      requests,
      peak,
      bytes,
      write,
    }: {
      bench?: string
      advice?: string
      requests: number
      peak: number
      bytes: number
      write?: boolean
    }) => {
      let kinds = measured.kinds
      if (bench !== undefined) kinds = fromBench(kinds, json(bench) as Measured[])
      if (advice !== undefined) {
        const cost = (json(advice) as { capacity: { cpuMsPerRequest: number | null } }).capacity.cpuMsPerRequest
        if (cost === null) throw new Error('the advisor does not know yet what a request costs')
        kinds = fromAdvice(kinds, cost)
      }
      const assumed: Assumptions = { ...measured, kinds, requestsPerUserAndDay: requests, peakFactor: peak, bytesPerUser: bytes }
      if (write) writeFileSync('docs/scaling.md', readFileSync('docs/scaling.md', 'utf8').replace(place, `$1${table(assumed)}$2`))
      else console.log(table(assumed))
    },
  )
if (import.meta.main) await program.parseAsync()
