// What `npm pack` makes: a package that serves where nothing else of the project is, and types for those who import its client.
// Packing, unpacking, serving and compiling are real; the dependencies are linked from this checkout in place of a download.
import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, test } from 'node:test'
import { checkout, install, machinePath, pack } from './package.ts'

const folder = mkdtempSync(join(tmpdir(), 'djinn-package-'))
after(() => rmSync(folder, { recursive: true, force: true }))
const file = pack(folder)
const app = join(folder, 'app')
install(file, app)
const installed = join(app, 'node_modules', 'djinn')
const startMsMax = 60_000

test('the package holds what runs, and of the sources, tests and rigs nothing', () => {
  const listed = execFileSync('tar', ['-tzf', file], { encoding: 'utf8' }).trim().split('\n')
  const folders = new Set(listed.map((path) => path.split('/').slice(1, -1)[0] ?? '.'))
  assert.deepEqual([...folders].toSorted(), ['.', 'bin', 'console', 'deploy', 'dist', 'docs', 'migrations'])
  const built = listed.filter((path) => path.endsWith('.js') && path.startsWith('package/dist/')).length
  assert.equal(built, globSync('src/**/*.ts', { cwd: checkout, exclude: ['**/*.d.ts'] }).length, 'each source once, and none that is gone')
  assert.deepEqual(
    listed.filter((path) => /(?<!\.d)\.ts$/.test(path)),
    [],
  )
})

test('each thread that is started from a file has that file', () => {
  let threads = 0
  for (const path of globSync(join(installed, 'dist/**/*.js'))) {
    for (const [, thread] of readFileSync(path, 'utf8').matchAll(/'(\.\/[a-z-]*thread\.js)'/g)) {
      threads++
      assert.ok(existsSync(join(dirname(path), thread!)), `${path} starts ${thread}`)
    }
  }
  assert.ok(threads >= 3, 'the pattern finds them')
})

const consumer = `
import { Api, ApiError, DjinnClient, MemoryStorage, type Account } from 'djinn/client'
const [url = '', email = '', password = ''] = process.argv.slice(2)
let token = ''
const api = new Api({ url, onTokens: (tokens) => void (token = tokens?.accessToken ?? '') })
// @ts-expect-error There is no such operation: the types are those of the document.
await api.call('auth.open', {}).catch((error: unknown) => error)
const refused = await api.call('auth.login', { body: { email, password: 'not this one' } }).catch((error: ApiError) => error.code)
await api.call('auth.login', { body: { email, password } })
const client = await DjinnClient.open({ api, storage: new MemoryStorage() })
await client.sync()
const accounts: Account[] = client.rows('accounts')
const accountId: string = accounts.find((account) => account.currency === 'EUR')!.id
console.log(JSON.stringify({ refused, token, accountId }))
declare const process: { argv: string[] }
`

test('npx djinn serve in an empty folder: the API, the console, a thread, an app in TypeScript; SIGTERM ends all', async () => {
  const child = spawn(join(app, 'node_modules/.bin/djinn'), ['serve'], {
    cwd: app,
    env: { PATH: machinePath, PORT: '0', OPS_PORT: '0' },
    stdio: ['ignore', 'pipe', 'pipe'],
    // Of a group of its own with the Node that it may start: what fails here leaves neither.
    detached: true,
  })
  after(() => child.exitCode === null && child.signalCode === null && process.kill(-child.pid!, 'SIGKILL'))
  let printed = ''
  const ready = Promise.withResolvers<void>()
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      printed += chunk
      if (/Demo .*\n/.test(printed)) ready.resolve()
    })
  }
  child.once('exit', (code) => ready.reject(new Error(`it ended with ${code}: ${printed}`)))
  const late = setTimeout(() => ready.reject(new Error(`it does not start: ${printed}`)), startMsMax)
  await ready.promise.finally(() => clearTimeout(late))
  const [, url = ''] = /API +(\S+)/.exec(printed)!
  const [, ops = ''] = /Console +(\S+)/.exec(printed)!
  const [, email = '', password = ''] = /Demo +(\S+) +(.+)/.exec(printed)!
  assert.equal((await fetch(`${url}/health/ready`)).status, 200)
  for (const path of ['/console/', '/console/main.js', '/console/packages/uplot.js', '/console/packages/signals.js']) {
    assert.equal((await fetch(`${ops}${path}`)).status, 200, path)
  }

  writeFileSync(join(app, 'app.ts'), consumer)
  const options = { module: 'nodenext', target: 'esnext', lib: ['esnext', 'dom'], strict: true, types: [], skipLibCheck: false }
  writeFileSync(join(app, 'tsconfig.json'), JSON.stringify({ compilerOptions: options, files: ['app.ts'] }))
  execFileSync(join(checkout, 'node_modules/.bin/tsc'), ['-p', app], { stdio: 'pipe' })
  const said = execFileSync(process.execPath, ['app.js', url, email, password], { cwd: app, encoding: 'utf8' })
  const { refused, token, accountId } = JSON.parse(said) as { refused: string; token: string; accountId: string }
  assert.equal(refused, 'wrong-credentials')

  const upload = await fetch(`${url}/api/imports?accountId=${accountId}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/octet-stream' },
    body: readFileSync(join(installed, 'docs/examples/statement.ofx')),
  })
  assert.deepEqual([upload.status, ((await upload.json()) as { format: string }).format], [201, 'ofx'])

  const ended = once(child, 'exit') as Promise<[number | null]>
  child.kill('SIGTERM')
  assert.deepEqual(await ended, [0, null])
  assert.ok(existsSync(join(app, '.djinn')), 'its data is where it was started')
  assert.ok(!existsSync(join(app, '.djinn', 'postgresql-18', 'postmaster.pid')), 'PostgreSQL has ended')
})
