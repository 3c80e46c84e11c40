// The guide for app authors works as printed.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { after, test } from 'node:test'
import { promisify } from 'node:util'
import { digestOf, legId } from '../../src/client/digest.ts'
import { open } from '../harness.ts'

const djinn = await open()
after(() => djinn.close())
const guide = readFileSync('docs/client.md', 'utf8')

test('the first session runs as printed and says what it should', async () => {
  const [email, password] = ['demo@djinn.example', 'a lamp full of coins']
  assert.ok(guide.includes(email) && guide.includes(password))
  const person = await djinn.person({ email, password })
  const section = guide.split('## A first session')[1]!.split('\n## ')[0]!
  const blocks = [...section.matchAll(/```ts\n([^]*?)```/g)].map((block) => block[1]!)
  assert.equal(blocks.length, 3)
  const script = blocks.join('\n').replaceAll('http://127.0.0.1:8080', djinn.url)
  const { stdout } = await promisify(execFile)(process.execPath, ['-C', 'djinn-source', '--input-type=module-typescript', '-e', script], {
    timeout: 30_000,
  })
  assert.deepEqual(stdout.trim().split('\n'), [
    '1 household',
    '4650 cents, 2 writes wait',
    '{"payee":"Corner Bar","note":"two cups","amount":-350} 0 writes wait',
  ])
  const [wallet] = (await person.get('/api/accounts')).body.data
  assert.deepEqual([wallet.name, wallet.balance], ['Wallet', 4_650])
})

test('the worked examples of digests and leg ids are right', async () => {
  const rows = [...guide.matchAll(/^\| ([0-9a-f-]{36}) \| (\d+) \| ([0-9a-f]{16}) \|$/gm)].map(([, id, revision, digest]) => ({
    id: id!,
    revision: Number(revision),
    digest: digest!,
  }))
  assert.equal(rows.length, 2)
  for (const row of rows) assert.equal(await digestOf([row]), row.digest)
  assert.equal(await digestOf(rows), /^\| both \| \| ([0-9a-f]{16}) \|$/m.exec(guide)![1])
  const legs = /For `([0-9a-f-]{36})` they are `([0-9a-f-]{36})` and `([0-9a-f-]{36})`/.exec(guide)!
  assert.deepEqual([await legId(legs[1]!, 'from'), await legId(legs[1]!, 'to')], legs.slice(2))
})

test('the digests of the guide are those of the database', async () => {
  const [row] = await djinn.sql<{ digest: string }>(
    "select lpad(to_hex(row_digest('01890a5d-ac96-774b-bcce-b302099a8057', 42)), 16, '0') as digest",
  )
  assert.ok(guide.includes(row!.digest))
})
