// The thread that reads one long file.
import { parentPort, workerData } from 'node:worker_threads'
import { readFile, type Reading } from './reading.ts'
import { UnreadableFile } from './statement.ts'

const { bytes, reading } = workerData as { bytes: Uint8Array; reading: Reading }
try {
  parentPort!.postMessage({ result: readFile(bytes, reading) })
} catch (error) {
  if (!(error instanceof UnreadableFile)) throw error
  parentPort!.postMessage({ line: error.line, reason: error.message })
}
