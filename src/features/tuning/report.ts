// What the tuner tells, as texts: a fragment of postgresql.conf, a table of differences, what was applied. Pure.
import type { Applied } from './application.ts'
import type { Compared } from './comparison.ts'
import { roughMemory } from './quantity.ts'
import type { Setting, Size } from './rules.ts'

export const sizeText = ({ memoryBytes, cpus }: Size) => `${roughMemory(memoryBytes)} and ${cpus} ${cpus === 1 ? 'CPU' : 'CPUs'}`

/** For conf.d or the end of postgresql.conf: a setting a line, its rule and reason behind it. */
export function fragment(size: Size, settings: Setting[]): string {
  const left = settings.map(({ name, value }) => `${name} = ${value}`)
  const width = Math.max(...left.map((text) => text.length))
  return [
    `# PostgreSQL on ${sizeText(size)}, as djinn tune counts it; restart PostgreSQL after a change.`,
    ...settings.map(({ rule, why }, index) => `${left[index]!.padEnd(width)}  # ${upper(rule)}. ${why}`),
  ].join('\n')
}

const words: Record<Compared['standing'], string> = {
  equal: 'ok',
  waiting: 'waits for a restart',
  differs: 'differs',
  unknown: 'not known to this server',
}

export function table(compared: Compared[]): string {
  const rows = [
    ['setting', 'is', 'should be', ''],
    ...compared.map(({ name, actual, wanted, standing, overriddenBy, needsRestart }) => [
      name,
      actual ?? '-',
      wanted,
      words[standing] +
        (standing === 'differs' && overriddenBy !== null ? `, set by ${overriddenBy}` : '') +
        (standing === 'differs' && overriddenBy === null && needsRestart ? ', needs a restart' : ''),
    ]),
  ]
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column]!.length)))
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

export function appliedText({ applied, restart, overridden }: Applied, restartHow: string): string {
  const lines = [`${applied.length} settings were written by ALTER SYSTEM.`]
  if (restart.length > 0) lines.push(`These count after a restart of PostgreSQL: ${restart.join(', ')}.`, restartHow)
  for (const { name, actual, by } of overridden) lines.push(`${name} stays ${actual}: it is set by ${by}, which goes before ALTER SYSTEM.`)
  if (restart.length === 0 && overridden.length === 0) lines.push('All of them are in effect.')
  return lines.join('\n')
}

const upper = (text: string) => text[0]!.toUpperCase() + text.slice(1)
