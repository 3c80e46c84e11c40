// Kinds of statement that are slow, as pg_stat_statements has them; the statement's function answers nothing where that is missing.
import { statement } from './statement.ts'

/** Those whose mean is above `slowMs`, the costliest in all first. */
export const readSlowKinds = statement(
  'slowKinds.read',
  { slowMs: 'int4', rows: 'int4' },
  { query: 'text', calls: 'int8', meanUs: 'int8', totalUs: 'int8' },
  'select s.query, s.calls, s.mean_us as "meanUs", s.total_us as "totalUs" from slow_statements(:slowMs, :rows) s',
)
