// A client that wrote reads its own write, though the replica stands still.
import { Connections } from '../../../src/load/connections.ts'
import { call, forEach } from '../../../src/load/calls.ts'
import { exactly, reported, skipped, type Figure } from '../figure.ts'
import { callers, today } from '../load.ts'
import type { World } from '../world.ts'

const reads = 10_000
const readsOfEach = 4

export async function checkOwnReads(world: World): Promise<Figure[]> {
  const name = `reads of one's own write while the replica's replay is paused: stale`
  if (world.replica === null) return [skipped(name, world.absent.replica ?? 'no replica')]
  const people = await callers(world, 16)
  const url = new URL(world.balancer.url)
  const connections = new Connections(url)
  let [stale, read] = [0, 0]
  await world.replica.sql('select pg_wal_replay_pause()')
  try {
    await connections.openAll(16)
    await forEach(
      Array.from({ length: reads / readsOfEach }),
      () => {},
      async (_nothing, index) => {
        const person = people[index % people.length]!
        const draft = { accountId: person.accountId, date: today, amount: -1 - index, payee: `own ${index}` }
        const { body } = await call(connections, url, ['POST', '/api/transactions', draft], person)
        const { id } = body as { id: string }
        if (id === undefined) throw new Error(`a write was refused: ${JSON.stringify(body)}`)
        const looks: [string, (body: unknown) => boolean][] = [
          [`/api/transactions/${id}`, (found) => (found as { id?: string }).id === id],
          ['/api/transactions?limit=100', (found) => (found as { data: { id: string }[] }).data.some((row) => row.id === id)],
          [
            `/api/transactions?limit=20&q=own%20${index}`,
            (found) => (found as { data: { id: string }[] }).data.some((row) => row.id === id),
          ],
          [
            `/api/transactions?limit=100&account=${person.accountId}`,
            (found) => (found as { data: { id: string }[] }).data.some((row) => row.id === id),
          ],
        ]
        for (const [path, has] of looks) {
          const answer = await call(connections, url, ['GET', path], person)
          read++
          if (answer.status !== 200 || !has(answer.body)) stale++
        }
      },
    )
  } finally {
    connections.close()
    await world.replica.sql('select pg_wal_replay_resume()')
  }
  return [exactly(name, stale, `of ${read}`, 0), reported("reads of one's own write", read, 'reads')]
}
