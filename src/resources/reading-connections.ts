// The connections for short reads. One is faster than several while pages are in memory, since two cores run it and little else; where
// reads wait for the disk, one would make all of them wait for each, so further ones help out.
import type pg from 'pg'
import { limits } from '../values/limits.ts'
import { ReadingConnection } from './reading-connection.ts'

export class ReadingConnections {
  readonly #url: string
  readonly #log: ((message: string, error: unknown) => void) | undefined
  readonly #connections: ReadingConnection[]

  constructor(url: string, log?: (message: string, error: unknown) => void) {
    this.#url = url
    this.#log = log
    this.#connections = [new ReadingConnection(url, log)]
  }

  /** The first that keeps pace or has nothing to do; else one more, and with all of them open the one that is through soonest. */
  choose(): ReadingConnection {
    for (const connection of this.#connections) {
      if (connection.inFlight === 0 || connection.paceMs < limits.readingPaceMs) return connection
    }
    if (this.#connections.length < limits.readingConnectionsMax) {
      const another = new ReadingConnection(this.#url, this.#log)
      this.#connections.push(another)
      return another
    }
    return this.#connections.reduce((soonest, each) => (each.inFlight * each.paceMs < soonest.inFlight * soonest.paceMs ? each : soonest))
  }

  /** Opens the first of them, so that the first request finds it. */
  warm(): Promise<pg.Client> {
    return this.#connections[0]!.open()
  }

  /** Ends them; reads in flight are cut off, and the next open gets others. */
  async close() {
    await Promise.all(this.#connections.map((connection) => connection.close()))
  }
}
