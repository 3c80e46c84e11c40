// The database keeps the books, whoever writes: random histories over HTTP and by SQL of the app's role, recomputed naively.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import fc from 'fast-check'
import { open } from '../harness.ts'
import { beginHistory, histories, steps } from './histories.ts'
import { assertBooks } from './naive-books.ts'

const djinn = await open()
after(() => djinn.close())

test('whatever is written by whom, balances, monthly totals, splits and transfers are what the transactions say', async (t) => {
  const seed = Math.trunc(Math.random() * 2 ** 31)
  t.diagnostic(`seed ${seed}`)
  const done = new Map<string, number>()
  await fc.assert(
    fc.asyncProperty(histories, async (history) => {
      const world = await beginHistory(djinn, history)
      for (const [name, draw] of history) {
        const outcome = await steps[name]!(world, draw)
        if (outcome === 'done') done.set(name, (done.get(name) ?? 0) + 1)
        await assertBooks(djinn, world.person.householdId)
      }
    }),
    { seed, numRuns: 12, endOnFailure: true },
  )
  // A history in which everything is refused would prove nothing; a rare step may miss its chance.
  const idle = Object.keys(steps).filter((name) => !done.has(name))
  assert.ok(idle.length <= 2, `never done with seed ${seed}: ${idle.join(', ')}`)
  await djinn.verify()
})
