// npm test: the checks, the whole suite on PostgreSQL 18, the database tests again on 16, and some behind PgBouncer.
import { spawn } from 'node:child_process'
import { globSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { openCluster, type Major } from './cluster.ts'
import { missing } from './pgbouncer.ts'

async function run(command: string, args: string[], environment: NodeJS.ProcessEnv = {}): Promise<number> {
  const child = spawn(command, args, { stdio: 'inherit', env: { ...process.env, ...environment } })
  return await new Promise((exited) => child.once('exit', (code) => exited(code ?? 1)))
}

async function suite(major: Major, files: string[], environment: NodeJS.ProcessEnv = {}): Promise<number> {
  console.log(`\nTests on PostgreSQL ${major}${environment['DJINN_TEST_POOLER'] ? ' behind PgBouncer' : ''}: ${files.length} files`)
  const cluster = await openCluster(major)
  try {
    return await run(process.execPath, ['--test', '--test-concurrency=2', ...grouped(files)], {
      DJINN_TEST_POSTGRES: String(major),
      DJINN_TEST_ADMIN_URL: cluster.adminUrl,
      DJINN_TEST_API_URL: cluster.apiUrl,
      ...environment,
    })
  } finally {
    await cluster.close()
  }
}

/** Deals the files to processes, so that each loads the service once for many; 1.5 s of CPU a file otherwise. */
function grouped(files: string[]): string[] {
  const folder = mkdtempSync(join(scratch, 'groups-'))
  const groups = Math.min(groupsMax, files.length)
  return Array.from({ length: groups }, (_, nth) => {
    const own = files.filter((__, index) => index % groups === nth).map((file) => resolve(file))
    const path = join(folder, `${String(nth + 1).padStart(2, '0')}.test.mjs`)
    writeFileSync(path, `import { runTogether } from ${JSON.stringify(together)}\nrunTogether(${JSON.stringify(own)})\n`)
    return path
  })
}

const groupsMax = 12
const together = new URL('together.ts', import.meta.url).href
const started = Date.now()
const scratch = mkdtempSync(join(tmpdir(), 'djinn-tests-'))
// What one process has compiled the others need not.
process.env['NODE_COMPILE_CACHE'] = join(scratch, 'compiled')
const all = globSync('test/**/*.test.ts').toSorted()
/**
 * On the other major version: what is in the SQL and in the catalog, without the random histories and the households of 50,000 rows,
 * and of each part of the API the tests that run its statements. Every statement is prepared there too, by test/database/statements.
 */
const other = [
  ...'bills housekeeping journal migrations rates refusals revisions roles rules statements tenancy trip'
    .split(' ')
    .map((name) => `database/${name}`),
  ...'budgets feeds-push reports sync transactions'.split(' ').map((name) => `routes/${name}`),
  'advising/evidence',
  'inspecting/checks',
].map((name) => `test/${name}.test.ts`)
const outcomes: [string, number][] = [['checks', await run(process.execPath, ['test/check.ts', '--without-tests'])]]
outcomes.push(['suite on PostgreSQL 18', await suite(18, all)])
outcomes.push(['database tests on PostgreSQL 16', await suite(16, other)])
// Transactions of every kind, and what must not outlive them on a connection that others get next.
const pooled = ['routes/transactions', 'routes/batch-atomic', 'routes/idempotency', 'routes/sync', 'database/tenancy']
if (missing('current')) console.log(`\nSKIPPED: tests behind PgBouncer: ${missing('current')}`)
else {
  const files = pooled.map((name) => `test/${name}.test.ts`)
  outcomes.push(['tests behind PgBouncer', await suite(18, files, { DJINN_TEST_POOLER: 'on' })])
}
rmSync(scratch, { recursive: true, force: true })
console.log(
  `\n${outcomes.map(([name, code]) => `${code === 0 ? 'ok    ' : 'FAILED'}  ${name}`).join('\n')}\n${Math.round((Date.now() - started) / 1000)} s`,
)
process.exitCode = outcomes.every(([, code]) => code === 0) ? 0 : 1
