// A measured figure beside its target.

export type Figure = {
  name: string
  value: number
  unit: 'ms' | 'MB' | 'round trips' | 'rows/s'
  /** What the figure must stay under. */
  target?: number
}

export function printFigures(figures: Figure[]) {
  for (const { name, value, unit, target } of figures) {
    const shown = `${value.toFixed(value < 10 && unit !== 'round trips' ? 1 : 0)} ${unit}`
    const verdict = target === undefined ? '' : `${value <= target ? 'met    ' : 'NOT MET'} (at most ${target} ${unit})`
    console.log(`${name.padEnd(52)} ${shown.padStart(16)}   ${verdict}`)
  }
}

export function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!
}
