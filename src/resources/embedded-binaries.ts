// The binaries of the embedded PostgreSQL, from their package to where the server's user can reach them.
import { chmodSync, cpSync, existsSync, lstatSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export type Native = { root: string; major: string; version: string }

/**
 * The binaries where the server's user can reach them. As root they are copied to a folder of root's that everyone may
 * read, since the checkout may lie in a folder that only its owner may enter.
 */
export function reachableBinaries(packageName: string, asRoot: boolean, log: (message: string) => void): Native {
  const manifest = findPackage(packageName)
  const version = (JSON.parse(readFileSync(manifest, 'utf8')) as { version: string }).version
  const source = join(dirname(manifest), 'native')
  const major = version.split('.')[0]!
  if (!asRoot) {
    linkLibraries(source)
    return { root: source, major, version }
  }
  const target = `/var/lib/djinn/postgresql-${version}`
  discardBroken(target)
  if (!existsSync(target)) {
    log(`copying PostgreSQL ${version} to ${target}`)
    mkdirSync(dirname(target), { recursive: true, mode: 0o755 })
    const partial = `${target}.${process.pid}`
    // Links stay what they are: made absolute, they would lead back into the checkout, which may move or go.
    cpSync(source, partial, { recursive: true, verbatimSymlinks: true })
    linkLibraries(partial)
    openToAll(partial)
    try {
      renameSync(partial, target)
    } catch {
      // Another process was first with the same copy.
      rmSync(partial, { recursive: true, force: true })
    }
  }
  if (lstatSync(target).uid !== 0) throw new Error(`${target} does not belong to root; remove it`)
  return { root: target, major, version }
}

function findPackage(packageName: string): string {
  let folder = dirname(fileURLToPath(import.meta.url))
  for (;;) {
    const manifest = join(folder, 'node_modules', packageName, 'package.json')
    if (existsSync(manifest)) return manifest
    if (dirname(folder) === folder) {
      throw new Error(`No embedded PostgreSQL for ${process.platform}-${process.arch} (${packageName}); set DATABASE_URL instead.`)
    }
    folder = dirname(folder)
  }
}

/** Removes a copy of which a library leads nowhere any more. */
function discardBroken(target: string) {
  if (!existsSync(target) || links(target).every(({ link }) => existsSync(link))) return
  const broken = `${target}.broken.${process.pid}`
  renameSync(target, broken)
  rmSync(broken, { recursive: true, force: true })
}

function links(native: string): { link: string; library: string }[] {
  const list = JSON.parse(readFileSync(join(native, 'pg-symlinks.json'), 'utf8')) as { source: string; target: string }[]
  return list.map(({ source, target }) => ({
    link: join(native, '..', target).replace(join(native, '..', 'native'), native),
    library: source.split('/').at(-1)!,
  }))
}

/** Makes the links among the shared libraries that a package from the registry cannot carry. */
function linkLibraries(native: string) {
  for (const { link, library } of links(native)) {
    if (existsSync(link)) continue
    mkdirSync(dirname(link), { recursive: true })
    symlinkSync(library, link)
  }
}

function openToAll(folder: string) {
  chmodSync(folder, 0o755)
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) openToAll(path)
    else if (entry.isFile()) chmodSync(path, folder.endsWith('/bin') || entry.name.includes('.so') ? 0o755 : 0o644)
  }
}
