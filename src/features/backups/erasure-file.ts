// Who was erased, beside the backups that still know them: ids only, a line each, on the disk before the log that says so.
import { open, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import type { Database } from '../../resources/database.ts'
import { syncFolder } from '../../resources/durable-file.ts'
import { backupLimits } from '../../values/backup-limits.ts'
import { limits } from '../../values/limits.ts'
import { readErasures } from './store.ts'

const line = z.strictObject({ kind: z.enum(['user', 'household']), id: z.uuid(), at: z.iso.datetime({ offset: true }) })
export type Erasure = z.infer<typeof line>

export class ErasureFile {
  readonly #file: string
  #known: Map<string, Erasure> | undefined
  #latestMs = 0

  constructor(folder: string) {
    this.#file = join(folder, 'erased.jsonl')
  }

  /** All of them, in the order in which they were noted. A line without its end is of a write that was cut off, which nobody was promised. */
  async read(): Promise<Erasure[]> {
    const lines = (await this.#text()).split('\n').filter((each) => each.endsWith('}'))
    return lines.map((each) => {
      try {
        return line.parse(JSON.parse(each))
      } catch {
        throw new Error(`${this.#file} is damaged: whom to forget is not known`)
      }
    })
  }

  async #text(): Promise<string> {
    return await readFile(this.#file, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return ''
      throw error
    })
  }

  /** Adds what the database has erased since; safe on the disk when it comes back. */
  async update(database: Database) {
    const known = (this.#known ??= new Map((await this.read()).map((each) => [each.id, each])))
    const added: Erasure[] = []
    // A transaction that began earlier may commit later: what is a little older is looked at again.
    let since = new Date(Math.max(0, this.#latestMs - backupLimits.erasureOverlapMs)).toISOString()
    let after = '00000000-0000-0000-0000-000000000000'
    for (;;) {
      const rows = await database.write({}, (tx) => tx.run(readErasures, { since, after, rows: limits.statementRowsMax }), 'djinn_keeper')
      for (const row of rows) {
        this.#latestMs = Math.max(this.#latestMs, Date.parse(row.at))
        if (known.has(row.id)) continue
        const erasure = line.parse({ kind: row.kind, id: row.id, at: row.at })
        known.set(row.id, erasure)
        added.push(erasure)
      }
      const last = rows.at(-1)
      if (rows.length < limits.statementRowsMax || !last) break
      since = last.at
      after = last.id
    }
    if (added.length > 0) await this.#append(added)
  }

  async #append(added: readonly Erasure[]) {
    const cutOff = !/(^|\n)$/.test(await this.#text())
    const handle = await open(this.#file, 'a', 0o600)
    try {
      await handle.writeFile((cutOff ? '\n' : '') + added.map((each) => `${JSON.stringify(each)}\n`).join(''))
      await handle.sync()
    } finally {
      await handle.close()
    }
    await syncFolder(join(this.#file, '..'))
  }
}
