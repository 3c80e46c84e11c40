// Whatever a household went through, its document brings all of it back: export, read in, export again, to the byte.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import fc from 'fast-check'
import { open, type Person } from '../harness.ts'
import { beginHistory, histories, steps } from './histories.ts'
import { assertBooks } from './naive-books.ts'

const djinn = await open()
after(() => djinn.close())

const exportOf = async (person: Person): Promise<string> => (await person.post('/api/exports', { kind: 'household' })).text

test('the document of a random history, read into an empty household, gives the same document, and the same books', async (t) => {
  const seed = Math.trunc(Math.random() * 2 ** 31)
  t.diagnostic(`seed ${seed}`)
  let rows = 0
  await fc.assert(
    fc.asyncProperty(histories, async (history) => {
      const world = await beginHistory(djinn, history)
      for (const [name, draw] of history) await steps[name]!(world, draw)
      const document = await exportOf(world.person)
      const other = await djinn.person()
      const { status, text } = await other.upload('/api/imports?format=djinn', document)
      assert.equal(status, 201, text)
      assert.equal(await exportOf(other), document)
      await assertBooks(djinn, other.householdId)
      rows += document.split('\n').length
    }),
    { seed, numRuns: 6, endOnFailure: true },
  )
  assert.ok(rows > 100, `only ${rows} rows`)
  await djinn.verify()
})
