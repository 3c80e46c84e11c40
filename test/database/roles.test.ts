// The roles belong to the whole cluster, whichever of its databases is migrated first.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { openEmbedded } from '../../src/resources/embedded.ts'
import { listMigrations, migrate } from '../../src/resources/migrations.ts'
import { binaries, databaseUrl, withClient, type Major } from '../cluster.ts'

test('two databases of a new cluster can be migrated side by side: they share the roles', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'djinn-roles-'))
  const major = binaries[Number(process.env['DJINN_TEST_POSTGRES'] ?? 18) as Major]
  const embedded = await openEmbedded({ dataDir, ...(major === undefined ? {} : { binaries: major }), settings: { fsync: 'off' } })
  try {
    const urls = ['one', 'two', 'three'].map((name) => databaseUrl(embedded.adminUrl, name))
    for (const name of ['one', 'two', 'three']) await withClient(embedded.adminUrl, (client) => client.query(`create database ${name}`))
    const ran = await Promise.allSettled(urls.map((url) => migrate(url)))
    assert.deepEqual(
      ran.map((one) => (one.status === 'fulfilled' ? one.value.length : String(one.reason))),
      urls.map(() => listMigrations().length),
    )
  } finally {
    await embedded.stop()
    rmSync(dataDir, { recursive: true, force: true })
  }
})
