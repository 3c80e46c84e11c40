// The settings of a PostgreSQL server: reads them, and writes them by ALTER SYSTEM. On a connection of its own, as no transaction may be open.
import pg from 'pg'

/** A setting, from pg_settings. */
export type ServerSetting = {
  name: string
  setting: string
  unit: string | null
  /** When a change counts: `postmaster` is at the next start. */
  context: string
  /** Where its value comes from; a command line wins over ALTER SYSTEM. */
  source: string
  pendingRestart: boolean
  /** What the configuration files say, where we may read them. */
  configured: string | null
  min: string | null
  max: string | null
}

export class ServerSettings {
  readonly #client: pg.Client

  private constructor(client: pg.Client) {
    this.#client = client
  }

  static async open(url: string): Promise<ServerSettings> {
    const client = new pg.Client({ connectionString: url, application_name: 'djinn tune', connectionTimeoutMillis: 10_000 })
    client.on('error', () => {})
    await client.connect()
    return new ServerSettings(client)
  }

  /** Those of the names that the server knows. */
  async read(names: readonly string[]): Promise<ServerSetting[]> {
    const { rows } = await this.#client.query<Omit<ServerSetting, 'configured'>>(
      `select name, setting, unit, context, source, pending_restart as "pendingRestart", min_val as min, max_val as max
      from pg_settings where name = any($1)`,
      [names],
    )
    const configured = await this.#configured(names)
    return rows.map((row) => ({ ...row, configured: configured.get(row.name) ?? null }))
  }

  /** What the files say, the last line of each setting; nothing where we may not look into them. */
  async #configured(names: readonly string[]): Promise<Map<string, string>> {
    const {
      rows: [may],
    } = await this.#client.query<{ may: boolean }>(`select has_function_privilege('pg_show_all_file_settings()', 'execute') as may`)
    if (!may!.may) return new Map()
    const { rows } = await this.#client.query<{ name: string; setting: string }>(
      'select name, setting from pg_show_all_file_settings() where name = any($1) and setting is not null order by seqno',
      [names],
    )
    return new Map(rows.map((row) => [row.name, row.setting]))
  }

  /** Why settings cannot be altered here, in a sentence; null when they can. Asked first, so that nothing is half done. */
  async refusal(names: readonly string[]): Promise<string | null> {
    const { rows } = await this.#client.query<{ login: string; refused: string[]; allowed: string | null; standby: boolean }>(
      `select current_user as login, current_setting('allow_alter_system', true) as allowed, pg_is_in_recovery() as standby,
        coalesce(array_agg(n.name order by n.name) filter (where not has_parameter_privilege(n.name, 'alter system')), '{}') as refused
      from unnest($1::text[]) n (name)`,
      [names],
    )
    const { login, refused, allowed } = rows[0]!
    if (allowed === 'off') return 'the server refuses ALTER SYSTEM (allow_alter_system is off): write the settings into its configuration'
    if (refused.length === 0) return null
    const which = refused.length === names.length ? '' : ` for ${refused.join(', ')}`
    return `${login} may not run ALTER SYSTEM${which}: DATABASE_DIRECT_URL must name a superuser, or write the settings into the server's configuration`
  }

  /** One after the other, since PostgreSQL takes ALTER SYSTEM in no transaction; `done` is told after each. */
  async alter(settings: readonly { name: string; value: string }[], done: (name: string) => void) {
    for (const { name, value } of settings) {
      await this.#client.query(`alter system set ${this.#client.escapeIdentifier(name)} = ${this.#client.escapeLiteral(value)}`)
      done(name)
    }
  }

  /** Makes the server read its files again; what was altered counts a moment later. */
  async reload() {
    await this.#client.query('select pg_reload_conf()')
  }

  async close() {
    await this.#client.end()
  }
}
