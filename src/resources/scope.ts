// For whom a transaction runs: set inside of it together with its role, so that no connection carries it to the next.
import { limits } from '../values/limits.ts'
import { statement } from './statement.ts'

/** For whom a transaction runs: row-level security and the journal take it from there. */
export type Scope = { household?: string | null; user?: string | null; device?: string | null; request?: string | null }

const enterReading = statement(
  'scope.read',
  { household: 'text', user: 'text', statementTimeout: 'text', planCacheMode: 'text', stateOf: 'uuid?' },
  { role: 'text', state: 'int8[]' },
  `select set_config('djinn.household', :household, true) as h, set_config('djinn.user', :user, true) as u,
    set_config('statement_timeout', :statementTimeout, true) as s, set_config('plan_cache_mode', :planCacheMode, true) as p,
    set_config('transaction_read_only', 'on', true) as o,
    set_config('TimeZone', 'UTC', true) as z, household_state(:stateOf) as state, set_config('role', 'djinn_app', true) as role`,
)

const enterWriting = statement(
  'scope.write',
  {
    household: 'text',
    user: 'text',
    device: 'text',
    request: 'text',
    push: 'text',
    statementTimeout: 'text',
    lockTimeout: 'text',
    role: 'text',
  },
  { role: 'text' },
  `select set_config('djinn.household', :household, true) as h, set_config('djinn.user', :user, true) as u,
    set_config('djinn.device', :device, true) as d, set_config('djinn.request', :request, true) as r, set_config('djinn.push', :push, true) as p,
    set_config('statement_timeout', :statementTimeout, true) as s, set_config('lock_timeout', :lockTimeout, true) as l,
    set_config('TimeZone', 'UTC', true) as z, set_config('role', :role, true) as role`,
)

type Entered = { name: string; text: string; values: (string | null)[] }

/**
 * What a reading transaction sends right after its begin; it also tells how the household stands. With `anyPlan` its statements
 * are planned once for any parameters: planned for each anew, a list took four times as long to plan as to run.
 */
export function readingScope(
  scope: Scope,
  { stateOf = null, anyPlan = false }: { stateOf?: string | null; anyPlan?: boolean } = {},
): Entered {
  const mode = anyPlan ? 'force_generic_plan' : 'auto'
  return {
    name: enterReading.preparedName,
    text: enterReading.text,
    values: [scope.household ?? '', scope.user ?? '', String(limits.statementTimeoutMs), mode, stateOf],
  }
}

/** What a writing transaction sends right after its begin. `push` lets what it tells people go to their devices too. */
export function writingScope(scope: Scope, push: boolean, role: 'djinn_app' | 'djinn_keeper'): Entered {
  return {
    name: enterWriting.preparedName,
    text: enterWriting.text,
    values: [
      scope.household ?? '',
      scope.user ?? '',
      scope.device ?? '',
      scope.request ?? '',
      push ? 'on' : '',
      String(limits.statementTimeoutMs),
      String(limits.lockTimeoutMs),
      role,
    ],
  }
}
