// A replication connection: a copy of the whole cluster, and the write-ahead log as it is written, over PostgreSQL's own protocol.
import type { EventEmitter } from 'node:events'
import type { Socket } from 'node:net'
import pg from 'pg'

/** What is below a client, as far as it is needed here; not in the driver's types. */
type Wire = EventEmitter & { stream: Socket; query: (text: string) => void; sendCopyFromChunk: (bytes: Buffer) => void }
type Fields = Record<string, string | null>

/** The login may not replicate, or the server does not let it. */
export class ReplicationRefused extends Error {}

/** A position in the log, as PostgreSQL writes it. */
export const lsnText = (lsn: bigint): string =>
  `${(lsn >> 32n).toString(16).toUpperCase()}/${(lsn & 0xffff_ffffn).toString(16).toUpperCase()}`
export function lsnOf(text: string): bigint {
  const [high = '0', low = '0'] = text.split('/')
  return (BigInt(`0x${high}`) << 32n) | BigInt(`0x${low}`)
}

export type LogReader = {
  /** Bytes of the log from this position on; they are the reader's to keep. */
  data: (from: bigint, bytes: Buffer) => void
  /** PostgreSQL has nothing more on this timeline, or the connection ended. */
  end: (error: Error | null) => void
}

export class ReplicationConnection {
  readonly #client: pg.Client
  readonly #wire: Wire

  private constructor(client: pg.Client) {
    this.#client = client
    this.#wire = (client as unknown as { connection: Wire }).connection
  }

  /** `name` is how it shows in pg_stat_activity. */
  static async open(url: string, name: string): Promise<ReplicationConnection> {
    // Of a database, so that the login needs no line of its own in pg_hba.conf, and may also ask in SQL.
    const options = {
      connectionString: url,
      application_name: name,
      connectionTimeoutMillis: 10_000,
      keepAlive: true,
      replication: 'database',
    }
    const client = new pg.Client(options)
    client.on('error', () => {})
    try {
      await client.connect()
    } catch (error) {
      await client.end().catch(() => {})
      throw explained(error)
    }
    return new ReplicationConnection(client)
  }

  /** One command by the simple protocol; the fields of its rows are text. */
  async ask(command: string): Promise<Fields[]> {
    try {
      const { rows } = await this.#client.query<Fields>({ text: command, types: { getTypeParser: () => (text: string) => text } })
      return rows
    } catch (error) {
      throw explained(error)
    }
  }

  /** A command that answers by a stream: its chunks, and then all its rows besides. What reads slowly slows the sender down. */
  async *copy(command: string): AsyncGenerator<Buffer, Fields[][]> {
    const arrived: Buffer[] = []
    const results: Fields[][] = []
    let columns: string[] = []
    let ended = false
    let failure: Error | undefined
    let wake = () => {}
    const { stream } = this.#wire
    const query = {
      submit: (wire: Wire) => wire.query(command),
      handleRowDescription: ({ fields }: { fields: { name: string }[] }) => {
        columns = fields.map((field) => field.name)
        results.push([])
      },
      handleDataRow: ({ fields }: { fields: (string | null)[] }) => {
        results.at(-1)!.push(Object.fromEntries(columns.map((column, index) => [column, fields[index] ?? null])))
      },
      handleCopyData: ({ chunk }: { chunk: Buffer }) => {
        // A view into the buffer that the driver writes over.
        arrived.push(Buffer.from(chunk))
        if (arrived.length >= chunksWaitingMax) stream.pause()
        wake()
      },
      handleCommandComplete: () => {},
      handleError: (error: Error) => {
        failure = error
        ended = true
        wake()
      },
      handleReadyForQuery: () => {
        ended = true
        wake()
      },
    }
    this.#client.query(query as never)
    try {
      for (;;) {
        const chunk = arrived.shift()
        if (chunk) yield chunk
        else if (failure) throw explained(failure)
        else if (ended) return results
        else {
          const more = new Promise<void>((resolve) => (wake = resolve))
          stream.resume()
          if (arrived.length === 0 && !ended) await more
        }
      }
    } finally {
      // Left before its end, the stream has nobody to go to.
      if (!ended) stream.destroy()
    }
  }

  /** Follows the log until the connection ends; `command` is START_REPLICATION. */
  follow(command: string, reader: LogReader) {
    let ended = false
    const end = (error: Error | null) => {
      if (ended) return
      ended = true
      reader.end(error && explained(error))
    }
    this.#client.once('end', () => end(null))
    this.#client.on('error', end)
    const query = {
      submit: (wire: Wire) => wire.query(command),
      handleCopyData: ({ chunk }: { chunk: Buffer }) => {
        // XLogData: its kind, where it begins, where the server stands, its clock, and the bytes.
        if (chunk[0] === 0x77) reader.data(chunk.readBigUInt64BE(1), Buffer.from(chunk.subarray(25)))
        else if (chunk[0] === 0x6b && chunk[17] === 1) this.confirm(this.#confirmed)
      },
      handleRowDescription: () => {},
      handleDataRow: () => {},
      handleCommandComplete: () => {},
      handleError: (error: Error) => end(error),
      handleReadyForQuery: () => end(null),
    }
    this.#client.query(query as never)
  }

  #confirmed = 0n

  /** Tells the server up to where the log is safe here, so that it need not keep it. */
  confirm(lsn: bigint) {
    this.#confirmed = lsn
    const status = Buffer.alloc(34)
    status[0] = 0x72
    status.writeBigUInt64BE(lsn, 1)
    status.writeBigUInt64BE(lsn, 9)
    // Of these two the last would be what a replica has applied.
    status.writeBigUInt64BE(0n, 17)
    status.writeBigInt64BE(BigInt(Date.now() - 946_684_800_000) * 1_000n, 25)
    this.#wire.sendCopyFromChunk(status)
  }

  /** Until this connection ends nobody else gets it; false where somebody has it. */
  async lock(key: number): Promise<boolean> {
    return (await this.ask(`select pg_try_advisory_lock(${key}) as mine`))[0]!['mine'] === 't'
  }

  /** A reader that cannot keep up lets the log wait on the server. */
  pause() {
    this.#wire.stream.pause()
  }

  resume() {
    this.#wire.stream.resume()
  }

  /** Ends it at once, in whatever it is. */
  async close() {
    const ended = this.#client.end().catch(() => {})
    this.#wire.stream.destroy()
    await ended
  }
}

const chunksWaitingMax = 64

function explained(error: unknown): Error {
  const { code, message } = error as { code?: string; message: string }
  if (code === '42501' || /permission denied to start WAL sender/.test(message)) {
    return new ReplicationRefused(
      `${message}: a backup takes a login that may replicate; as a superuser: alter role <login> replication, or let DATABASE_DIRECT_URL name one`,
    )
  }
  if (/wal_level|max_wal_senders|max_replication_slots/.test(message)) {
    return new ReplicationRefused(`${message}: wal_level must be replica or logical, and max_wal_senders and max_replication_slots above 0`)
  }
  return error as Error
}
