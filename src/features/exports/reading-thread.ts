// The thread that reads one household's document.
import { parentPort, workerData } from 'node:worker_threads'
import { Failure } from '../../values/failure.ts'
import { readDocument } from './document-reader.ts'

try {
  parentPort!.postMessage({ document: readDocument(workerData as Uint8Array) })
} catch (error) {
  if (!(error instanceof Failure)) throw error
  parentPort!.postMessage({ reason: error.message, errors: error.errors })
}
