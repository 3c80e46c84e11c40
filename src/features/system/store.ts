// SQL of the system data that operators replaced.
import { statement } from '../../resources/statement.ts'

export const readSystemData = statement(
  'system.read',
  { name: 'text' },
  { content: 'jsonb' },
  'select content from system_data where name = :name',
)
