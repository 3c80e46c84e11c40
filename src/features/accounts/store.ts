// SQL of accounts.
import { listStatements, rowStatements } from '../../resources/rows.ts'

const columns = {
  id: 'uuid',
  name: 'text',
  kind: 'text',
  currency: 'text',
  institutionId: 'text?',
  note: 'text',
  openingBalance: 'int8',
  balance: 'int8',
  pendingBalance: 'int8',
  closedAt: 'timestamptz?',
  createdAt: 'timestamptz',
  updatedAt: 'timestamptz',
  revision: 'int8',
} as const
const select = `t.id, t.name, t.kind, t.currency, t.institution_id as "institutionId", t.note, t.opening_balance as "openingBalance", t.balance,
  t.pending_balance as "pendingBalance", t.closed_at as "closedAt", t.created_at as "createdAt", t.updated_at as "updatedAt", t.revision`

const changeable = ['name', 'kind', 'currency', 'institution_id', 'note', 'opening_balance', 'closed_at'] as const

export const accountRows = rowStatements({
  noun: 'accounts',
  table: 'accounts',
  columns,
  select,
  insert: ['household_id', 'id', ...changeable],
  patch: changeable,
})

export const listAccounts = listStatements({ noun: 'accounts', table: 'accounts', alias: 't', columns, select, order: 'asc' })
