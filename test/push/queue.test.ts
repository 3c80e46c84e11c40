// The queue: committed work is done, failed work is kept for the operator, and a dead worker's jobs are done by another.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AbandonedJobs } from '../../src/resources/abandoned-jobs.ts'
import type { Tasks } from '../../src/resources/queue.ts'
import { open, type Djinn } from '../harness.ts'

const enqueue = (djinn: Djinn, task: string, key: string, payload: object = {}) =>
  djinn.sql('select enqueue($1, $2, $3)', [task, payload, key])

function succeeded(djinn: Djinn, task: string): Promise<void> {
  return new Promise((resolve) => djinn.resources.queue.events.on('job:success', ({ job }) => job.task_identifier === task && resolve()))
}

test('a job is done once it is committed, with its payload', async () => {
  await using djinn = await open()
  const seen: unknown[] = []
  const tasks: Tasks = { note: async (payload) => void seen.push(payload) }
  const done = succeeded(djinn, 'note')
  await djinn.resources.queue.start(tasks)
  await djinn.sql(`begin; select enqueue('note', '{"n": 1}', 'one'); rollback`)
  await enqueue(djinn, 'note', 'two', { n: 2 })
  await done
  assert.deepEqual(seen, [{ n: 2 }])
})

test('a job under the key of one that waits replaces it', async () => {
  await using djinn = await open()
  const seen: unknown[] = []
  await enqueue(djinn, 'note', 'same', { n: 1 })
  await enqueue(djinn, 'note', 'same', { n: 2 })
  await djinn.resources.queue.runOnce({ note: async (payload) => void seen.push(payload) })
  assert.deepEqual(seen, [{ n: 2 }])
})

test('a job that throws is tried 5 times and kept, while others are done; the operator retries or discards it', async () => {
  await using djinn = await open()
  const { queue } = djinn.resources
  const done: string[] = []
  let tries = 0
  let poisoned = true
  const tasks: Tasks = {
    poison: async () => {
      tries++
      if (poisoned) throw new Error('the cup is poisoned')
    },
    sound: async (payload) => void done.push((payload as { name: string }).name),
  }
  await enqueue(djinn, 'poison', 'cup')
  for (let round = 1; round <= 6; round++) {
    await enqueue(djinn, 'sound', `sound-${round}`, { name: `water ${round}` })
    await queue.runOnce(tasks)
    assert.equal(done.length, round)
    // The next try would be some seconds to a minute later.
    await djinn.sql('update graphile_worker._private_jobs set run_at = now() where attempts < max_attempts')
  }
  assert.equal(tries, 5)
  const [letter, ...others] = await queue.deadLetters()
  const { id, queuedAt, ...rest } = letter!
  assert.deepEqual([rest, others], [{ task: 'poison', key: 'cup', tries: 5, error: 'the cup is poisoned' }, []])
  assert.ok(Date.parse(queuedAt) > 0)
  assert.deepEqual(await queue.count(), { waiting: 0, dead: 1 })
  assert.equal(await queue.retry([id + 1]), 0)
  assert.equal(await queue.retry([id]), 1)
  await queue.runOnce(tasks)
  assert.equal(tries, 6)
  assert.deepEqual(await queue.count(), { waiting: 1, dead: 0 })
  poisoned = false
  await djinn.sql('update graphile_worker._private_jobs set run_at = now()')
  await queue.runOnce(tasks)
  assert.deepEqual(await queue.count(), { waiting: 0, dead: 0 })
  await enqueue(djinn, 'poison', 'cup')
  await djinn.sql('update graphile_worker._private_jobs set attempts = max_attempts')
  const [second] = await queue.deadLetters()
  assert.equal(await queue.discard([second!.id]), 1)
  assert.deepEqual(await queue.count(), { waiting: 0, dead: 0 })
})

test('the jobs of a worker that died are free again at the second look, and those of a living one are not', async () => {
  await using djinn = await open()
  const { directDatabase, config } = djinn.resources
  await enqueue(djinn, 'note', 'of-the-dead')
  await enqueue(djinn, 'note', 'of-the-living')
  await enqueue(djinn, 'note', 'replaced')
  const lock = (key: string, worker: string) =>
    djinn.sql('update graphile_worker._private_jobs set locked_at = now(), locked_by = $2, attempts = 1 where key = $1', [key, worker])
  await lock('of-the-dead', 'pool-dead')
  await lock('replaced', 'pool-dead')
  await lock('of-the-living', 'pool-living')
  // Queued anew while it ran: the one that runs lost its key to it.
  await enqueue(djinn, 'note', 'replaced', { n: 2 })
  const make = () => new AbandonedJobs({ url: config.databaseDirectUrl!, database: directDatabase, log: () => {} })
  const [living, other] = [make(), make()]
  try {
    await living.watch('pool-living')
    const locked = async () =>
      (await djinn.sql<{ key: string | null }>('select key from graphile_worker.jobs where locked_at is not null order by id')).map(
        (row) => row.key,
      )
    await other.sweep()
    assert.deepEqual(await locked(), ['of-the-dead', 'of-the-living', null])
    await other.sweep()
    assert.deepEqual(await locked(), ['of-the-living'])
    const left = await djinn.sql<{ key: string | null }>('select key from graphile_worker.jobs order by key')
    assert.deepEqual(
      left.map((row) => row.key),
      ['of-the-dead', 'of-the-living', 'replaced'],
    )
    // Its process ends: the lock goes with its connection.
    await living.close()
    await other.sweep()
    await other.sweep()
    assert.deepEqual(await locked(), [])
  } finally {
    await living.close()
    await other.close()
  }
})

test('a worker whose connections are all cut comes back and goes on', async () => {
  await using djinn = await open()
  const { queue } = djinn.resources
  const seen: unknown[] = []
  await queue.start({ note: async (payload) => void seen.push(payload) })
  await djinn.sql(
    `select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'djinn worker%' and datname = current_database()`,
  )
  const done = succeeded(djinn, 'note')
  await enqueue(djinn, 'note', 'after', { n: 1 })
  await done
  assert.deepEqual(seen, [{ n: 1 }])
})
