// Plots as inline SVG, drawn for a phone's width: 360 units, text of 11.

export type Series = { name: string; values: readonly number[] }
export type LinePlot = {
  title: string
  unit: string
  /** Seconds from the start, one a value. */
  atS: readonly number[]
  series: readonly Series[]
  /** A logarithmic axis, for values that differ by orders of magnitude. */
  logarithmic?: boolean
  /** A line to stay below. */
  target?: number
}
export type BarPlot = { title: string; unit: string; bars: readonly { label: string; value: number }[] }

const width = 360
const height = 210
const left = 44
const right = 10
const top = 10
const bottom = 28
const innerWidth = width - left - right
const innerHeight = height - top - bottom

export function linePlot({ title, unit, atS, series, logarithmic = false, target }: LinePlot): string {
  const values = series.flatMap((one) => one.values)
  const highest = Math.max(target ?? 0, ...values)
  const axis = logarithmic ? logarithmicAxis(Math.min(...values.filter((value) => value > 0), highest), highest) : linearAxis(highest)
  const lastS = Math.max(1, atS.at(-1) ?? 1)
  const x = (seconds: number) => (left + (seconds / lastS) * innerWidth).toFixed(1)
  const lines = series.map(({ values: each }, index) => {
    const points = each.map((value, at) => `${x(atS[at]!)},${axis.y(value)}`)
    // One point alone would be no line.
    const mark =
      points.length === 1 ? `<circle class="s${index}" cx="${points[0]!.split(',')[0]}" cy="${points[0]!.split(',')[1]}" r="2.5"/>` : ''
    return `<polyline class="s${index}" points="${points.join(' ')}"/>${mark}`
  })
  const limit = target === undefined ? '' : `<path class="limit" d="M${left} ${axis.y(target)}H${width - right}"/>`
  const seconds = linearTicks(lastS, 5).map((tick) => `<text x="${x(tick)}" y="${height - 10}" text-anchor="middle">${tick} s</text>`)
  const legend = series.map(({ name }, index) => `<span><i class="s${index}"></i>${escaped(name)}</span>`)
  if (target !== undefined) legend.push(`<span><i class="limit"></i>target ${target}</span>`)
  return figure(title, unit, legend, [...axis.lines, ...seconds, limit, ...lines])
}

export function barPlot({ title, unit, bars }: BarPlot): string {
  const axis = linearAxis(Math.max(1, ...bars.map((bar) => bar.value)))
  const step = innerWidth / Math.max(1, bars.length)
  const every = Math.ceil(bars.length / 6)
  const shapes = bars.map(({ label, value }, index) => {
    const at = left + index * step
    const y = Number(axis.y(value))
    const bar = `<rect class="s0" x="${(at + 0.5).toFixed(1)}" y="${y}" width="${Math.max(1, step - 1).toFixed(1)}" height="${(height - bottom - y).toFixed(1)}"/>`
    return index % every === 0 ? `${bar}<text x="${at.toFixed(1)}" y="${height - 10}" text-anchor="middle">${escaped(label)}</text>` : bar
  })
  return figure(title, unit, [], [...axis.lines, ...shapes])
}

export function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}

function figure(title: string, unit: string, legend: string[], parts: string[]): string {
  const caption = `<figcaption><b>${escaped(title)}</b> <small>${escaped(unit)}</small>${legend.length > 1 ? `<div class="legend">${legend.join('')}</div>` : ''}</figcaption>`
  return `<figure>${caption}<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${escaped(title)}">${parts.join('')}</svg></figure>`
}

type Axis = { y: (value: number) => string; lines: string[] }

function linearAxis(highest: number): Axis {
  const ticks = linearTicks(highest, 4)
  const end = Math.max(highest, ticks.at(-1)!) || 1
  const y = (value: number) => (top + innerHeight * (1 - value / end)).toFixed(1)
  return { y, lines: ticks.map((tick) => tickLine(y(tick), tick)) }
}

/** Whole powers of ten around the values. */
function logarithmicAxis(lowest: number, highest: number): Axis {
  const first = Math.floor(Math.log10(Math.max(0.001, lowest)))
  const last = Math.max(first + 1, Math.ceil(Math.log10(Math.max(0.001, highest))))
  const y = (value: number) => {
    const share = (Math.log10(Math.max(10 ** first, value)) - first) / (last - first)
    return (top + innerHeight * (1 - share)).toFixed(1)
  }
  return {
    y,
    lines: Array.from({ length: last - first + 1 }, (_, at) => Number((10 ** (first + at)).toPrecision(1))).map((tick) =>
      tickLine(y(tick), tick),
    ),
  }
}

function tickLine(y: string, value: number): string {
  return `<path class="grid" d="M${left} ${y}H${width - right}"/><text x="${left - 5}" y="${(Number(y) + 4).toFixed(1)}" text-anchor="end">${short(value)}</text>`
}

/** Round steps from 0: 1, 2 or 5 times a power of ten, `count` of them or a few less. */
function linearTicks(highest: number, count: number): number[] {
  const rough = Math.max(highest, 1e-3) / count
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = ([1, 2, 5].find((factor) => factor * power >= rough) ?? 10) * power
  return Array.from({ length: Math.floor(highest / step + 1e-9) + 1 }, (_, at) => Number((at * step).toPrecision(3)))
}

function short(value: number): string {
  return value >= 1_000_000 ? `${value / 1_000_000}M` : value >= 10_000 ? `${value / 1_000}k` : String(value)
}
