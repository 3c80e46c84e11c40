// SQL of second factors and their recovery codes.
import { statement } from '../../resources/statement.ts'

export const secondFactorState = statement(
  'secondFactors.state',
  { user: 'uuid' },
  { enabledAt: 'timestamptz', recoveryCodesLeft: 'int4' },
  `select f.enabled_at as "enabledAt",
    (select count(*)::int from recovery_codes c where c.user_id = f.user_id and c.used_at is null) as "recoveryCodesLeft"
  from second_factors f where f.user_id = :user and f.enabled_at is not null`,
)

/** Those who try a code at once take turns. `waitS` is how long until a wrong code of the window no longer counts. */
export const lockSecondFactor = statement(
  'secondFactors.lock',
  { user: 'uuid', minutes: 'int4' },
  { secret: 'bytea', lastStep: 'int8', wrongCodes: 'int4', waitS: 'int4' },
  // Counted in the select list: a subquery in FROM would keep what it saw before the lock.
  `select f.secret, f.last_step as "lastStep",
    (select count(*)::int from unnest(f.wrong_at) at where at > now() - make_interval(mins => :minutes)) as "wrongCodes",
    (select coalesce(ceil(extract(epoch from min(at) + make_interval(mins => :minutes) - now())), 0)::int
     from unnest(f.wrong_at) at where at > now() - make_interval(mins => :minutes)) as "waitS"
  from second_factors f where f.user_id = :user and f.enabled_at is not null for update`,
)

export const acceptStep = statement(
  'secondFactors.acceptStep',
  { user: 'uuid', step: 'int8' },
  {},
  'update second_factors set last_step = :step where user_id = :user',
)

export const countWrongCode = statement(
  'secondFactors.countWrong',
  { user: 'uuid', minutes: 'int4' },
  {},
  `update second_factors set wrong_at = array(
    select at from unnest(wrong_at) at where at > now() - make_interval(mins => :minutes)) || now()
  where user_id = :user`,
)

export const findRecoveryCode = statement(
  'recoveryCodes.find',
  { user: 'uuid', hash: 'bytea' },
  { user: 'uuid' },
  'select user_id as user from recovery_codes where user_id = :user and hash = :hash and used_at is null',
)

export const useRecoveryCode = statement(
  'recoveryCodes.use',
  { user: 'uuid', hash: 'bytea' },
  { user: 'uuid' },
  'update recovery_codes set used_at = now() where user_id = :user and hash = :hash and used_at is null returning user_id as user',
)

/** Beginning again replaces what waits. */
export const keepPendingSecret = statement(
  'secondFactors.keepPending',
  { user: 'uuid', secret: 'bytea', minutes: 'int4' },
  {},
  `insert into second_factors (user_id, pending_secret, pending_until) values (:user, :secret, now() + make_interval(mins => :minutes))
  on conflict (user_id) do update set pending_secret = excluded.pending_secret, pending_until = excluded.pending_until`,
)

export const lockPendingSecret = statement(
  'secondFactors.lockPending',
  { user: 'uuid' },
  { secret: 'bytea' },
  'select pending_secret as secret from second_factors where user_id = :user and pending_until > now() for update',
)

export const enableSecondFactor = statement(
  'secondFactors.enable',
  { user: 'uuid', step: 'int8' },
  { enabledAt: 'timestamptz' },
  `update second_factors set secret = pending_secret, enabled_at = now(), last_step = :step, pending_secret = null, pending_until = null
  where user_id = :user returning enabled_at as "enabledAt"`,
)

export const dropSecondFactor = statement(
  'secondFactors.drop',
  { user: 'uuid' },
  { enabled: 'bool' },
  'delete from second_factors where user_id = :user returning enabled_at is not null as enabled',
)

export const dropRecoveryCodes = statement('recoveryCodes.drop', { user: 'uuid' }, {}, 'delete from recovery_codes where user_id = :user')

export const insertRecoveryCodes = statement(
  'recoveryCodes.insert',
  { user: 'uuid', hashes: 'text[]' },
  {},
  `insert into recovery_codes (user_id, hash) select :user, decode(hash, 'hex') from unnest(:hashes) hash`,
)
