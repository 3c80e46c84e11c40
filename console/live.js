// The figures that move: asked for every five seconds, with what was missed since; a tab in the background catches up in one answer.
import { computed, signal } from '@preact/signals'
import { ask, openSession, session } from './calls.js'

const historyMs = 15 * 60_000
const staleMs = 15_000
const againMs = 2_000

/** The last answer, and the rows of the last quarter of an hour, oldest first. */
export const live = signal(null)
export const rows = signal([])
/** connecting, live, or stale: then what is shown is of `freshAtMs`. */
export const state = signal('connecting')
export const freshAtMs = signal(0)

let timer
let asking = false
let heardMs = 0

const place = computed(() => new Map((live.value?.columns ?? []).map((name, index) => [name, index])))

/** The values of one column, oldest first. */
export function column(name) {
  const index = place.value.get(name)
  return index === undefined ? [] : rows.value.map((row) => row[index])
}

/** The last value of a column, or null. */
export function latest(name) {
  const index = place.value.get(name)
  return index === undefined ? null : (rows.value.at(-1)?.[index] ?? null)
}

function take(answer) {
  const restarted = live.value !== null && live.value.boot !== answer.boot
  // A clock that was set back begins another history as well.
  const kept = restarted || (rows.value.at(-1)?.[0] ?? 0) > answer.nowMs ? [] : rows.value
  const from = answer.nowMs - historyMs
  live.value = answer
  rows.value = [...kept, ...answer.rows].filter((row) => row[0] > from)
  return restarted
}

async function round() {
  if (asking || session.value?.operator == null) return
  asking = true
  clearTimeout(timer)
  let wait = live.value?.everyMs ?? againMs
  try {
    const since = rows.value.at(-1)?.[0] ?? 0
    const answer = await ask(`/console/live?since=${since}`)
    // A process that started again may have kept nothing of what this page has seen, and has another token.
    if (take(answer)) {
      await openSession()
      take({ ...answer, ...(await ask('/console/live?since=0')) })
    }
    heardMs = performance.now()
    freshAtMs.value = Date.now()
    state.value = 'live'
  } catch {
    wait = againMs
    if (state.value === 'live') state.value = 'stale'
  } finally {
    asking = false
    timer = setTimeout(() => void round(), wait)
  }
}

export function follow() {
  setInterval(() => {
    if (state.value === 'live' && performance.now() - heardMs > staleMs) state.value = 'stale'
  }, 1_000)
  // A tab that comes back, and a network that does, are asked for at once.
  const now = () => void round()
  document.addEventListener('visibilitychange', () => document.visibilityState === 'visible' && now())
  globalThis.addEventListener('online', now)
  session.subscribe(now)
}
