// The report for a terminal of 100 columns.
import { boundText } from './ops-metrics.ts'
import type { Figures, Report, Target } from './report.ts'

export function reportText(report: Report): string {
  const { setting, total, connections, generator, server, machine } = report
  const lines = [
    `${setting.scenario} against ${setting.url}: up to ${number(setting.ratePerS)}/s, ${setting.arrivals} arrivals, seed ${setting.seed}, ${number(setting.phonesCalling)} of ${number(setting.phones)} phones`,
    `${number(report.sent)} requests sent in ${report.seconds} s (${number(total.perSecond)}/s), ${number(total.errors)} errors, ${number(report.unanswered)} unanswered${report.interrupted ? '; interrupted' : ''}`,
    `${number(connections.open)} connections open; ${number(connections.reopened)} reopened; ${number(connections.requestsThatWaited)} requests waited for one`,
    '',
    'latency in ms, corrected (from when each request was due)',
    row('', 'count', 'share', 'errors', 'p50', 'p90', 'p95', 'p99', 'p99.9', 'max'),
    ...report.operations.map((one) => figuresRow(one.name, one, one.share)),
    figuresRow('total', total, 1),
    rowOf('  raw', total.rawMs, ['', '', '']),
    '',
    `outcomes: ${counts(total.outcomes)}`,
  ]
  if (Object.keys(total.codes).length > 0) lines.push(`refusals: ${counts(total.codes)}`)
  const rateLimited = total.codes['rate-limited'] ?? 0
  if (rateLimited > 0)
    lines.push(`${number(rateLimited)} were refused by the rate limit of the users: more tokens, or a higher RATE_LIMIT_AUTHENTICATED.`)
  lines.push(generatorLine(report))
  if (server !== null) lines.push(...serverLines(server))
  lines.push(
    `machine: ${machine.cpus} processors, load average ${machine.loadAverageBefore[0]} before, ${machine.loadAverageAfter[0]} after; generator ${generator.cpuShare} of one`,
    '',
    ...report.targets.map((target) => `${verdict(target).padEnd(13)} ${target.name} ${target.must}: ${target.is}`),
  )
  if (generator.void) lines.push('', 'THE RUN IS VOID: the generator was the limit, so these figures are not of the service.')
  return lines.join('\n')
}

export function verdict({ met }: Target): string {
  return met === null ? 'not measured' : met ? 'met' : 'NOT MET'
}

export function generatorLine({ generator }: Report): string {
  const { limitedSeconds, seconds, lagMs, loopDelayMsMax } = generator
  return `the generator was the limit in ${limitedSeconds} of ${seconds} seconds (requests sent late: p99 ${lagMs.p99} ms, at most ${lagMs.max} ms; its event loop stood still for up to ${loopDelayMsMax} ms)`
}

export function serverLines(server: NonNullable<Report['server']>): string[] {
  const { statementMs: ms } = server
  const times =
    ms === null
      ? 'no statements'
      : `${number(server.statements)} statements, p50 ${boundText(ms.p50)}, p95 ${boundText(ms.p95)}, p99 ${boundText(ms.p99)}`
  const mebibytes = (bytes: number) => Math.round(bytes / 1024 / 1024)
  return [
    `database: ${times}`,
    `server: ${server.cpuSeconds.toFixed(1)} s of processor time, ${mebibytes(server.residentBytesBefore)} MiB before, ${mebibytes(server.residentBytesAfter)} MiB at the end, ${number(server.openConnections)} connections open`,
  ]
}

function figuresRow(name: string, figures: Figures, share: number): string {
  return rowOf(name, figures.correctedMs, [number(figures.count), `${(share * 100).toFixed(1)} %`, number(figures.errors)])
}

function rowOf(name: string, { p50, p90, p95, p99, p999, max }: Figures['rawMs'], before: string[]): string {
  return row(name, ...before, ...[p50, p90, p95, p99, p999, max].map((value) => value.toFixed(1)))
}

function row(name: string, ...cells: string[]): string {
  return name.padEnd(9) + cells.map((cell) => cell.padStart(9)).join('')
}

export function counts(by: Record<string, number>): string {
  const parts = Object.entries(by).map(([name, count]) => `${name} ${number(count)}`)
  return parts.length === 0 ? 'none' : parts.join(', ')
}

export function number(value: number): string {
  return value.toLocaleString('en-GB', { maximumFractionDigits: 1 })
}
