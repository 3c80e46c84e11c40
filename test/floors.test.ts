// The laws of the house: what may import what, who writes which table, and how long a file may be.
import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { test } from 'node:test'

const floors = ['values', 'resources', 'http', 'features', 'app', 'commands']
const linesMax = 300
const sources = globSync('src/**/*.ts').map((file) => ({ file, text: readFileSync(file, 'utf8') }))

/** Which feature keeps which tables; any may read them. */
const owners: Record<string, string> = {
  users: 'identity',
  sessions: 'identity',
  refresh_tokens: 'identity',
  email_requests: 'identity',
  email_links: 'identity',
  second_factors: 'identity',
  recovery_codes: 'identity',
  households: 'households',
  memberships: 'households',
  invitations: 'households',
  invitation_tokens: 'households',
  accounts: 'accounts',
  categories: 'categories',
  transactions: 'transactions',
  transfers: 'transfers',
  budgets: 'budgets',
  budget_amounts: 'budgets',
  budget_alerts: 'budgets',
  imports: 'imports',
  import_files: 'imports',
  import_rows: 'imports',
  restores: 'exports',
  bills: 'bills',
  bill_occurrences: 'bills',
  bill_payments: 'bills',
  bill_mismatches: 'bills',
  bill_plans: 'bills',
  rules: 'rules',
  rule_runs: 'rules',
  rule_run_changes: 'rules',
  system_data: 'system',
  exchange_rates: 'rates',
  devices: 'push',
  notifications: 'push',
  notification_settings: 'push',
  deliveries: 'push',
  feeds: 'feeds',
  feed_keys: 'feeds',
  feed_signatures: 'feeds',
  feed_usage: 'feeds',
  feed_rows: 'feeds',
  flags: 'flags',
  flag_changes: 'migrations',
  watchers: 'watching',
  activity: 'watching',
  evidence: 'advising',
  declared_facts: 'advising',
  backups: 'backups',
  idempotency_keys: 'src/http/replay.ts',
  // Written by the database's own functions.
  revisions: 'migrations',
  journal: 'migrations',
  replica_digests: 'migrations',
  erasures: 'migrations',
  splits: 'migrations',
  monthly_totals: 'migrations',
  category_totals: 'migrations',
  account_months: 'migrations',
  balance_changes: 'migrations',
  balance_months: 'migrations',
  // A schema that only a seeded database has.
  seed: 'src/app/seeding',
}
/** Features that also write rows of others, and why. */
const guests: Record<string, string[]> = {
  // The legs of a transfer are transactions, made and removed as one with it.
  transfers: ['transactions'],
  // A commit makes the rows of the file, an undo takes them back.
  imports: ['transactions'],
  // A household's document is put back into the tables that it was taken from.
  exports: [
    'households',
    'accounts',
    'categories',
    'imports',
    'import_rows',
    'transfers',
    'transactions',
    'rules',
    'bills',
    'bill_plans',
    'bill_occurrences',
    'bill_payments',
    'bill_mismatches',
    'budgets',
    'budget_amounts',
    'budget_alerts',
  ],
  // A rule names and categorises rows, an undo puts back what they were.
  rules: ['transactions'],
  // What a bank pushes becomes transactions.
  feeds: ['transactions'],
  // Made-up households are copied into all that makes one, past the triggers.
  'src/app/seeding': [
    'users',
    'sessions',
    'households',
    'memberships',
    'accounts',
    'categories',
    'transfers',
    'transactions',
    ...Object.keys(owners).filter((table) => owners[table] === 'migrations'),
  ],
}

function importsOf(file: string, text: string): string[] {
  return [...text.matchAll(/(?:from|import\()\s*'(\.[^']+)'/g)].map((found) => normalize(join(dirname(file), found[1]!)))
}

/** The generator of load lies beside the resources: only its command may reach for it. */
function floorOf(file: string): number {
  const room = file.split('/')[1]!
  const floor = floors.indexOf(room === 'load' ? 'resources' : room)
  return floor === -1 ? floors.length : floor
}

test('imports go down', () => {
  for (const { file, text } of sources) {
    for (const target of importsOf(file, text)) {
      assert.ok(floorOf(target) <= floorOf(file), `${file} imports ${target}, which lies above it`)
    }
  }
})

test('a feature never imports another feature', () => {
  for (const { file, text } of sources.filter((source) => source.file.startsWith('src/features/'))) {
    for (const target of importsOf(file, text).filter((each) => each.startsWith('src/features/'))) {
      assert.equal(target.split('/')[2], file.split('/')[2], `${file} imports ${target}`)
    }
  }
})

test('the generator of load takes nothing from the server but values, and gives it nothing', () => {
  for (const { file, text } of sources) {
    const within = file.startsWith('src/load/')
    for (const target of importsOf(file, text)) {
      if (within) assert.match(target, /^src\/(load|values)\//, `${file} imports ${target}`)
      else assert.ok(!target.startsWith('src/load/') || file === 'src/commands/load.ts', `${file} imports ${target}`)
    }
  }
})

test('the environment is read in one file', () => {
  for (const { file, text } of sources) {
    assert.ok(file === 'src/resources/config.ts' || !text.includes('process.env'), `${file} reads the environment`)
  }
})

test('resources are opened in one file', () => {
  const opens = /new Database\(|new Notifications\(|openEmbedded\(\{|makeMailer\(|new Metrics\(|new Queue\(|new PushGateway\(/
  for (const { file, text } of sources.filter((source) => floorOf(source.file) > 1)) {
    assert.ok(file === 'src/app/resources.ts' || !opens.test(text), `${file} opens a resource`)
  }
})

test('a table is written by its owner', () => {
  let writes = 0
  for (const { file, text } of sources.filter((source) => floorOf(source.file) >= 2)) {
    const feature = file.startsWith('src/features/') ? file.split('/')[2]! : file.startsWith('src/app/seeding/') ? 'src/app/seeding' : file
    const written = text.matchAll(
      /(?:insert into|(?<![-\w] )(?<!for |do )update|delete from) ([a-z]+(?:_[a-z]+)*)\b|(?:\n\s+table: |new CopyRows\(\s*)'(\w+)/g,
    )
    for (const [, target, declared] of written) {
      const name = (target ?? declared)!
      if (name === 'set' || name === 'of') continue
      writes++
      const owner = owners[name]
      assert.ok(owner, `${file} writes ${name}, which nobody owns`)
      assert.ok(owner === feature || guests[feature]?.includes(name), `${file} writes ${name}, which is of ${owner}`)
    }
  }
  assert.ok(writes > 20, 'the pattern finds the statements')
})

test('a file opens with its purpose, is named for it, and is short', () => {
  for (const { file, text } of sources) {
    assert.match(text, /^\/\/ \S/, `${file} does not say what it is for`)
    assert.doesNotMatch(file, /util|helper|manager|common|misc/i)
    const lines = text.split('\n').length
    // Tables of data are as long as the world is large, and generated files as what they are made from.
    if (!file.includes('/data/') && !text.startsWith('// Generated')) assert.ok(lines <= linesMax, `${file} has ${lines} lines`)
  }
})

test('the console’s page is made of short modules with a purpose each, which import one another and what the import map names', () => {
  const { imports } = JSON.parse(/<script type="importmap">([^]*?)<\/script>/.exec(readFileSync('console/index.html', 'utf8'))![1]!) as {
    imports: Record<string, string>
  }
  for (const file of globSync('console/*.{js,css}')) {
    const text = readFileSync(file, 'utf8')
    assert.match(text, /^(\/\/|\/\*) \S/, `${file} does not say what it is for`)
    assert.ok(text.split('\n').length <= linesMax, `${file} is longer than ${linesMax} lines`)
    for (const [, target] of text.matchAll(/(?:from|import\()\s*'([^']+)'/g)) {
      assert.ok(target!.startsWith('./') || Object.hasOwn(imports, target!), `${file} imports ${target}`)
    }
  }
})
