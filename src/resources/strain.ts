// How strained this process is: its event loop, what waits for the database, its memory. A look costs some 30 µs and asks nobody.
import { totalmem } from 'node:os'
import { performance } from 'node:perf_hooks'
import { getHeapStatistics } from 'node:v8'

export type Strain = {
  /** The mean length of a turn of the event loop since the look before: so long waits whatever comes in. */
  loopMs: number
  /** Requests that are being answered. */
  requests: number
  /** Requests that wait for a connection of the pool. */
  poolWaiting: number
  /** Reads that the database has not answered, on the shared connection and on others. */
  readsInFlight: number
  /** The heap, of what it may grow to. */
  heapShare: number
  /** The process, of what the machine has or its control group allows. */
  memoryShare: number
}

/** Makes the looker; each call tells of the time since the one before. */
export function makeLook(poolState: () => { waiting: number; readsInFlight: number }, requests: () => number): () => Strain {
  const memoryBytes = Math.min(totalmem(), process.constrainedMemory() || Number.POSITIVE_INFINITY)
  let busy = performance.eventLoopUtilization()
  let turns = performance.nodeTiming.uvMetricsInfo.loopCount
  return () => {
    const busyNow = performance.eventLoopUtilization()
    const turnsNow = performance.nodeTiming.uvMetricsInfo.loopCount
    const activeMs = busyNow.active - busy.active
    // Within one turn there is none to count yet: it is as long as all that it has done.
    const loopMs = activeMs / Math.max(1, turnsNow - turns)
    busy = busyNow
    turns = turnsNow
    const heap = getHeapStatistics()
    const { waiting, readsInFlight } = poolState()
    return {
      loopMs,
      requests: requests(),
      poolWaiting: waiting,
      readsInFlight,
      heapShare: heap.used_heap_size / heap.heap_size_limit,
      memoryShare: process.memoryUsage.rss() / memoryBytes,
    }
  }
}
