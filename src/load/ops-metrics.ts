// What the server says of itself on its operators' port, before a run and at its end (Prometheus text format 0.0.4).

export type Sample = { name: string; labels: Record<string, string>; value: number }

export type ServerFigures = {
  statements: number
  /** The buckets' upper bounds that half, 95 and 99 of 100 statements stay within; null beyond the last. */
  statementMs: Record<'p50' | 'p95' | 'p99', number | null> | null
  /** The share of statements within 30 ms. */
  statementsWithin30Ms: number | null
  cpuSeconds: number
  residentBytesBefore: number
  residentBytesAfter: number
  openConnections: number
}

export async function scrape(ops: URL): Promise<Sample[]> {
  const response = await fetch(new URL('/metrics', ops), { signal: AbortSignal.timeout(10_000), redirect: 'error' })
  if (!response.ok) throw new Error(`${ops.origin}/metrics answered ${response.status}`)
  return parseSamples(await response.text())
}

export function parseSamples(text: string): Sample[] {
  return [...text.matchAll(/^(\w+)(?:\{(.*)\})? (\S+)(?: \d+)?$/gm)].map(([, name, labels = '', value]) => ({
    name: name!,
    labels: Object.fromEntries([...labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map((found) => [found[1]!, found[2]!])),
    value: value === '+Inf' ? Infinity : Number(value),
  }))
}

export function serverFigures(before: readonly Sample[], after: readonly Sample[]): ServerFigures {
  const value = (samples: readonly Sample[], name: string) => samples.find((sample) => sample.name === name)?.value ?? 0
  const buckets = bucketsOf(after)
  for (const [bound, count] of bucketsOf(before)) buckets.set(bound, (buckets.get(bound) ?? 0) - count)
  const rising = [...buckets].toSorted(([one], [other]) => one - other)
  const statements = buckets.get(Infinity) ?? 0
  const quantile = (share: number) => {
    const bound = rising.find(([, count]) => count >= share * statements)?.[0] ?? Infinity
    return bound === Infinity ? null : bound * 1_000
  }
  const within30 = buckets.get(0.03)
  return {
    statements,
    statementMs: statements === 0 ? null : { p50: quantile(0.5), p95: quantile(0.95), p99: quantile(0.99) },
    statementsWithin30Ms: statements === 0 || within30 === undefined ? null : within30 / statements,
    cpuSeconds: value(after, 'process_cpu_seconds_total') - value(before, 'process_cpu_seconds_total'),
    residentBytesBefore: value(before, 'process_resident_memory_bytes'),
    residentBytesAfter: value(after, 'process_resident_memory_bytes'),
    openConnections: value(after, 'djinn_active_connections'),
  }
}

/** All statements together, cumulative by upper bound in seconds. */
function bucketsOf(samples: readonly Sample[]): Map<number, number> {
  const counts = new Map<number, number>()
  for (const { name, labels, value } of samples) {
    if (name !== 'djinn_statement_duration_seconds_bucket') continue
    const bound = labels['le'] === '+Inf' ? Infinity : Number(labels['le'])
    counts.set(bound, (counts.get(bound) ?? 0) + value)
  }
  return counts
}

/** A quantile, as far as the histogram's buckets tell. */
export function boundText(ms: number | null): string {
  return ms === null ? 'beyond the last bucket' : `at most ${ms} ms`
}
