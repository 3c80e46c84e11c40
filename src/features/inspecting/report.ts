// The first look as text for a terminal: a line a check, what is meant below it.
import { styleText } from 'node:util'
import type { Check } from './check.ts'

const words: Record<Check['verdict'], string> = {
  ok: styleText('green', 'ok     '),
  red: styleText('red', 'RED    '),
  unknown: styleText('yellow', 'unknown'),
}

const number = (value: number) => (Number.isInteger(value) ? String(value) : value.toFixed(1))

export function inspectionText(checks: readonly Check[]): string {
  const width = Math.max(...checks.map(({ section, check }) => section.length + check.length)) + 2
  const lines = checks.flatMap(({ section, check, value, unit, threshold, over, verdict, details }) => [
    `${words[verdict]}  ${`${section}: ${check}`.padEnd(width)}  ${value === null ? '-' : `${number(value)} ${unit}`}${threshold === null ? '' : ` (red ${over} ${number(threshold)})`}`,
    // What a stranger named, such as an application, moves no cursor.
    ...details.map((detail) => `           ${detail.replaceAll(/\p{Cc}/gu, '?')}`),
  ])
  const red = checks.filter(({ verdict }) => verdict === 'red').length
  return [...lines, '', red === 0 ? 'Nothing is red.' : `${red} of ${checks.length} are red.`].join('\n')
}
