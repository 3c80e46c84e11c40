// For whom a transaction runs: set inside of it together with its role, so that no connection carries it to the next.
import { limits } from '../values/limits.ts'
import { statement } from './statement.ts'

/** For whom a transaction runs: row-level security and the journal take it from there. */
export type Scope = { household?: string | null; user?: string | null; device?: string | null; request?: string | null }

const enterHousehold = statement(
  'scope.enter',
  {
    household: 'text',
    user: 'text',
    device: 'text',
    request: 'text',
    push: 'text',
    statementTimeout: 'text',
    lockTimeout: 'text',
    stateOf: 'uuid?',
  },
  { role: 'text', state: 'int8[]' },
  `select set_config('djinn.household', :household, true) as h, set_config('djinn.user', :user, true) as u,
    set_config('djinn.device', :device, true) as d, set_config('djinn.request', :request, true) as r, set_config('djinn.push', :push, true) as p,
    set_config('statement_timeout', :statementTimeout, true) as s, set_config('lock_timeout', :lockTimeout, true) as l,
    set_config('TimeZone', 'UTC', true) as z, household_state(:stateOf) as state, set_config('role', 'djinn_app', true) as role`,
)

/** What a transaction sends right after its begin. */
export function scopeValues(scope: Scope, push: boolean, role = 'djinn_app', stateOf: string | null = null) {
  return {
    text: role === 'djinn_app' ? enterHousehold.text : enterHousehold.text.replace(`'djinn_app'`, `'${role}'`),
    name: `${enterHousehold.name}.${role}`,
    values: [
      scope.household ?? '',
      scope.user ?? '',
      scope.device ?? '',
      scope.request ?? '',
      push ? 'on' : '',
      String(limits.statementTimeoutMs),
      String(limits.lockTimeoutMs),
      stateOf,
    ],
  }
}
