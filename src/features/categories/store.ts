// SQL of categories.
import { statement } from '../../resources/statement.ts'
import { listStatements, rowStatements } from '../../resources/rows.ts'

const columns = {
  id: 'uuid',
  name: 'text',
  kind: 'text',
  parentId: 'uuid?',
  icon: 'text?',
  color: 'text?',
  archived: 'bool',
  systemKey: 'text?',
  createdAt: 'timestamptz',
  updatedAt: 'timestamptz',
  revision: 'int8',
} as const
const select = `t.id, t.name, t.kind, t.parent_id as "parentId", t.icon, t.color, t.archived, t.system_key as "systemKey",
  t.created_at as "createdAt", t.updated_at as "updatedAt", t.revision`

const changeable = ['name', 'kind', 'parent_id', 'icon', 'color', 'archived'] as const

export const categoryRows = rowStatements({
  noun: 'categories',
  table: 'categories',
  columns,
  select,
  insert: ['household_id', 'id', ...changeable],
  patch: changeable,
})

export const listCategories = listStatements({ noun: 'categories', table: 'categories', alias: 't', columns, select, order: 'asc' })

/** Parents before children: the trigger looks for the parent of each. */
export const insertDefaults = statement(
  'categories.insertDefaults',
  { household: 'uuid', categories: 'jsonb' },
  {},
  `insert into categories (household_id, id, name, kind, parent_id, icon, color, system_key)
  select :household, c.id, c.name, c.kind, c.parent_id, c.icon, c.color, c.system_key
  from jsonb_to_recordset(:categories) as c (id uuid, name text, kind text, parent_id uuid, icon text, color text, system_key text)
  order by c.parent_id is not null, c.id`,
)

/** The copies of the defaults, by the default's key. */
export const categoriesByKey = statement(
  'categories.byKey',
  { household: 'uuid' },
  { key: 'text', id: 'uuid' },
  'select system_key as key, id from categories where household_id = :household and system_key is not null and deleted_at is null limit 1000',
)
