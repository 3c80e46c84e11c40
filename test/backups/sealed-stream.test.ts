// A sealed stream gives back what went in, or says that it is not as it was; and what is kept and found of backups follows its rules.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Manifest } from '../../src/features/backups/manifest.ts'
import { choose, rangeOf, type Archive } from '../../src/features/backups/coverage.ts'
import { basesToForget, logToForget } from '../../src/features/backups/retention.ts'
import { forksOf, momentOf, segmentName, segmentOf, stampOf, timelineAt, type Archived } from '../../src/features/backups/wal-names.ts'
import { Damaged, openKey, OtherKey, packed, seal, Sealer, sealingKey, unseal } from '../../src/resources/sealed-stream.ts'

const key = sealingKey(randomBytes(32))

async function sealed(plain: Buffer, name = 'base', by = key): Promise<Buffer> {
  const parts: Buffer[] = []
  for await (const part of seal([plain], by, name)) parts.push(part)
  return Buffer.concat(parts)
}

async function unsealed(bytes: Buffer, name = 'base', by = key, unfinished = false): Promise<Buffer> {
  const parts: Buffer[] = []
  const source = (async function* () {
    // In chunks that cut through everything.
    for (let at = 0; at < bytes.length; at += 70_001) yield bytes.subarray(at, at + 70_001)
  })()
  for await (const part of unseal(source, by, name, { unfinished })) parts.push(part)
  return Buffer.concat(parts)
}

/** Many small pieces in place of large ones. */
async function ofPieces(count: number): Promise<{ header: Buffer; records: Buffer[]; plain: Buffer[] }> {
  const sealer = new Sealer(key, 'base')
  const plain = Array.from({ length: count }, (_, index) => Buffer.from(`piece ${index}`))
  const records: Buffer[] = []
  for (const [index, piece] of plain.entries()) records.push(sealer.seal(await packed(piece), index === count - 1))
  return { header: sealer.header, records, plain }
}

test('what went in comes out, of whatever size', async () => {
  for (const size of [0, 1, 1024 * 1024 - 1, 1024 * 1024, 3 * 1024 * 1024 + 5]) {
    const plain = randomBytes(size)
    assert.deepEqual(await unsealed(await sealed(plain)), plain, `${size} bytes`)
  }
  assert.deepEqual(await unsealed(await sealed(Buffer.from('open'), 'base', openKey), 'base', openKey), Buffer.from('open'))
})

test('another key and another name are told from damage', async () => {
  const bytes = await sealed(Buffer.from('ledger'))
  await assert.rejects(unsealed(bytes, 'base', sealingKey(randomBytes(32))), OtherKey)
  await assert.rejects(unsealed(bytes, 'base', openKey), OtherKey)
  await assert.rejects(unsealed(bytes, 'another file'), Damaged)
})

test('any cut, any flipped bit, anything left out, repeated, put elsewhere or added is found', async () => {
  const { header, records, plain } = await ofPieces(6)
  const whole = Buffer.concat([header, ...records])
  assert.deepEqual(await unsealed(whole), Buffer.concat(plain))
  await fc.assert(
    fc.asyncProperty(fc.nat(whole.length - 1), fc.nat(7), async (at, bit) => {
      const flipped = Buffer.from(whole)
      flipped[at]! ^= 1 << bit
      await assert.rejects(unsealed(flipped), (error) => error instanceof Damaged || error instanceof OtherKey)
      await assert.rejects(unsealed(whole.subarray(0, at)), Damaged)
    }),
    { numRuns: 300 },
  )
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(5), { maxLength: 8 }), async (order) => {
      fc.pre(order.join() !== '0,1,2,3,4,5')
      await assert.rejects(unsealed(Buffer.concat([header, ...order.map((index) => records[index]!)])), Damaged)
    }),
    { numRuns: 200 },
  )
  await assert.rejects(unsealed(Buffer.concat([whole, Buffer.from('more')])), Damaged)
})

test('one that is still written gives its whole pieces, and what is damaged before the last is found all the same', async () => {
  const { header, records, plain } = await ofPieces(4)
  for (let kept = 0; kept <= 3; kept++) {
    const beginning = Buffer.concat([header, ...records.slice(0, kept)])
    const torn = Buffer.concat([beginning, records[kept]!.subarray(0, -1)])
    assert.deepEqual(await unsealed(beginning, 'base', key, true), Buffer.concat(plain.slice(0, kept)))
    assert.deepEqual(await unsealed(torn, 'base', key, true), Buffer.concat(plain.slice(0, kept)))
  }
  const flipped = Buffer.concat([header, ...records.slice(0, 3)])
  flipped[header.length + 6]! ^= 1
  await assert.rejects(unsealed(flipped, 'base', key, true), Damaged)
})

const day = (number: number) => new Date(Date.UTC(2026, 0, number)).toISOString()
const segmentBytes = 16 * 1024 * 1024
const lsn = (segment: number) => `0/${(segment * segmentBytes + 40).toString(16).toUpperCase()}`
const base = (number: number, segment: number): Manifest =>
  ({ id: `base ${number}`, timeline: 1, startLsn: lsn(segment), stopLsn: lsn(segment), segmentBytes, finishedAt: day(number) }) as Manifest

test('a base goes when every kept moment has a later one before it; the newest stays; the log goes up to the oldest that is kept', () => {
  const bases = [1, 5, 9, 12].map((number) => base(number, number * 10))
  const forgotten = (today: number, days: number) => basesToForget(bases, Date.parse(day(today)), days).map(({ id }) => id)
  assert.deepEqual(forgotten(12, 14), [])
  assert.deepEqual(forgotten(12, 7), ['base 1'], 'the fifth is the first whose moments are kept')
  assert.deepEqual(forgotten(12, 3), ['base 1', 'base 5'])
  assert.deepEqual(forgotten(400, 1), ['base 1', 'base 5', 'base 9'])
  assert.deepEqual(basesToForget([], 0, 1), [])
  const file = (segment: number) => `${segmentName({ timeline: 1, number: BigInt(segment) }, segmentBytes)}-x`
  assert.deepEqual(logToForget([file(49), file(50), 'reached.json', '00000002.history'], bases.slice(1)), [file(49)])
  assert.deepEqual(logToForget([file(1)], []), [], 'without a base nothing is known to be useless')
})

test('a base reaches to where the log behind it breaks off, and a moment outside of all of them is refused with the range', () => {
  const archived = (numbers: number[], of = 1) =>
    numbers.map((number): [string, Archived] => {
      const segment = { timeline: of, number: BigInt(number) }
      return [segmentName(segment, segmentBytes), { ...segment, file: '', atMs: Date.parse(day(number)) }]
    })
  const nameOf = (number: number) => segmentName({ timeline: 1, number: BigInt(number) }, segmentBytes)
  const reached = { timeline: 1, lsn: lsn(9), at: day(20) }
  const archive = (numbers: number[], begun: number[] = []): Archive => ({
    segments: new Map(archived(numbers)),
    begun: new Set(begun.map(nameOf)),
    reached,
    forks: [],
  })
  const range = (of: Archive) => {
    const { toMs, missing } = rangeOf(base(3, 5), of)
    return [new Date(toMs).toISOString(), missing]
  }
  assert.deepEqual(range(archive([5, 6, 7, 8], [9])), [day(20), nameOf(10)])
  assert.deepEqual(range(archive([5, 6, 8], [9])), [day(6), nameOf(7)], 'not past a gap')
  assert.deepEqual(range(archive([])), [day(3), nameOf(6)], 'without a log only its own moment')
  assert.deepEqual(range(archive([6, 7, 8], [9])), [day(20), nameOf(10)], 'what starts it it carries with it')
  const choice = choose([rangeOf(base(3, 5), archive([5, 6, 8]))], Date.parse(day(7)))
  assert.match((choice as { refusal: string }).refusal, /cover 2026-01-03T00:00:00.000Z to 2026-01-06T00:00:00.000Z; 2026-01-07T/)
  assert.match((choose([], null) as { refusal: string }).refusal, /no finished backup/)
})

test('names of segments, moments and timelines are PostgreSQL’s', () => {
  assert.equal(segmentName({ timeline: 1, number: 257n }, segmentBytes), '000000010000000100000001')
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 1n << 39n }), fc.constantFrom(1, 16, 64, 1024), (number, mib) => {
      const bytes = mib * 1024 * 1024
      fc.pre(number < (1n << 64n) / BigInt(bytes))
      assert.deepEqual(segmentOf(segmentName({ timeline: 3, number }, bytes), bytes), { timeline: 3, number })
    }),
  )
  assert.equal(momentOf(stampOf(1_769_860_800_123)), 1_769_860_800_123)
  const forks = forksOf(3, '1\t0/3000028\tno recovery target specified\n\n2\t0/5000000\tbefore 2026-01-31\n')
  assert.deepEqual(
    [2n, 3n, 4n, 5n, 9n].map((number) => timelineAt(1, forks, number, segmentBytes)),
    [1, 2, 2, 3, 3],
  )
  assert.equal(timelineAt(2, forks, 3n, segmentBytes), 2)
})
