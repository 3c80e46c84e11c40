// The first session that the README prints works as printed.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { promisify } from 'node:util'
import { startService } from '../rigs/bench/service.ts'

const dataDir = mkdtempSync(join(tmpdir(), 'djinn-readme-'))
const service = await startService(dataDir)
after(async () => {
  await service.stop()
  rmSync(dataDir, { recursive: true, force: true })
})

test('signing in, importing a statement and reading it back by curl', async () => {
  const section = readFileSync('README.md', 'utf8').split('## A first session')[1]!.split('\n## ')[0]!
  const blocks = [...section.matchAll(/```sh\n([^]*?)```/g)].map((block) => block[1]!)
  assert.equal(blocks.length, 3)
  const script = blocks
    .join('\n')
    .replaceAll('http://127.0.0.1:8080', service.url)
    .replaceAll(/^(curl.*)$/gm, '$1; echo')
  const { stdout } = await promisify(execFile)('bash', ['-euc', script])
  const answers = stdout.trim().split('\n').filter(Boolean)
  const [accounts, preview, commit, transactions, account] = answers.map((line) => JSON.parse(line))
  assert.deepEqual(new Set(accounts.data.map((each: { currency: string }) => each.currency)), new Set(['EUR', 'USD']))
  assert.deepEqual(preview, { format: 'ofx', summary: { new: 4, duplicate: 0, matched: 0, error: 0 } })
  assert.deepEqual(commit, { created: 4, duplicate: 0, matched: 0 })
  assert.deepEqual(transactions.data[0], { date: '2026-01-27', amount: 215_000, payee: 'Harbour Works' })
  assert.deepEqual(
    transactions.data.map((each: { amount: number }) => each.amount),
    [215_000, -6_318, -240, -240],
  )
  assert.deepEqual(account, { name: 'Harbour Bank', balance: 208_202 })
})
