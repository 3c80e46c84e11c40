// SQL of accounts.
import { composedStatement } from '../../resources/statement.ts'
import { rowStatements } from '../../resources/rows.ts'

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

/** In order of their ids: of creation, when clients choose UUIDv7. */
export function listAccounts(after: boolean) {
  return composedStatement(
    `accounts.list${after ? '.after' : ''}`,
    after ? { household: 'uuid', rows: 'int4', after: 'uuid' } : ({ household: 'uuid', rows: 'int4' } as never),
    columns,
    () => `select ${select} from accounts t where t.household_id = :household and t.deleted_at is null${after ? ' and t.id > :after' : ''}
    order by t.id limit :rows`,
  )
}
