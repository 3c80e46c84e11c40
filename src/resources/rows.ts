// The statements that every household-owned noun has: read by id, insert once, patch, delete, restore.
import { limits } from '../values/limits.ts'
import { composedStatement, statement, type Row, type Shape } from './statement.ts'

export type RowStatements<C extends Shape = Shape> = ReturnType<typeof rowStatements<C>>

export type RowShape<C extends Shape> = {
  /** Statement names begin with it. */
  noun: string
  table: string
  /** What an answer's row has, by the names of the API. */
  columns: C
  /** The select list that gives them; the table is `t`. */
  select: string
  /** Columns that a new row sets, and those that a patch may set; none where the noun has a statement of its own. */
  insert: readonly string[]
  patch: readonly string[]
}

const key = { household: 'uuid', id: 'uuid' } as const

/** Declares the statements of one noun. Rows travel to PostgreSQL as one jsonb with its column names. */
export function rowStatements<const C extends Shape>(shape: RowShape<C>) {
  const { noun, table, columns, select } = shape
  return {
    noun,
    byIds: statement(
      `${noun}.byIds`,
      { household: 'uuid', ids: 'uuid[]' },
      columns,
      // Each by its key, which the `limit` holds: where most households are small, the planner reads all of one for a few ids, and so all of a large one.
      `select ${select} from unnest(:ids) i (id)
      cross join lateral (select * from ${table} t where t.household_id = :household and t.id = i.id limit 1) t
      where t.deleted_at is null`,
    ),
    /** What changed between two revisions, in their order; `gone` are the deleted ones, which a first snapshot leaves out. */
    changed: statement(
      `${noun}.changed`,
      { household: 'uuid', after: 'int8', afterId: 'uuid', to: 'int8', tombstones: 'bool', rows: 'int4' },
      { ...columns, gone: 'bool' },
      `select ${select}, t.deleted_at is not null as gone from ${table} t
      where t.household_id = :household and (t.revision, t.id) > (:after, :afterId) and t.revision <= :to
        and (:tombstones or t.deleted_at is null)
      order by t.revision, t.id limit :rows`,
    ),
    insert:
      shape.insert.length === 0
        ? null
        : statement(
            `${noun}.insert`,
            { draft: 'jsonb' },
            columns,
            `insert into ${table} as t (${shape.insert.join(', ')})
      select ${shape.insert.map((column) => `r.${column}`).join(', ')} from jsonb_populate_record(null::${table}, :draft) r
      on conflict (household_id, id) do nothing
      returning ${select}`,
          ),
    // Columns that the patch leaves out keep the value of the row as it is.
    patch:
      shape.patch.length === 0
        ? null
        : statement(
            `${noun}.patch`,
            { ...key, changes: 'jsonb', ifRevision: 'int8?' },
            columns,
            `update ${table} t set ${shape.patch.map((column) => `${column} = r.${column}`).join(', ')}
      from ${table} o, lateral jsonb_populate_record(o, :changes) r
      where o.household_id = :household and o.id = :id and t.household_id = o.household_id and t.id = o.id
        and t.deleted_at is null and (:ifRevision is null or t.revision <= :ifRevision)
      returning ${select}`,
          ),
    remove: statement(
      `${noun}.remove`,
      { ...key, ifRevision: 'int8?' },
      { revision: 'int8' },
      `update ${table} t set deleted_at = now()
      where t.household_id = :household and t.id = :id and t.deleted_at is null and (:ifRevision is null or t.revision <= :ifRevision)
      returning t.revision`,
    ),
    restore: statement(
      `${noun}.restore`,
      key,
      columns,
      `update ${table} t set deleted_at = null
      where t.household_id = :household and t.id = :id and t.deleted_at > now() - interval '${limits.restoreDays} days'
      returning ${select}`,
    ),
    standing: statement(
      `${noun}.standing`,
      key,
      { deletedAt: 'timestamptz?', revision: 'int8' },
      `select t.deleted_at as "deletedAt", t.revision from ${table} t where t.household_id = :household and t.id = :id`,
    ),
  }
}

export type ListShape<C extends Shape> = {
  noun: string
  table: string
  /** What the select list calls the table. */
  alias: string
  columns: C
  select: string
  order: 'asc' | 'desc'
}

/** A list in the order of ids: of creation, when clients choose UUIDv7. Each of its variants is declared when it is first asked for. */
export function listStatements<const C extends Shape>({ noun, table, alias, columns, select, order }: ListShape<C>) {
  return (after: boolean, since: boolean) =>
    composedStatement(
      `${noun}.list${since ? '.since' : ''}${after ? '.after' : ''}`,
      {
        household: 'uuid',
        rows: 'int4',
        ...(since ? { updatedSince: 'timestamptz' } : {}),
        ...(after ? { after: 'uuid' } : {}),
      },
      columns,
      () => `select ${select} from ${table} ${alias}
      where ${alias}.household_id = :household and ${alias}.deleted_at is null
        ${since ? `and ${alias}.updated_at >= :updatedSince` : ''}
        ${after ? `and ${alias}.id ${order === 'asc' ? '>' : '<'} :after` : ''}
      order by ${alias}.id ${order} limit :rows`,
    )
}

/** `openingBalance` -> `opening_balance`. */
export function columnsOf(values: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`), value]),
  )
}

export type { Row }
