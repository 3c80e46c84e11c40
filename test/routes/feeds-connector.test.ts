// The guide's recipe and the example connector, as they are printed: a reader who follows them is let in.
import assert from 'node:assert/strict'
import { execFile, spawnSync } from 'node:child_process'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { readFileSync } from 'node:fs'
import { after, before, test } from 'node:test'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { AddressInfo } from 'node:net'
import { sign } from '../../src/http/signature.ts'
import { open, type Person } from '../harness.ts'
import { makeFeed, type Feed } from './feed-pushes.ts'
import { transactionsOf } from './import-files.ts'

const djinn = await open()
after(() => djinn.close())

const guide = readFileSync('docs/feeds.md', 'utf8')
const connector = fileURLToPath(new URL('../../docs/examples/feed-connector.mjs', import.meta.url))

let ana: Person
let account: string
let feed: Feed
before(async () => {
  ana = await djinn.person()
  account = await ana.account()
  feed = await makeFeed(ana, account)
})

test('the test vector of the guide is what the service computes', () => {
  const vector = (name: string) => new RegExp(`^${name} +(.+)$`, 'm').exec(guide)![1]!
  assert.equal(`v1=${sign(vector('secret'), vector('timestamp'), vector('body')).toString('hex')}`, vector('signature'))
})

const hasTools = ['openssl', 'curl', 'bash'].every((tool) => spawnSync(tool, ['--help']).error === undefined)
test('the lines of the guide for openssl and curl push a transaction', { skip: !hasTools && 'no openssl or curl here' }, async () => {
  const script = /With `openssl` and `curl`:\n\n```sh\n([^]*?)```/.exec(guide)![1]!
  const { stdout } = await run('bash', ['-euc', script], '', {
    API: `${djinn.url}/api`,
    FEED: feed.id,
    KEY: feed.keyId,
    SECRET: feed.secret,
  })
  const answer = JSON.parse(stdout)
  assert.deepEqual([answer.created, answer.results[0].outcome], [1, 'created'], stdout)
})

/** Runs a program to its end with a text on its standard input. */
async function run(program: string, args: string[], input: string, environment: Record<string, string>) {
  return await new Promise<{ code: number; stdout: string; stderr: string }>((resolve) => {
    const child = execFile(program, args, { env: { PATH: process.env['PATH'], ...environment } }, (error, stdout, stderr) =>
      resolve({ code: (error?.code as number | undefined) ?? 0, stdout, stderr }),
    )
    child.stdin!.end(input)
  })
}

const connect = (own: Feed, csv: string, url = djinn.url, more: Record<string, string> = {}) =>
  run(process.execPath, [connector], csv, {
    DJINN_FEED_URL: `${url}/api/feeds/${own.id}`,
    DJINN_FEED_KEY: own.keyId,
    DJINN_FEED_SECRET: own.secret,
    DJINN_FEED_RETRY_MS: '1',
    ...more,
  })

const header = 'externalId,date,amount,payee,status,pendingExternalId\n'

test('the connector pushes what a CSV says, and again adds nothing', async () => {
  const own = await makeFeed(ana, await ana.account())
  const csv = `${header}c-1,2026-02-03,-3.20,"Bar ""At the Corner"", main street",posted,\r\nc-2,2026-02-04,-12,Bistro,pending,\n`
  assert.deepEqual(JSON.parse((await connect(own, csv)).stdout), { created: 2, updated: 0, unchanged: 0, removed: 0 })
  assert.deepEqual(JSON.parse((await connect(own, csv)).stdout), { created: 0, updated: 0, unchanged: 2, removed: 0 })
  assert.deepEqual(
    (await transactionsOf(ana, own.accountId)).map(({ amount, payee, status }) => [amount, payee, status]),
    [
      [-1_200, 'Bistro', 'pending'],
      [-320, 'Bar "At the Corner", main street', 'posted'],
    ],
  )
  const later = `${header}c-3,2026-02-05,-12.50,Bistro,posted,c-2\n`
  assert.deepEqual(JSON.parse((await connect(own, later)).stdout), { created: 0, updated: 1, unchanged: 0, removed: 0 })
})

test('the connector tells of removed entries, and pushes more than 500 rows in several pushes', async () => {
  const own = await makeFeed(ana, await ana.account({ currency: 'JPY' }))
  const rows = Array.from({ length: 700 }, (_, index) => `j-${index},2026-02-03,-${index + 1},Shop,pending,`)
  const yen = { DJINN_FEED_DIGITS: '0' }
  assert.equal(JSON.parse((await connect(own, header + rows.join('\n'), djinn.url, yen)).stdout).created, 700)
  assert.equal(JSON.parse((await connect(own, `${header}j-5,,,,removed,\nj-6,,,,removed,\n`, djinn.url, yen)).stdout).removed, 2)
  assert.equal((await ana.get(`/api/feeds/${own.id}`)).body.counts.pushes, 3)
})

/** Stands before the service and does to the nth request what the test says: passes it on and loses the answer, or refuses it. */
async function troublesome(trouble: ('lose' | 'busy' | 'pass')[]): Promise<{ url: string; server: Server; seen: string[] }> {
  const seen: string[] = []
  const answerOne = async (request: IncomingMessage, response: ServerResponse) => {
    const body = Buffer.concat(await request.toArray())
    const kind = trouble[seen.length] ?? 'pass'
    seen.push(String(request.headers['djinn-signature']))
    if (kind === 'busy') return void response.writeHead(503, { 'retry-after': '0' }).end()
    const { connection: _connection, host: _host, 'content-length': _length, ...headers } = request.headers
    const answer = await fetch(djinn.url + request.url, { method: 'POST', headers: headers as Record<string, string>, body })
    if (kind === 'lose') return void request.socket.destroy()
    response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type')! }).end(await answer.text())
  }
  const server = createServer((request, response) => void answerOne(request, response))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server, seen }
}

test('the connector signs anew when an answer is lost or refused for now, and adds each row once', async () => {
  const own = await makeFeed(ana, await ana.account())
  const { url, server, seen } = await troublesome(['busy', 'lose', 'lose', 'pass'])
  try {
    const { code, stdout, stderr } = await connect(own, `${header}l-1,2026-02-03,-3.20,Bar,posted,\n`, url)
    assert.equal(code, 0, stderr)
    assert.deepEqual(JSON.parse(stdout), { created: 0, updated: 0, unchanged: 1, removed: 0 })
    assert.equal(new Set(seen).size, 4, 'no signature was used twice')
    assert.equal((await transactionsOf(ana, own.accountId)).length, 1)
  } finally {
    server.close()
  }
})

test('the connector ends with the reason when it is refused for good, and does not try again', async () => {
  const own = await makeFeed(ana, await ana.account())
  const { url, server, seen } = await troublesome([])
  try {
    const { code, stderr } = await connect({ ...own, secret: 'wrong' }, `${header}l-1,2026-02-03,-3.20,Bar,posted,\n`, url)
    assert.deepEqual([code, seen.length], [1, 1])
    assert.match(stderr, /^feed-connector: 401 .*feed-refused/)
  } finally {
    server.close()
  }
  assert.match((await connect(own, `${header}l-1,2026-02-03,3.205,Bar,posted,\n`)).stderr, /"3.205" has more than 2 digits/)
  assert.match((await connect(own, `${header}l-1,2026-02-03,much,Bar,posted,\n`)).stderr, /"much" is no amount/)
})
