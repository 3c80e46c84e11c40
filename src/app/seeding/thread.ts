// A worker thread of a seed: makes batches and writes them on a connection of its own, one after another, as it is told.
import { parentPort, workerData } from 'node:worker_threads'
import pg from 'pg'
import type { Batch } from './sizes.ts'
import { writeBatch, type Written } from './write-batch.ts'
import type { Facts } from './tables.ts'

export type ThreadData = { url: string; facts: Facts; sizes: Int32Array }
export type Told = { written: Written | undefined } | { failure: string }

const { url, facts, sizes } = workerData as ThreadData
const client = new pg.Client({ connectionString: url, application_name: 'djinn seed' })
// What breaks the connection also fails the statement that waits for it.
client.on('error', () => {})
const connected = client.connect()
// Each batch awaits it again.
connected.catch(() => {})

parentPort!.on('message', (batch: Batch | 'end') => {
  if (batch === 'end') void client.end().then(() => parentPort!.close())
  else {
    const tell = (told: Told) => parentPort!.postMessage(told)
    connected
      .then(() => writeBatch(client, facts, batch, sizes))
      .then(
        (written) => tell({ written }),
        (error: Error) => tell({ failure: error.message }),
      )
  }
})
