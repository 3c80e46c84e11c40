// What is sent on a connection until the event loop comes round is written in one piece: one call of the kernel for all of it.
import type pg from 'pg'

export type Stream = { cork: () => void; uncork: () => void }

const gathering = new WeakSet<Stream>()

/** The socket of a connection, which pg's types do not tell of. */
export function streamOf(client: pg.Client | pg.PoolClient): Stream & { destroy: () => void } {
  return (client as unknown as { connection: { stream: Stream & { destroy: () => void } } }).connection.stream
}

/** Holds back what is written on the stream from now on, until everything that is ready to run has run. */
export function gather(stream: Stream) {
  if (gathering.has(stream)) return
  gathering.add(stream)
  stream.cork()
  setImmediate(() => {
    gathering.delete(stream)
    stream.uncork()
  })
}
