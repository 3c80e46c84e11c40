// Access tokens of seeded users in a file, so that a load rig acts as all of them without signing in.
import { createWriteStream, renameSync, rmSync } from 'node:fs'
import { finished } from 'node:stream/promises'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type pg from 'pg'
import { from as copyFrom } from 'pg-copy-streams'
import { hashToken, newToken } from '../../features/identity/tokens.ts'
import { CopyRows } from './copy-rows.ts'
import { idPrefix, onlyId } from './ids.ts'

export type SessionsWanted = { file: string; seed: number; users: number; hours: number }
const chunkUsers = 5_000
const deviceName = 'djinn seed'

/** One line of JSON a user; what an earlier file holds ends. The file is there once its tokens work. */
export async function writeSessions(client: pg.Client, { file, seed, users, hours }: SessionsWanted): Promise<void> {
  const nowMs = Date.now()
  const unfinished = `${file}.new`
  rmSync(unfinished, { force: true })
  const out = createWriteStream(unfinished, { mode: 0o600, flags: 'wx', flush: true })
  await client.query('begin')
  try {
    await client.query('delete from sessions where id between $1 and $2', [onlyId(seed, 0, 'session'), onlyId(seed, users - 1, 'session')])
    for (let from = 0; from < users; from += chunkUsers) {
      const rows = new CopyRows('sessions (id, user_id, device_name, access_hash, access_expires_at, refresh_expires_at)')
      const lines: string[] = []
      for (let number = from; number < Math.min(users, from + chunkUsers); number++) {
        const accessToken = newToken()
        const user = onlyId(seed, number, 'user')
        rows
          .row()
          .id(idPrefix(seed, number, 'session'), 0)
          .id(idPrefix(seed, number, 'user'), 0)
          .text(deviceName)
          .bytes(hashToken(accessToken))
        // There is no refresh token: the session ends with its access token.
        rows.instant(nowMs + hours * 3_600_000).instant(nowMs + hours * 3_600_000)
        lines.push(`${JSON.stringify({ accessToken, userId: user, householdId: onlyId(seed, number, 'household') })}\n`)
      }
      await pipeline(Readable.from([rows.end()]), client.query(copyFrom(`copy ${rows.into} from stdin (format binary)`)))
      if (!out.write(lines.join(''))) await new Promise<void>((resolve, reject) => out.once('drain', resolve).once('error', reject))
    }
    out.end()
    await finished(out)
    await client.query('commit')
    renameSync(unfinished, file)
  } catch (error) {
    await client.query('rollback').catch(() => {})
    out.destroy()
    rmSync(unfinished, { force: true })
    throw error
  }
}
