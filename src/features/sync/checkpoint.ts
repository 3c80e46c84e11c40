// The checkpoint: per kind how many rows a complete replica has, and a digest of them that no order changes.

export type Checkpoint = Record<string, { count: number; digest: string }>

/** Household digests as the database keeps them: kind -> [count, 16 hexadecimal digits]. */
export type Digests = Record<string, [number, string]>

/** Over all households: counts add up, digests are combined by exclusive or. */
export function combine(kinds: readonly string[], households: readonly Digests[]): Checkpoint {
  const checkpoint: Checkpoint = {}
  for (const kind of kinds) {
    let count = 0
    let digest = 0n
    for (const digests of households) {
      const [rows, hex] = digests[kind] ?? [0, '0']
      count += rows
      digest ^= BigInt(`0x${hex}`)
    }
    checkpoint[kind] = { count, digest: digest.toString(16).padStart(16, '0') }
  }
  return checkpoint
}
