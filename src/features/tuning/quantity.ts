// Amounts as PostgreSQL writes them: numbers with or without a unit, compared as values.

export const kB = 1024
export const MB = 1024 * kB
export const GB = 1024 * MB

const bytesOf: Record<string, number> = { b: 1, kb: kB, mb: MB, gb: GB, tb: 1024 * GB }
const msOf: Record<string, number> = { us: 0.001, ms: 1, s: 1_000, min: 60_000, h: 3_600_000, d: 86_400_000 }

/** How large one of PostgreSQL's own units is, such as 8kB: in bytes, or in milliseconds for times. */
function unitSize(unit: string): number | undefined {
  const [, count = '', name = ''] = /^(\d*)([a-zA-Z]+)$/.exec(unit.trim()) ?? []
  const size = bytesOf[name.toLowerCase()] ?? msOf[name]
  return size === undefined ? undefined : Number(count || 1) * size
}

/**
 * What a setting's text comes to: bytes, milliseconds or a plain number. `unit` is that of pg_settings, which a number
 * without one is counted in. Undefined for what is no amount.
 */
export function amountOf(text: string, unit: string | null): number | undefined {
  const [, digits, own] = /^\s*(-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)\s*([a-zA-Z]*)\s*$/i.exec(text) ?? []
  if (digits === undefined) return undefined
  const counted = own || unit || ''
  const size = counted === '' ? 1 : unitSize(counted)
  return size === undefined ? undefined : Number(digits) * size
}

/** Memory as an operator writes it: 4GB, 3800MB, 1.5 GB. In bytes; undefined for anything else. */
export function memoryOf(text: string): number | undefined {
  const [, digits, unit = ''] = /^(\d{1,9}(?:\.\d{1,3})?) ?(MB|GB|TB|M|G|T|MiB|GiB|TiB)$/i.exec(text.trim()) ?? []
  if (digits === undefined) return undefined
  return Math.floor(Number(digits) * bytesOf[`${unit[0]!.toLowerCase()}b`]!)
}

/** 1 GB is `1GB`, 955 MB is `955MB`: the largest unit that leaves a whole number, down to kB. */
export function memoryText(bytes: number): string {
  if (bytes >= GB && bytes % GB === 0) return `${bytes / GB}GB`
  if (bytes >= MB && bytes % MB === 0) return `${bytes / MB}MB`
  return `${Math.floor(bytes / kB)}kB`
}

/** The same for people: 3.7 GB. */
export function roughMemory(bytes: number): string {
  return bytes >= GB ? `${Number((bytes / GB).toFixed(1))} GB` : `${Math.floor(bytes / MB)} MB`
}
