// Entity tags made of the household's revision: a 304 costs one key lookup, and a write on stale ground is refused.
import { createHash } from 'node:crypto'
import { Failure } from '../values/failure.ts'

const form = /^(?:W\/)?"([0-9a-z]+)\.([A-Za-z0-9_-]+)"$/

/** What distinguishes representations at one revision: the address, the household, the fields, the software, ... */
export function variantOf(...parts: string[]): string {
  return createHash('sha256').update(parts.join('\n')).digest('base64url').slice(0, 11)
}

export function entityTag(revision: number, variant: string): string {
  return `"${revision.toString(36)}.${variant}"`
}

/** Whether an If-None-Match header names the representation at this revision. */
export function matchesNone(header: string, revision: number, variant: string): boolean {
  if (header.trim() === '*') return true
  return header.split(',').some((tag) => {
    const found = form.exec(tag.trim())
    return found !== null && parseInt(found[1]!, 36) === revision && found[2] === variant
  })
}

/**
 * The revision that an If-Match header allows a row to have at most, Infinity for `*`.
 * A tag carries the household's revision at the time of reading; the row is unchanged when its own is not above it.
 */
export function revisionOfMatch(header: string): number {
  if (header.trim() === '*') return Infinity
  const revisions = header
    .split(',')
    .map((tag) => form.exec(tag.trim()))
    .filter((found) => found !== null)
    .filter((found) => !found[0].startsWith('W/'))
    .map((found) => parseInt(found[1]!, 36))
  if (revisions.length === 0) throw new Failure('precondition-failed', 'If-Match names no entity tag of ours.', { at: 'If-Match:' })
  return Math.max(...revisions)
}
