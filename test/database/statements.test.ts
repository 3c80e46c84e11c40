// Every declared statement is parsed and described by PostgreSQL against the migrated schema.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import pg from 'pg'
import { makeFeatures } from '../../src/app/features.ts'
import { listAccounts } from '../../src/features/accounts/store.ts'
import { auditFilters, listAudit } from '../../src/features/audit/store.ts'
import {
  listOccurrences,
  occurrenceFilters,
  statusFilters,
  type OccurrenceFilter,
  type StatusFilter,
} from '../../src/features/bills/occurrence-store.ts'
import { duePlans, listBills } from '../../src/features/bills/store.ts'
import { listBudgets } from '../../src/features/budgets/store.ts'
import { listCategories } from '../../src/features/categories/store.ts'
import { everyExportStatement } from '../../src/features/exports/store.ts'
import { listFeeds } from '../../src/features/feeds/store.ts'
import { listImports } from '../../src/features/imports/store.ts'
import { listChanges, listRuns } from '../../src/features/rules/run-store.ts'
import { applyChunk, listRules } from '../../src/features/rules/store.ts'
import { listTransfers } from '../../src/features/transfers/store.ts'
import { filters, listTransactions, type Filter } from '../../src/features/transactions/store.ts'
import '../../src/features/backups/store.ts'
import '../../src/features/inspecting/store.ts'
import { declaredStatements, type Statement } from '../../src/resources/statement.ts'
import { open } from '../harness.ts'

void makeFeatures
everyExportStatement()
for (const list of [listAccounts, listBills, listBudgets, listCategories, listTransfers, listFeeds, listImports, listRules]) {
  for (const behind of [false, true]) for (const since of [false, true]) list(behind, since)
}
for (const variant of [false, true]) {
  listRuns(variant)
  listChanges(variant)
  applyChunk(variant)
}

for (const asked of [[], ...auditFilters.map((filter) => [filter]), auditFilters])
  for (const behind of [false, true]) listAudit(asked, behind)

type Described = { parameterOids: number[]; columns: { name: string; dataTypeID: number }[] }

const djinn = await open()
after(() => djinn.close())

/** What PostgreSQL says of a statement without running it. */
async function describe(client: pg.Client, text: string): Promise<Described> {
  return await new Promise((resolve, reject) => {
    const described: Described = { parameterOids: [], columns: [] }
    let failure: Error | undefined
    const query = {
      submit: (connection: pg.Connection) => {
        connection.parse({ name: '', text, types: [] }, true)
        connection.describe({ type: 'S', name: '' }, true)
        connection.once('parameterDescription', ((message: { dataTypeIDs: number[] }) => {
          described.parameterOids = message.dataTypeIDs
        }) as never)
        connection.sync()
      },
      handleRowDescription: (message: { fields: Described['columns'] }) => {
        described.columns = message.fields
      },
      handleError: (error: Error) => {
        failure = error
      },
      handleReadyForQuery: () => (failure ? reject(failure) : resolve(described)),
    }
    client.query(query as never)
  })
}

function everyStatement(): Statement[] {
  const names = Object.keys(filters) as Filter[]
  for (const filter of names) listTransactions([filter], true)
  listTransactions(names, false)
  for (const filter of Object.keys(occurrenceFilters) as OccurrenceFilter[]) listOccurrences([filter], undefined, true)
  for (const status of Object.keys(statusFilters) as StatusFilter[]) listOccurrences([], status, false)
  for (const ofOne of [true, false]) duePlans(ofOne)
  return [...declaredStatements().values()]
}

test('parameters and columns are what the statements say', async () => {
  const client = new pg.Client({ connectionString: djinn.adminUrl })
  await client.connect()
  const { rows } = await client.query<{ oid: number; name: string }>(`select oid::int, format_type(oid, null) as name from pg_type`)
  const nameOf = new Map(rows.map((row) => [row.oid, row.name]))
  const alias: Record<string, string> = {
    bigint: 'int8',
    integer: 'int4',
    boolean: 'bool',
    'timestamp with time zone': 'timestamptz',
    'bigint[]': 'int8[]',
    'integer[]': 'int4[]',
    'boolean[]': 'bool[]',
  }
  const typeOf = (oid: number) => alias[nameOf.get(oid)!] ?? nameOf.get(oid)!
  try {
    const statements = everyStatement()
    assert.ok(statements.length > 60, `only ${statements.length} statements are declared`)
    for (const statement of statements) {
      const described = await describe(client, statement.text).catch((error: Error) => {
        throw new Error(`${statement.name}: ${error.message}`, { cause: error })
      })
      assert.deepEqual(
        described.parameterOids.map(typeOf),
        statement.order.map((name) => statement.parameters[name]!.replace('?', '')),
        `parameters of ${statement.name}`,
      )
      const wanted = Object.entries(statement.columns)
      const got = new Map(described.columns.map((column) => [column.name, typeOf(column.dataTypeID)]))
      for (const [name, type] of wanted) assert.equal(got.get(name), type.replace('?', ''), `column ${name} of ${statement.name}`)
    }
  } finally {
    await client.end()
  }
})
