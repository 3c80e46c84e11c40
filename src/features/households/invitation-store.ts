// SQL of invitations and their tokens.
import { statement } from '../../resources/statement.ts'

const columns = {
  id: 'uuid',
  role: 'text',
  email: 'text?',
  invitedBy: 'uuid',
  expiresAt: 'timestamptz',
  createdAt: 'timestamptz',
  revision: 'int8',
} as const
const select = `i.id, i.role, i.email, i.invited_by as "invitedBy", i.expires_at as "expiresAt", i.created_at as "createdAt", i.revision`

export const insertInvitation = statement(
  'invitations.insert',
  { household: 'uuid', id: 'uuid', role: 'text', email: 'text?', emailKey: 'text?', hours: 'int4' },
  columns,
  `insert into invitations as i (household_id, id, role, email, email_key, expires_at)
  values (:household, :id, :role, :email, :emailKey, now() + make_interval(hours => :hours)) returning ${select}`,
)

export const insertInvitationToken = statement(
  'invitations.insertToken',
  { household: 'uuid', hash: 'bytea', invitation: 'uuid' },
  {},
  'insert into invitation_tokens (household_id, hash, invitation_id) values (:household, :hash, :invitation)',
)

export const listInvitations = statement(
  'invitations.list',
  { household: 'uuid' },
  columns,
  `select ${select} from open_invitations i where i.household_id = :household order by i.created_at desc, i.id desc limit 100`,
)

export const readInvitationState = statement(
  'invitations.state',
  { household: 'uuid', id: 'uuid' },
  { accepted: 'bool' },
  'select accepted_at is not null as accepted from invitations where household_id = :household and id = :id',
)

export const revokeInvitation = statement(
  'invitations.revoke',
  { household: 'uuid', id: 'uuid' },
  {},
  `update invitations set deleted_at = now()
  where household_id = :household and id = :id and accepted_at is null and deleted_at is null`,
)

/** What a token is worth to whoever asks; no row when it is unknown or its household is gone. */
export const readToken = statement(
  'invitations.readToken',
  { household: 'uuid', hash: 'bytea' },
  { householdName: 'text', role: 'text', expiresAt: 'timestamptz', open: 'bool', joined: 'bool' },
  `select household_name as "householdName", role, expires_at as "expiresAt", open, joined from read_invitation(:household, :hash)`,
)

/** Makes the caller a member, in that household from then on; null when the token is worth nothing to them. */
export const acceptToken = statement(
  'invitations.accept',
  { household: 'uuid', hash: 'bytea' },
  { joined: 'bool?' },
  'select accept_invitation(:household, :hash) as joined',
)

export const queueInvitationMail = statement('invitations.queueMail', { id: 'uuid' }, {}, 'select from queue_invitation_mail(:id)')

/** What the mail says, as the keeper; no row once it is not open any more. */
export const readInvitationMail = statement(
  'invitations.readMail',
  { household: 'uuid', id: 'uuid' },
  { email: 'text', role: 'text', expiresAt: 'timestamptz', householdName: 'text', inviter: 'text', tryAgain: 'bool' },
  `select i.email, i.role, i.expires_at as "expiresAt", h.name as "householdName", coalesce(nullif(u.display_name, ''), u.email) as inviter,
    i.created_at > now() - interval '1 day' as "tryAgain"
  from open_invitations i join households h on h.household_id = i.household_id and h.deleted_at is null join users u on u.id = i.invited_by
  where i.household_id = :household and i.id = :id and i.email is not null`,
)

export const requeueInvitationMail = statement(
  'invitations.requeueMail',
  { household: 'uuid', invitation: 'uuid', minutes: 'int4' },
  {},
  `select from enqueue('mailInvitation', jsonb_build_object('household', :household, 'invitation', :invitation), 'invitation:' || :invitation,
    now() + make_interval(mins => :minutes))`,
)

/** Kept for a while after their end; their tokens go with them. */
export const sweepInvitations = statement(
  'invitations.sweep',
  { days: 'int4' },
  {},
  'delete from invitations where least(expires_at, accepted_at, deleted_at) < now() - make_interval(days => :days)',
)
