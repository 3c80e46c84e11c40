// Backups and restores as text for a terminal.
import { styleText } from 'node:util'
import type { Drill } from './drill.ts'
import type { Manifest } from './manifest.ts'
import type { BackupList, Restored } from './restoring.ts'
import type { Forgotten } from './retention.ts'

const mb = (bytes: number) => `${(bytes / 1e6).toFixed(bytes < 1e8 ? 1 : 0)} MB`
const seconds = (ms: number) => `${(ms / 1_000).toFixed(1)} s`

/** A line that is written over, on a terminal; nothing elsewhere. */
export class Progress {
  readonly #shown: boolean
  #lastMs = 0

  constructor(silent: boolean) {
    this.#shown = !silent && process.stderr.isTTY
  }

  show(what: string, done: number, of: number) {
    if (!this.#shown || Date.now() - this.#lastMs < 200) return
    this.#lastMs = Date.now()
    const amount = done > 1e5 ? mb(done) : String(done)
    process.stderr.write(`\r\x1b[K${amount} ${what}${of > 0 ? `, ${Math.min(100, Math.floor((100 * done) / of))} %` : ''}`)
  }

  end() {
    if (this.#shown) process.stderr.write('\r\x1b[K')
  }
}

const storedOf = ({ files }: Manifest) => files.reduce((sum, file) => sum + file.bytes, 0)
const sealText = ({ encrypted }: Manifest) => (encrypted ? 'encrypted' : styleText('yellow', 'NOT encrypted (--key-file)'))

export function baseText(base: Manifest, forgotten: Forgotten, folder: string): string {
  const took = Date.parse(base.finishedAt) - Date.parse(base.startedAt)
  const { bases, segments } = forgotten
  return [
    `${styleText('green', 'made')}  ${base.id} in ${folder}`,
    `      ${mb(base.bytes)} of PostgreSQL ${base.postgres} as ${mb(storedOf(base))} in ${seconds(took)}, ${sealText(base)}`,
    ...(bases.length + segments > 0
      ? [`      ${bases.length} older ones and ${segments} segments of the log are not needed any more: removed`]
      : []),
  ].join('\n')
}

export function listText({ bases, spans }: BackupList, folder: string): string {
  const lines = bases.map(
    (base) => `${base.id}  ${mb(base.bytes)} as ${mb(storedOf(base))}, PostgreSQL ${base.postgres}, ${sealText(base)}`,
  )
  const covered = spans.map(({ from, to }) => `any moment from ${from} to ${to}`)
  return [...lines, bases.length === 0 ? `no finished backup in ${folder}` : `can be restored: ${covered.join(', and ')}`].join('\n')
}

export function drillText(drill: Drill): string {
  const { households, strange, behind, followed } = drill
  const good = (ok: boolean) => (ok ? styleText('green', 'good  ') : styleText('red', 'FAILED'))
  const broken = drill.findings.filter((finding) => finding.broken > 0)
  return [
    `${good(true)}  ${drill.base} was brought to ${drill.reachedAt} in ${seconds(drill.readyMs)}: ${mb(drill.bytes)}, ${drill.readySecondsPerGb} s a gigabyte`,
    `${good(broken.length === 0)}  ${broken.length === 0 ? `all ${drill.findings.length} promises hold` : broken.map(({ promise }) => promise).join('; ')}; proved after ${seconds(drill.provedMs)}`,
    `${good(strange.length === 0)}  the trails of ${households} households ${strange.length === 0 ? 'all end in entries of the living ones' : `differ in ${strange.length}, as in ${strange[0]}`}`,
    followed
      ? `${good(behind.length === 0)}  ${behind.length === 0 ? 'nothing is missing of what was there when the drill began' : `${behind.length} households lack entries, as ${behind[0]}`}`
      : `${styleText('yellow', 'note  ')}  the log is not followed: ${behind.length} households have gone on since the backup, and that would be lost`,
  ].join('\n')
}

export function restoredText(restored: Restored, folder: string): string {
  const { findings, erasedAgain, sessionsEnded } = restored
  const broken = findings.filter((finding) => finding.broken > 0)
  return [
    `${styleText('green', 'restored')}  ${restored.base} to ${restored.reachedAt} in ${folder}`,
    `          the last commit in it is of ${restored.lastCommitAt ?? 'before the backup ended'}; ${mb(restored.bytes)} and ${restored.segments} segments of the log in ${seconds(restored.readyMs)}`,
    ...(erasedAgain > 0 ? [`          ${erasedAgain} that were erased since are erased again`] : []),
    ...(sessionsEnded > 0 ? [`          ${sessionsEnded} sessions are ended: some of them may have been ended since`] : []),
    broken.length === 0
      ? `${styleText('green', 'proved')}    all ${findings.length} promises hold`
      : `${styleText('red', 'BROKEN')}    ${broken.map(({ promise, broken: count }) => `${promise} (${count})`).join('; ')}`,
  ].join('\n')
}
