// SQL of who belongs to a household.
import { statement } from '../../resources/statement.ts'

const columns = {
  userId: 'uuid',
  displayName: 'text',
  email: 'text?',
  role: 'text',
  createdAt: 'timestamptz',
  updatedAt: 'timestamptz',
  revision: 'int8',
} as const
/** Owners see everybody's address, others their own. */
const select = `m.user_id as "userId", u.display_name as "displayName",
  case when m.user_id = :caller or (select c.role from memberships c where c.household_id = m.household_id and c.user_id = :caller) = 'owner'
    then u.email end as email,
  m.role, m.created_at as "createdAt", m.updated_at as "updatedAt", m.revision`

export const insertMember = statement(
  'members.insert',
  { household: 'uuid', user: 'uuid', role: 'text' },
  {},
  'insert into memberships (household_id, user_id, role) values (:household, :user, :role)',
)

/** In the order in which they joined. */
export const listMembers = statement(
  'members.list',
  { household: 'uuid', caller: 'uuid' },
  columns,
  `select ${select} from memberships m join users u on u.id = m.user_id
  where m.household_id = :household order by m.created_at, m.user_id limit 100`,
)

export const readMember = statement(
  'members.read',
  { household: 'uuid', member: 'uuid', caller: 'uuid' },
  columns,
  `select ${select} from memberships m join users u on u.id = m.user_id where m.household_id = :household and m.user_id = :member`,
)

/** The roles of whoever calls and of the member they mean, and how many owners there are. */
export const readStanding = statement(
  'members.standing',
  { household: 'uuid', member: 'uuid', caller: 'uuid' },
  { callerRole: 'text?', memberRole: 'text?', memberRevision: 'int8?', owners: 'int8' },
  `select max(role) filter (where user_id = :caller) as "callerRole", max(role) filter (where user_id = :member) as "memberRole",
    max(revision) filter (where user_id = :member) as "memberRevision", count(*) filter (where role = 'owner') as owners
  from memberships where household_id = :household`,
)

export const setRole = statement(
  'members.setRole',
  { household: 'uuid', member: 'uuid', role: 'text' },
  {},
  'update memberships set role = :role where household_id = :household and user_id = :member',
)

export const deleteMember = statement(
  'members.delete',
  { household: 'uuid', member: 'uuid' },
  {},
  'delete from memberships where household_id = :household and user_id = :member',
)
