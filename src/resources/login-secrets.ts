// The secrets that PostgreSQL keeps of logins, for a pooler that checks clients by them.
import pg from 'pg'

/** Reads the SCRAM secret of a login; an Error says in a sentence why there is none to be had. */
export async function scramSecret(url: string, login: string): Promise<string> {
  const client = new pg.Client({ connectionString: url, application_name: 'djinn pooler', connectionTimeoutMillis: 10_000 })
  client.on('error', () => {})
  await client.connect()
  try {
    const { rows } = await client.query<{ secret: string | null }>('select rolpassword as secret from pg_authid where rolname = $1', [
      login,
    ])
    const secret = rows[0]?.secret
    if (rows.length === 0) throw new Error(`PostgreSQL has no login ${login}, which DATABASE_URL names`)
    if (secret === null || secret === undefined)
      throw new Error(`${login} has no password in PostgreSQL: give it one, and DATABASE_URL the same`)
    if (!secret.startsWith('SCRAM-SHA-256$')) {
      throw new Error(`the password of ${login} is kept as MD5: set it anew with password_encryption = 'scram-sha-256'`)
    }
    return secret
  } catch (error) {
    if ((error as { code?: string }).code !== '42501') throw error
    throw new SecretsRefused(
      `${client.user ?? 'the login'} may not read the secrets of logins: let DATABASE_DIRECT_URL name a superuser for this one call`,
    )
  } finally {
    await client.end()
  }
}

export class SecretsRefused extends Error {}
