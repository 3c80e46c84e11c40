// What was begun and proved, in a file: whole after every step, so that a run that was cut off goes on where it was.
import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Evidence, StepName, Wish } from './steps.ts'

export type Proof = { at: string; tookMs: number; evidence: Evidence }
export type Progress = {
  version: 1
  where: string
  wish: Wish
  /** When each step was begun that was not struck since. */
  begun: Partial<Record<StepName, string>>
  proofs: Partial<Record<StepName, Proof>>
  finishedAt: string | null
}

export const newProgress = (where: string, wish: Wish): Progress => ({ version: 1, where, wish, begun: {}, proofs: {}, finishedAt: null })

/** Null where there is none; throws for a file that is none of ours. */
export function readProgress(file: string): Progress | null {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
  const progress = JSON.parse(text) as Progress
  if (progress.version !== 1 || typeof progress.proofs !== 'object') throw new Error(`${file} is no progress of djinn scale`)
  return progress
}

/** On the disk before anything else is done: the folder too, or the name could be lost with the power. */
export function writeProgress(file: string, progress: Progress) {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  const descriptor = openSync(`${file}.new`, 'w', 0o600)
  try {
    writeSync(descriptor, `${JSON.stringify(progress, null, 2)}\n`)
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
  renameSync(`${file}.new`, file)
  const folder = openSync(dirname(file), 'r')
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}

/** Keeps a second run away while `work` lasts; one that died leaves no lock behind that counts. */
export async function alone<T>(file: string, work: () => Promise<T>): Promise<T> {
  const lock = `${file}.lock`
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  const descriptor = take(lock)
  writeSync(descriptor, String(process.pid))
  closeSync(descriptor)
  try {
    return await work()
  } finally {
    rmSync(lock, { force: true })
  }
}

function take(lock: string): number {
  try {
    return openSync(lock, 'wx', 0o600)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    const pid = Number(readFileSync(lock, 'utf8'))
    if (isAlive(pid)) throw new Error(`another djinn scale is under way (pid ${pid}, ${lock})`, { cause: error })
    rmSync(lock, { force: true })
    return openSync(lock, 'wx', 0o600)
  }
}

function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
