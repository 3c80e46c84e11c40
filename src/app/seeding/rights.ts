// What a login needs so that rows can be written past the triggers and row-level security, and what it has not.
import type pg from 'pg'

/** Sentences, one for each right that is missing. */
export async function missingRights(client: pg.Client): Promise<string[]> {
  const { rows } = await client.query<{ login: string; bypass: boolean; replica: boolean; owner: boolean; database: boolean }>(`
    select current_user as login, r.rolsuper or r.rolbypassrls as bypass,
      has_parameter_privilege(current_user, 'session_replication_role', 'set') as replica,
      pg_has_role(current_user, (select relowner from pg_class where oid = 'public.transactions'::regclass), 'usage') as owner,
      has_database_privilege(current_user, current_database(), 'create') as database
    from pg_roles r where r.rolname = current_user`)
  const { login, bypass, replica, owner, database } = rows[0]!
  const name = `"${login.replaceAll('"', '""')}"`
  return [
    ...(replica ? [] : [`grant set on parameter session_replication_role to ${name}`]),
    ...(bypass ? [] : [`alter role ${name} bypassrls`]),
    ...(owner ? [] : [`be the role that owns the schema (DATABASE_DIRECT_URL)`]),
    ...(database ? [] : [`grant create on database to ${name}, for the schema that keeps the progress`]),
  ]
}
