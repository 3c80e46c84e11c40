// A measured figure beside its target.

export type Figure = {
  name: string
  value: number
  unit: 'bytes' | 'cost' | 'ms' | 'MB' | 'round trips' | 'rows' | 'per second' | 'times'
  /** The most or the least that the figure may be. */
  target?: number
  atLeast?: number
}

export function printFigures(figures: Figure[]) {
  for (const { name, value, unit, target, atLeast } of figures) {
    const shown = `${Number.isInteger(value) || value >= 10 ? value.toFixed(0) : value.toFixed(1)} ${unit}`
    const met = (target === undefined || value <= target) && (atLeast === undefined || value >= atLeast)
    const bound = target !== undefined ? `at most ${target}` : atLeast !== undefined ? `at least ${atLeast}` : ''
    console.log(`${name.padEnd(56)} ${shown.padStart(18)}   ${bound === '' ? '' : `${met ? 'met    ' : 'NOT MET'} (${bound} ${unit})`}`)
  }
}

export function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!
}
