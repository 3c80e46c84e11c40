// What a check found: a figure beside its limit, or why it was left out.

export type Figure = {
  name: string
  /** Null where there is nothing to pass. */
  pass: boolean | null
  figure: number | null
  unit: string
  limit: number | null
  skipped?: string
}

/** At most so much. */
export function atMost(name: string, figure: number, unit: string, limit: number): Figure {
  return { name, pass: figure <= limit, figure: rounded(figure), unit, limit }
}

export function atLeast(name: string, figure: number, unit: string, limit: number): Figure {
  return { name, pass: figure >= limit, figure: rounded(figure), unit, limit }
}

/** Exactly so much. */
export function exactly(name: string, figure: number, unit: string, limit: number): Figure {
  return { name, pass: figure === limit, figure: rounded(figure), unit, limit }
}

/** For whoever reads it. */
export function reported(name: string, figure: number, unit: string): Figure {
  return { name, pass: null, figure: rounded(figure), unit, limit: null }
}

export function skipped(name: string, why: string): Figure {
  return { name, pass: null, figure: null, unit: '', limit: null, skipped: why }
}

export function lineOf({ name, pass, figure, unit, limit, skipped: why }: Figure): string {
  const verdict = why !== undefined ? 'SKIPPED' : pass === null ? '' : pass ? 'ok' : 'NOT MET'
  const value = why ?? `${figure} ${unit}${limit === null ? '' : ` (limit ${limit})`}`
  return `${verdict.padEnd(8)}${name.padEnd(64)}${value}`
}

function rounded(value: number): number {
  return Number(value.toPrecision(4))
}
