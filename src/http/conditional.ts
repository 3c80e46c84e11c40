// Entity tags made of the household's revision: a 304 costs one key lookup, and a write on stale ground is refused.
import { hash } from 'node:crypto'
import { Failure } from '../values/failure.ts'

const form = /^(?:W\/)?"([0-9a-z]+)\.([A-Za-z0-9_-]+)"$/

/** What distinguishes representations at one revision: the address, the household, the fields, the software, ... */
export function variantOf(...parts: string[]): string {
  return hash('sha256', parts.join('\n'), 'base64url').slice(0, 11)
}

export function entityTag(revision: number, variant: string): string {
  return `"${revision.toString(36)}.${variant}"`
}

/** Whether an If-None-Match header names the tag: weak comparison (RFC 9110, 8.8.3.2), lists and the star. */
export function namesTag(header: string | undefined, tag: string): boolean {
  if (header === undefined) return false
  return header.trim() === '*' || header.split(',').some((each) => each.trim().replace(/^W\//, '') === tag)
}

/** Whether an If-None-Match header names the representation at this revision. */
export function matchesNone(header: string, revision: number, variant: string): boolean {
  return namesTag(header, entityTag(revision, variant))
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
