// What a base backup says of itself. Written last, so that a half-made one has none; sealed with the key, so that nobody else wrote it.
import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto'
import { z } from 'zod'
import { Damaged, type SealingKey } from '../../resources/sealed-stream.ts'

const count = z.number().int().nonnegative()
const lsn = z.string().regex(/^[0-9A-F]+\/[0-9A-F]+$/)

const shape = z.strictObject({
  format: z.literal(1),
  id: z.string(),
  djinn: z.string(),
  postgres: z.string(),
  major: count,
  systemIdentifier: z.string(),
  /** Of the cluster, who owns it, and the database that is Djinn's. */
  superuser: z.string(),
  database: z.string(),
  /** Whether the cluster was Djinn's own, which is restored to where `djinn serve` finds it. */
  embedded: z.boolean(),
  migration: z.string(),
  startedAt: z.iso.datetime(),
  finishedAt: z.iso.datetime(),
  timeline: count,
  startLsn: lsn,
  stopLsn: lsn,
  segmentBytes: count,
  encrypted: z.boolean(),
  /** Of the cluster's files as they were sent. */
  bytes: count,
  files: z.array(z.strictObject({ name: z.string(), bytes: count, sha256: z.string().regex(/^[0-9a-f]{64}$/) })).min(1),
})

export type Manifest = z.infer<typeof shape>

function sealOf(key: SealingKey, body: string): Buffer {
  const own = Buffer.from(hkdfSync('sha256', key.secret, Buffer.alloc(0), 'djinn backup: manifest', 32))
  return createHmac('sha256', own).update(body).digest()
}

export function sealManifest(key: SealingKey, manifest: Manifest): string {
  const checked = shape.parse(manifest)
  return `${JSON.stringify({ ...checked, seal: sealOf(key, JSON.stringify(checked)).toString('hex') }, null, 1)}\n`
}

export function openManifest(key: SealingKey, text: string, id: string): Manifest {
  try {
    const { seal, ...rest } = JSON.parse(text) as { seal: string }
    // In the order of the shape, as it was sealed.
    const manifest = shape.parse(rest)
    if (manifest.id === id && timingSafeEqual(sealOf(key, JSON.stringify(manifest)), Buffer.from(seal, 'hex'))) return manifest
  } catch {
    // Whatever is wrong with it: it is not as it was written.
  }
  throw new Damaged(`the manifest of ${id} is damaged`)
}
