// djinn seed: fills a database with made-up households, for load tests.
import { availableParallelism } from 'node:os'
import { Command, InvalidArgumentError } from 'commander'
import { wholeNumber } from './numbers.ts'
import { estimateBytes, seedDatabase, type SeedReport } from '../app/seeding/seed.ts'
import { progressLine } from '../app/seeding/progress-line.ts'
import { usersMax } from '../app/seeding/ids.ts'
import { householdSizes, largeHouseholds, largeRows } from '../app/seeding/sizes.ts'
import { withOwnerUrl } from '../app/resources.ts'
import { hashPassword } from '../features/identity/hashing.ts'
import { readConfig } from '../resources/config.ts'
import { migrate } from '../resources/migrations.ts'

type Options = {
  users: number
  transactions: number
  seed: number
  jobs: number
  password: string
  sessions?: string
  sessionHours: number
  indexes?: 'keep' | 'rebuild'
  besideOthers?: boolean
  intoProduction?: boolean
  dryRun?: boolean
  json?: boolean
}

/** A server of our own is started for writing much: fewer checkpoints, and no log of what an index can be made from again. */
const bulkSettings = {
  shared_buffers: '512MB',
  max_wal_size: '8GB',
  checkpoint_timeout: '30min',
  wal_level: 'minimal',
  max_wal_senders: '0',
}
const count = (value: number) => value.toLocaleString('en')
const gigabytes = (bytes: number) => `${(bytes / 1e9).toFixed(2)} GB`

export function seedCommand(): Command {
  return new Command('seed')
    .description('Fill a database with made-up households for load tests; run again with the same numbers, it goes on where it stopped')
    .requiredOption(
      '--users <n>',
      'how many people, each with a household; a few belong to a second one',
      wholeNumber(1, Math.min(10_000_000, usersMax)),
    )
    .requiredOption('--transactions <n>', 'mean for each household: most have fewer, a few have 50,000', wholeNumber(0, 1_000_000))
    .option('--seed <n>', 'what all is made from: the same number makes the same rows', wholeNumber(0, 2 ** 31 - 1), 1)
    .option('--jobs <n>', 'threads, each with a connection; one more than cores by default', wholeNumber(1, 64), availableParallelism() + 1)
    .option('--password <text>', 'what all of them sign in with', 'a field full of seeds')
    .option('--sessions <file>', 'write an access token of each user into a file, as lines of JSON')
    .option('--session-hours <n>', 'how long those tokens work', wholeNumber(1, 24 * 60), 24)
    .option('--indexes <how>', 'keep them, or rebuild them at the end (for 1,000,000 rows and more, unless others use them)', oneOfIndexes)
    .option('--beside-others', 'also where there are users of its own')
    .option('--into-production', 'also where NODE_ENV is production')
    .option('--dry-run', 'only say what would be made and about how much disk it takes')
    .option('--json', 'report as JSON')
    .addHelpText('after', '\nExample:\n  djinn seed --users 1000 --transactions 200 --sessions tokens.jsonl && djinn verify')
    .action(seed)
}

async function seed(options: Options) {
  const config = readConfig()
  if (config.production && !options.intoProduction) throw new Error('NODE_ENV is production; --into-production seeds all the same')
  if (options.users * options.transactions > 2_000_000_000) throw new Error('--users times --transactions must be 2,000,000,000 at most')
  if (options.dryRun) return describe(options)
  const stop = new AbortController()
  const onSignal = () => {
    stop.abort()
    console.error('\ndjinn: ending after the batches that are being written')
  }
  process.once('SIGINT', onSignal).once('SIGTERM', onSignal)
  const line = progressLine(process.stderr, 'transactions')
  try {
    const report = await withOwnerUrl(
      config,
      async (url) => {
        await migrate(url, { withoutIndexes: true })
        return await seedDatabase({
          ...options,
          url,
          besideOthers: options.besideOthers === true,
          hashPassword: () => hashPassword(options.password),
          sessions: options.sessions === undefined ? undefined : { file: options.sessions, hours: options.sessionHours },
          signal: stop.signal,
          onProgress: line.show,
          onStep: line.step,
        })
      },
      bulkSettings,
    )
    line.end()
    console.log(options.json ? JSON.stringify(report) : told(report))
    if (!report.complete) process.exitCode = 130
  } finally {
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal)
  }
}

function describe({ users, transactions, seed: number, json }: Options) {
  const sizes = householdSizes(users, transactions, number).toSorted()
  const facts = {
    users,
    transactions: users * transactions,
    median: sizes[Math.floor(users / 2)]!,
    largest: sizes.at(-1)!,
    largeHouseholds: largeHouseholds(users, transactions),
    bytes: estimateBytes(users, users * transactions),
  }
  if (json) console.log(JSON.stringify({ dryRun: true, ...facts }))
  else {
    console.log(
      `Would make ${count(users)} users with ${count(facts.transactions)} transactions: half of the households have at most ${count(facts.median)}, ` +
        `the largest ${count(facts.largest)}; ${facts.largeHouseholds} of them ${count(largeRows)}. About ${gigabytes(facts.bytes)}, and up to 8 GB of log.`,
    )
  }
}

function told(report: SeedReport): string {
  const { users, transactions, transactionsWritten, rowsWritten, seconds, indexSeconds, vacuumSeconds } = report
  if (!report.complete) return `Stopped; ${count(transactions)} transactions are there. The same command goes on from here.`
  return [
    `${count(users)} users with ${count(transactions)} transactions are there.`,
    `Written now: ${count(transactionsWritten)} transactions, ${count(rowsWritten)} rows in all, in ${seconds.toFixed(1)} s ` +
      `(${indexSeconds.toFixed(1)} s of them indexes): ${count(report.transactionsPerSecond)} transactions/s, ${count(report.rowsPerSecond)} rows/s.`,
    `Vacuum and statistics: ${vacuumSeconds.toFixed(1)} s. The database has ${gigabytes(report.databaseBytes)}, ` +
      `of which ${gigabytes(report.indexBytes)} are indexes: ${count(report.indexBytesPerTransaction)} bytes a transaction.`,
  ].join('\n')
}

function oneOfIndexes(value: string): 'keep' | 'rebuild' {
  if (value === 'keep' || value === 'rebuild') return value
  throw new InvalidArgumentError('It must be keep or rebuild.')
}
