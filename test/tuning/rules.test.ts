// The rules of the tuner: exact at the smallest server, sensible from 512 MB to 1 TB, and compared as values.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { compare, type LiveSetting } from '../../src/features/tuning/comparison.ts'
import { memoryWithin, nominalMemory } from '../../src/features/tuning/machine.ts'
import { amountOf, GB, MB, memoryOf, memoryText } from '../../src/features/tuning/quantity.ts'
import { fragment } from '../../src/features/tuning/report.ts'
import { settingsFor, sizeLimits } from '../../src/features/tuning/rules.ts'

const valuesAt = (memory: string, cpus: number) =>
  Object.fromEntries(settingsFor({ memoryBytes: memoryOf(memory)!, cpus }).map(({ name, value }) => [name, value]))

const smallest = {
  shared_buffers: '1GB',
  effective_cache_size: '3GB',
  maintenance_work_mem: '256MB',
  work_mem: '16MB',
  max_connections: '100',
  wal_buffers: '16MB',
  checkpoint_completion_target: '0.9',
  min_wal_size: '1GB',
  max_wal_size: '4GB',
  random_page_cost: '1.1',
  effective_io_concurrency: '200',
  default_statistics_target: '100',
  max_worker_processes: '2',
  max_parallel_workers_per_gather: '1',
  max_parallel_workers: '2',
}

test('4 GB and 2 CPUs give exactly these, in this order', () => {
  assert.deepEqual(Object.entries(valuesAt('4GB', 2)), Object.entries(smallest))
})

/** What differs from the smallest server. */
const others: [string, number, Record<string, string>][] = [
  [
    '1GB',
    1,
    {
      shared_buffers: '256MB',
      effective_cache_size: '768MB',
      maintenance_work_mem: '64MB',
      work_mem: '4MB',
      max_connections: '50',
      wal_buffers: '8MB',
      min_wal_size: '256MB',
      max_wal_size: '1GB',
      max_parallel_workers_per_gather: '0',
      max_parallel_workers: '1',
    },
  ],
  [
    '8GB',
    4,
    {
      shared_buffers: '2GB',
      effective_cache_size: '6GB',
      maintenance_work_mem: '512MB',
      work_mem: '32MB',
      min_wal_size: '2GB',
      max_wal_size: '8GB',
      max_worker_processes: '4',
      max_parallel_workers_per_gather: '2',
      max_parallel_workers: '4',
    },
  ],
  [
    '16GB',
    8,
    {
      shared_buffers: '4GB',
      effective_cache_size: '12GB',
      maintenance_work_mem: '1GB',
      work_mem: '64MB',
      min_wal_size: '2GB',
      max_wal_size: '8GB',
      max_worker_processes: '8',
      max_parallel_workers_per_gather: '4',
      max_parallel_workers: '8',
    },
  ],
  [
    '64GB',
    32,
    {
      shared_buffers: '16GB',
      effective_cache_size: '48GB',
      maintenance_work_mem: '2GB',
      work_mem: '64MB',
      min_wal_size: '2GB',
      max_wal_size: '8GB',
      max_worker_processes: '32',
      max_parallel_workers_per_gather: '4',
      max_parallel_workers: '32',
    },
  ],
]
for (const [memory, cpus, differing] of others) {
  test(`${memory} and ${cpus} CPUs follow by the rules`, () => {
    assert.deepEqual(valuesAt(memory, cpus), { ...smallest, ...differing })
  })
}

const sizes = fc.record({
  memoryBytes: fc.integer({ min: sizeLimits.memoryBytesMin / MB, max: sizeLimits.memoryBytesMax / MB }).map((megabytes) => megabytes * MB),
  cpus: fc.integer({ min: 1, max: sizeLimits.cpusMax }),
})

test('any machine is left room: what is taken for sure and at worst fits in its memory, and workers fit in each other', () => {
  fc.assert(
    fc.property(sizes, (size) => {
      const settings = settingsFor(size)
      const value = (name: string) => {
        const amount = amountOf(settings.find((one) => one.name === name)!.value, null)
        assert.ok(amount !== undefined && amount >= 0, name)
        return amount
      }
      assert.ok(value('shared_buffers') <= size.memoryBytes * 0.26)
      assert.ok(value('effective_cache_size') <= size.memoryBytes)
      assert.ok(value('shared_buffers') + value('work_mem') * value('max_connections') <= size.memoryBytes * 0.66)
      assert.ok(value('min_wal_size') < value('max_wal_size'))
      assert.ok(value('max_parallel_workers_per_gather') <= value('max_parallel_workers'))
      assert.ok(value('max_parallel_workers') <= value('max_worker_processes'))
      assert.ok(settings.every(({ rule, why }) => rule !== '' && why.endsWith('.')))
    }),
  )
})

test('more memory never gives less of anything', () => {
  fc.assert(
    fc.property(sizes, fc.integer({ min: 0, max: 100_000 }), (size, moreMB) => {
      const [small, large] = [size, { ...size, memoryBytes: size.memoryBytes + moreMB * MB }].map(settingsFor)
      for (const [index, { name, value }] of small!.entries()) {
        assert.ok(amountOf(large![index]!.value, null)! >= amountOf(value, null)!, name)
      }
    }),
  )
})

test('memory is read as operators write it', () => {
  const read = { '4GB': 4 * GB, '4 gb': 4 * GB, '4G': 4 * GB, '3800MB': 3800 * MB, '1.5GB': 1.5 * GB, '1TiB': 1024 * GB }
  for (const [text, bytes] of Object.entries(read)) assert.equal(memoryOf(text), bytes, text)
  for (const text of ['', '4', '4XB', 'GB', '-4GB', '4GBs', '4kB', '1e3GB', '4,5GB', '0x4GB', '4GB 2'])
    assert.equal(memoryOf(text), undefined, text)
})

test('what is written in other units is the same when it comes to the same', () => {
  assert.equal(amountOf('131072', '8kB'), amountOf('1GB', '8kB'))
  assert.equal(amountOf('1024', 'MB'), amountOf('1GB', 'MB'))
  assert.equal(amountOf('0.9', null), amountOf('0.90', null))
  assert.equal(amountOf('5min', 's'), amountOf('300', 's'))
  for (const text of ['', 'on', '1GB2', '1 furlong']) assert.equal(amountOf(text, null), undefined, text)
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2 ** 30 }), (kilobytes) => amountOf(memoryText(kilobytes * 1024), null) === kilobytes * 1024),
  )
})

test('a machine sold as 4 GB counts as such though the system sees less; a control group counts as it says', () => {
  assert.equal(nominalMemory(3.73 * GB), 4 * GB)
  assert.equal(nominalMemory(15.2 * GB), 16 * GB)
  assert.equal(nominalMemory(3.5 * GB), 3.5 * GB)
  assert.equal(memoryWithin(15.5 * GB, 0), 16 * GB)
  assert.equal(memoryWithin(15.5 * GB, 2 ** 64), 16 * GB)
  assert.equal(memoryWithin(15.5 * GB, 3.7 * GB), 3.7 * GB)
})

const live = (changes: Partial<LiveSetting>): LiveSetting => ({
  name: 'shared_buffers',
  setting: '16384',
  unit: '8kB',
  context: 'postmaster',
  source: 'configuration file',
  pendingRestart: false,
  configured: null,
  ...changes,
})
const wanted = settingsFor({ memoryBytes: 4 * GB, cpus: 2 }).slice(0, 1)

test('a setting is equal, waits for a restart, differs, or is kept by something stronger', () => {
  const standing = (changes: Partial<LiveSetting>) => {
    const [one] = compare(wanted, [live(changes)])
    return [one!.standing, one!.actual, one!.overriddenBy]
  }
  assert.deepEqual(standing({ setting: '131072' }), ['equal', '1GB', null])
  assert.deepEqual(standing({}), ['differs', '128MB', null])
  assert.deepEqual(standing({ pendingRestart: true, configured: '1024MB' }), ['waiting', '128MB', null])
  assert.deepEqual(standing({ pendingRestart: true, configured: '2GB' }), ['differs', '128MB', null])
  assert.deepEqual(standing({ source: 'command line' }), ['differs', '128MB', "the server's command line"])
  assert.equal(compare(wanted, [])[0]!.standing, 'unknown')
})

test('the fragment has a setting a line with its reason, in the syntax of postgresql.conf', () => {
  const lines = fragment({ memoryBytes: 4 * GB, cpus: 2 }, settingsFor({ memoryBytes: 4 * GB, cpus: 2 })).split('\n')
  assert.match(lines[0]!, /^# PostgreSQL on 4 GB and 2 CPUs/)
  for (const line of lines.slice(1)) assert.match(line, /^[a-z_]+ = [\d.]+(?:[kMG]B)? +# [A-Z0-9].*\. .*\.$/)
})
