// Asks a replica how it stands, on a connection of its own, so that no slow read is taken for a dead server.
import pg from 'pg'
import { limits } from '../values/limits.ts'
import type { ReplicaStanding } from './replica-standing.ts'
import { types } from './types.ts'

/** Who may see the log's receiver learns the timeline from it; to others the last restart point tells it. */
const question = `
  select pg_is_in_recovery() as "inRecovery",
    (select s.system_identifier::text from pg_control_system() s) as system,
    coalesce((select w.received_tli from pg_stat_wal_receiver w),
      greatest((select c.timeline_id from pg_control_checkpoint() c), (select r.min_recovery_end_timeline from pg_control_recovery() r))) as timeline,
    (select d.oid::int8 from pg_database d where d.datname = current_database()) as "databaseOid",
    coalesce(pg_wal_lsn_diff(pg_last_wal_replay_lsn(), '0/0'), 0)::int8 as replayed`

export class ReplicaProbe {
  readonly #url: string
  #client: pg.Client | undefined

  constructor(url: string) {
    this.#url = url
  }

  /** Throws when it does not answer in time; the next call connects anew. */
  async ask(): Promise<ReplicaStanding> {
    try {
      const client = (this.#client ??= await this.#connect())
      const { rows } = await client.query<ReplicaStanding>(question)
      return rows[0]!
    } catch (error) {
      this.close()
      throw error
    }
  }

  async #connect(): Promise<pg.Client> {
    const client = new pg.Client({
      connectionString: this.#url,
      application_name: 'djinn probe',
      connectionTimeoutMillis: limits.replicaProbeTimeoutMs,
      query_timeout: limits.replicaProbeTimeoutMs,
      keepAlive: true,
      types,
    })
    client.on('error', () => this.close())
    await client.connect()
    return client
  }

  close() {
    const former = this.#client
    this.#client = undefined
    former?.end().catch(() => {})
  }
}
