// Counters, gauges and histograms in memory, and how Prometheus reads them (text format 0.0.4).
// Our own because they lie on every request's way: the client library's take ten times as long (docs/performance.md).
import { limits } from '../values/limits.ts'

export type Kind = 'counter' | 'gauge' | 'histogram'

/** What a metric is, as its line in docs/metrics.md tells. */
export type Declared = { name: string; kind: Kind; help: string; labels: readonly string[] }

/** Label values beyond the limit share this one, so that no input can make series without end. */
export const otherSeries = 'other'

/** One series; whoever counts often keeps it at hand. */
export type Value = { readonly prefix: string; value: number }

function labelText(labels: readonly string[], values: readonly string[]): string {
  return labels
    .map((label, index) => `${label}="${values[index]!.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"')}"`)
    .join(',')
}

function seriesName(name: string, labels: string): string {
  return labels === '' ? `${name} ` : `${name}{${labels}} `
}

/** Series by their labels' values. */
class Series<T> {
  readonly #made = new Map<string, T>()
  readonly #make: (values: readonly string[]) => T

  constructor(make: (values: readonly string[]) => T) {
    this.#make = make
  }

  of(values: readonly string[]): T {
    const key = values.length === 1 ? values[0]! : values.join('\n')
    const found = this.#made.get(key)
    if (found !== undefined) return found
    if (this.#made.size < limits.metricSeriesMax) return this.#add(key, values)
    const other = values.map(() => otherSeries)
    return this.#made.get(other.join('\n')) ?? this.#add(other.join('\n'), other)
  }

  #add(key: string, values: readonly string[]): T {
    const made = this.#make(values)
    this.#made.set(key, made)
    return made
  }

  clear() {
    this.#made.clear()
  }

  all(): Iterable<T> {
    return this.#made.values()
  }
}

export class Tally {
  readonly declared: Declared
  readonly #series: Series<Value>

  /** `shown` are series that are there from the start, so that a first increase is seen as one. */
  constructor(name: string, help: string, labels: readonly string[] = [], shown: readonly string[][] = labels.length === 0 ? [[]] : []) {
    this.declared = { name, kind: 'counter', help, labels }
    this.#series = new Series((values) => ({ prefix: seriesName(name, labelText(labels, values)), value: 0 }))
    for (const values of shown) this.#series.of(values)
  }

  of(...values: string[]): Value {
    return this.#series.of(values)
  }

  text(): string {
    let text = ''
    for (const { prefix, value } of this.#series.all()) text += `${prefix}${value}\n`
    return text
  }
}

/** A value that is asked for, or was set, or is not known: then it has no series. */
export class Level {
  readonly declared: Declared
  readonly #series: Series<Value>
  readonly #ask: ((level: Level) => void) | undefined

  /** A total that somebody else counts is a counter too. */
  constructor(
    name: string,
    help: string,
    labels: readonly string[] = [],
    ask?: (level: Level) => void,
    kind: 'gauge' | 'counter' = 'gauge',
  ) {
    this.declared = { name, kind, help, labels }
    this.#series = new Series((values) => ({ prefix: seriesName(name, labelText(labels, values)), value: 0 }))
    this.#ask = ask
  }

  set(value: number, ...values: string[]) {
    this.#series.of(values).value = value
  }

  clear() {
    this.#series.clear()
  }

  text(): string {
    this.#ask?.(this)
    let text = ''
    for (const { prefix, value } of this.#series.all()) text += `${prefix}${value}\n`
    return text
  }
}

export type Buckets = { prefixes: string[]; counts: number[]; sum: number; sumPrefix: string; countPrefix: string }

/** Durations of one label, or none, in seconds, by fixed bounds. */
export class Timing {
  readonly declared: Declared
  readonly #boundsMs: readonly number[]
  readonly #series: Series<Buckets>

  constructor(name: string, help: string, label: string | null, boundsS: readonly number[]) {
    const labels = label === null ? [] : [label]
    this.declared = { name, kind: 'histogram', help, labels }
    this.#boundsMs = boundsS.map((bound) => bound * 1_000)
    this.#series = new Series((values) => {
      const own = labelText(labels, values)
      const bounds = [...boundsS.map(String), '+Inf']
      return {
        prefixes: bounds.map((bound) => seriesName(`${name}_bucket`, [own, `le="${bound}"`].filter(Boolean).join(','))),
        counts: Array<number>(bounds.length).fill(0),
        sum: 0,
        sumPrefix: seriesName(`${name}_sum`, own),
        countPrefix: seriesName(`${name}_count`, own),
      }
    })
    if (label === null) this.#series.of([])
  }

  of(...values: string[]): Buckets {
    return this.#series.of(values)
  }

  observeMs(durationMs: number, series: Buckets) {
    const bounds = this.#boundsMs
    let index = 0
    while (index < bounds.length && durationMs > bounds[index]!) index++
    series.counts[index]!++
    series.sum += durationMs
  }

  text(): string {
    let text = ''
    for (const { prefixes, counts, sum, sumPrefix, countPrefix } of this.#series.all()) {
      let cumulative = 0
      for (let index = 0; index < counts.length; index++) text += `${prefixes[index]!}${(cumulative += counts[index]!)}\n`
      text += `${sumPrefix}${sum / 1_000}\n${countPrefix}${cumulative}\n`
    }
    return text
  }
}

export type Instrument = Tally | Level | Timing

export function expositionOf(instruments: readonly Instrument[]): string {
  let text = ''
  for (const instrument of instruments) {
    const { name, kind, help } = instrument.declared
    text += `# HELP ${name} ${help}\n# TYPE ${name} ${kind}\n${instrument.text()}`
  }
  return text
}
