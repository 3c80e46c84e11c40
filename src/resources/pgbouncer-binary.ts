// The PgBouncer that is installed here, if one is.
import { spawnSync } from 'node:child_process'

/** What `pgbouncer --version` says; also where the path of an ordinary user leaves the folder of servers out. */
export function installedPgBouncer(): string | undefined {
  for (const command of ['pgbouncer', '/usr/sbin/pgbouncer', '/usr/local/sbin/pgbouncer']) {
    const { status, stdout } = spawnSync(command, ['--version'], { encoding: 'utf8', timeout: 5_000 })
    if (status === 0) return stdout
  }
  return undefined
}
