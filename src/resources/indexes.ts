// The indexes that the migrations make, held against those that the database has.
import { listMigrations } from './migrations.ts'
import { statement } from './statement.ts'

export type ShippedIndex = { name: string; table: string; definition: string }

/** In the order of the files: what a later one drops is not wanted any more. */
export function shippedIndexes(texts: readonly string[] = listMigrations().map((migration) => migration.text)): ShippedIndex[] {
  const wanted = new Map<string, ShippedIndex>()
  for (const text of texts) {
    // Bodies of functions and remarks make nothing.
    const plain = text.replaceAll(/\$(\w*)\$[^]*?\$\1\$/g, '').replaceAll(/--[^\n]*/g, '')
    for (const [whole] of plain.matchAll(/\b(?:create|drop|alter) [^;]*/gi)) {
      const definition = whole.trim().replaceAll(/\s+/g, ' ')
      const [, index, on] =
        /^create (?:unique )?index (?:concurrently )?(?:if not exists )?(\w+) on (?:only )?([\w.]+)/i.exec(definition) ?? []
      if (index !== undefined) wanted.set(index, { name: index, table: on!, definition })
      const [, table] = /^create (?:unlogged )?table (?:if not exists )?(\w+) \(/i.exec(definition) ?? []
      const [, key] = /[(,] ?(?:\w+ [^,]* )?primary key ?(\([\w, ]+\)(?: include \([\w, ]+\))?)?/i.exec(definition) ?? []
      const isKeyed = table !== undefined && /\bprimary key\b/i.test(definition)
      if (isKeyed) {
        const columns = key ?? `(${/[(,] ?(\w+) [^,]*\bprimary key\b/i.exec(definition)![1]!})`
        wanted.set(`${table}_pkey`, { name: `${table}_pkey`, table, definition: `alter table ${table} add primary key ${columns}` })
      }
      const [, dropped] = /^drop index (?:concurrently )?(?:if exists )?(\w+)/i.exec(definition) ?? []
      if (dropped !== undefined) wanted.delete(dropped)
      const [, goneTable] = /^drop table (?:if exists )?(\w+)/i.exec(definition) ?? []
      if (goneTable !== undefined) for (const one of wanted.values()) if (one.table === goneTable) wanted.delete(one.name)
    }
  }
  return [...wanted.values()]
}

/** Those that can be used: one whose building broke off is as good as none. */
export const readIndexNames = statement(
  'indexes.names',
  {},
  { name: 'text' },
  `select c.relname::text as name from pg_index i join pg_class c on c.oid = i.indexrelid
  where c.relnamespace = 'public'::regnamespace and i.indisvalid and i.indisready order by 1 limit 1000`,
)

export function missingIndexes(there: readonly { name: string }[], shipped: readonly ShippedIndex[]): ShippedIndex[] {
  const names = new Set(there.map(({ name }) => name))
  return shipped.filter(({ name }) => !names.has(name))
}
