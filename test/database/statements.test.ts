// Every declared statement is parsed and described by PostgreSQL against the migrated schema.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import pg from 'pg'
import { open } from '../harness.ts'
import { everyStatement } from './every-statement.ts'

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
