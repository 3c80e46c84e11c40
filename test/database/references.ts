// Foreign keys as questions: what was written past their triggers is held against each of them.
import type { Djinn } from '../harness.ts'

/** The foreign keys that some row breaks. */
export async function brokenReferences(djinn: Djinn): Promise<string[]> {
  const keys = await djinn.sql<{ name: string; child: string; parent: string; columns: string[]; referenced: string[] }>(`
    select k.conname as name, k.conrelid::regclass::text as child, k.confrelid::regclass::text as parent,
      (select array_agg(a.attname::text order by u.nth) from unnest(k.conkey) with ordinality u (number, nth)
       join pg_attribute a on a.attrelid = k.conrelid and a.attnum = u.number) as columns,
      (select array_agg(a.attname::text order by u.nth) from unnest(k.confkey) with ordinality u (number, nth)
       join pg_attribute a on a.attrelid = k.confrelid and a.attnum = u.number) as referenced
    from pg_constraint k where k.contype = 'f' and k.connamespace = 'public'::regnamespace`)
  const broken: string[] = []
  for (const { name, child, parent, columns, referenced } of keys) {
    const equal = columns.map((column, nth) => `p.${referenced[nth]} = c.${column}`).join(' and ')
    const set = columns.map((column) => `c.${column} is not null`).join(' and ')
    const rows = await djinn.sql(`select from ${child} c where ${set} and not exists (select from ${parent} p where ${equal}) limit 1`)
    if (rows.length > 0) broken.push(`${child}.${name}`)
  }
  return broken
}
