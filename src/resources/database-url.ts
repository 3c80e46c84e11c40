// What a URL of PostgreSQL names, as the driver reads it.
import pg from 'pg'

export type DatabaseAddress = { host: string; port: number; user: string; password: string | null; database: string }

export function addressOf(url: string): DatabaseAddress {
  // The driver fills in what the URL leaves out; a client that is not connected holds nothing open.
  const { host, port, user, password, database } = new pg.Client({ connectionString: url })
  return {
    host,
    port,
    user: user ?? '',
    password: typeof password === 'string' && password !== '' ? password : null,
    database: database ?? '',
  }
}
