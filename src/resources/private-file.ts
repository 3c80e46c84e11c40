// Writes configuration files of other services: whole or not at all, with their owner kept.
import { chownSync, existsSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

/**
 * Puts the text in the file's place. One that was there without `mark` was written by somebody: it stays beside it as `.before`. As root the new
 * file belongs to whom the old one did, or the folder. Answers whether something was set aside.
 */
export function placeFile(file: string, text: string, mode: number, mark: string): boolean {
  const owner = statSync(existsSync(file) ? file : dirname(file))
  const temporary = `${file}.new`
  rmSync(temporary, { force: true })
  writeFileSync(temporary, text, { mode, flag: 'wx' })
  if (process.getuid?.() === 0) chownSync(temporary, owner.uid, owner.gid)
  const foreign = existsSync(file) && !readFileSync(file, 'utf8').includes(mark)
  if (foreign) renameSync(file, `${file}.before`)
  renameSync(temporary, file)
  return foreign
}
