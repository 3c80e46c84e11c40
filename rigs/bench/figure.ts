// A measured figure beside its target.

export type Figure = {
  name: string
  value: number
  unit: 'bytes' | 'cost' | 'ms' | 'MB' | 'round trips' | 'rows' | 'per second' | 'times'
  /** The most or the least that the figure may be. */
  target?: number
  atLeast?: number
}

function isMet({ value, target, atLeast }: Figure): boolean {
  return (target === undefined || value <= target) && (atLeast === undefined || value >= atLeast)
}

/** Of which part each is, and whether its target is met; null where it has none. */
export function figuresJson(part: string, figures: Figure[]): object[] {
  return figures.map((figure) => ({
    part,
    ...figure,
    met: figure.target === undefined && figure.atLeast === undefined ? null : isMet(figure),
  }))
}

export function printFigures(figures: Figure[]) {
  for (const figure of figures) {
    const { name, value, unit, target, atLeast } = figure
    const shown = `${Number.isInteger(value) || value >= 10 ? value.toFixed(0) : value.toFixed(1)} ${unit}`
    const bound = target !== undefined ? `at most ${target}` : atLeast !== undefined ? `at least ${atLeast}` : ''
    console.log(
      `${name.padEnd(56)} ${shown.padStart(18)}   ${bound === '' ? '' : `${isMet(figure) ? 'met    ' : 'NOT MET'} (${bound} ${unit})`}`,
    )
  }
}

export function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!
}
