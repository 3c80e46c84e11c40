// What starting leaves behind is collected once, some seconds after it.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** By then the worker is loaded and the first round has looked at everything. */
const settledMs = 3_000

/**
 * A process that has just started holds 36 MB that nobody needs: V8 makes its young generation as large as loading fills it, and only a
 * full collection, which a process at rest never comes to, makes it small again. It takes 60 ms, once.
 */
export function collectStartGarbage() {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as (options: { type: 'major' }) => void
  setTimeout(() => collect({ type: 'major' }), settledMs).unref()
}
