// Files that are there whole or not at all, also after a crash of the machine.
import { open, mkdir, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'

export async function syncFolder(folder: string) {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

export async function makeFolder(folder: string) {
  const made = await mkdir(folder, { recursive: true, mode: 0o700 })
  if (made !== undefined) await syncFolder(dirname(made))
}

/** Puts the text in the file's place, in one step, on the disk. */
export async function writeDurably(file: string, text: string) {
  const temporary = `${file}.new`
  await rm(temporary, { force: true })
  const handle = await open(temporary, 'wx', 0o600)
  try {
    await handle.writeFile(text)
    await handle.sync()
  } finally {
    await handle.close()
  }
  await renameDurably(temporary, file)
}

export async function renameDurably(from: string, to: string) {
  await rename(from, to)
  await syncFolder(dirname(to))
}

/** Takes a folder away so that no half of it is ever met under its name. */
export async function removeFolder(folder: string) {
  const going = join(dirname(folder), `.going-${process.pid}-${Date.now()}`)
  await renameDurably(folder, going)
  await rm(going, { recursive: true, force: true })
}
