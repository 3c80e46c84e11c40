// SQL of the console: how many people there are.
import { statement } from '../../resources/statement.ts'

export const countPeople = statement(
  'console.people',
  {},
  { users: 'int8', households: 'int8' },
  `select (select count(*) from users) as users, (select count(*) from households h where h.deleted_at is null) as households`,
)
