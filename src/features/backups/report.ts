// Backups and restores as text for a terminal.
import { styleText } from 'node:util'
import type { Manifest } from './manifest.ts'
import type { Restored } from './restoring.ts'

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

export function baseText(base: Manifest, folder: string): string {
  const stored = base.files.reduce((sum, file) => sum + file.bytes, 0)
  const took = Date.parse(base.finishedAt) - Date.parse(base.startedAt)
  return [
    `${styleText('green', 'made')}  ${base.id} in ${folder}`,
    `      ${mb(base.bytes)} of PostgreSQL ${base.postgres} as ${mb(stored)} in ${seconds(took)}, ${base.encrypted ? 'encrypted' : styleText('yellow', 'NOT encrypted (--key-file)')}`,
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
