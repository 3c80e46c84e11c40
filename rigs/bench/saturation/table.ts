// The figures of saturation, for people and as JSON.
import type { Measured } from '../saturation.ts'

const rounded = (value: number, digits: number) => Number(value.toFixed(digits))

export function saturationJson(measured: readonly Measured[]): object[] {
  return measured.map(({ name, perSecond, limitPerSecond, ratio, cpuMsPerRequest, rssMb }) => ({
    name,
    perSecond: rounded(perSecond, 1),
    limitPerSecond: limitPerSecond === null ? null : rounded(limitPerSecond, 1),
    ratio: ratio === null ? null : rounded(ratio, 3),
    cpuMsPerRequest: rounded(cpuMsPerRequest, 4),
    rssMb: rounded(rssMb, 1),
  }))
}

export function printSaturation(measured: readonly Measured[]) {
  const line = (cells: string[]) => console.log(cells.map((cell, at) => (at === 0 ? cell.padEnd(10) : cell.padStart(12))).join(' '))
  line(['', 'requests/s', 'limit/s', 'ratio', 'at least', '', 'API ms', 'PostgreSQL', 'generator', 'API MB'])
  for (const row of measured) {
    const { ratio, target } = row
    line([
      row.name,
      row.perSecond.toFixed(0),
      row.limitPerSecond?.toFixed(0) ?? 'no pgbench',
      ratio?.toFixed(2) ?? '',
      target === null ? '' : String(target),
      target === null || ratio === null ? '' : ratio >= target ? 'met' : 'NOT MET',
      row.cpuMsPerRequest.toFixed(3),
      row.postgresMsPerRequest.toFixed(3),
      `${(row.generatorShare * 100).toFixed(0)} %`,
      row.rssMb.toFixed(0),
    ])
  }
  console.log('API and PostgreSQL in ms of CPU for a request; the generator in shares of a core.')
}
