// What `npm pack` makes: a package that serves where nothing else of the project is, types for those who import its client, and what deploy.sh deploys.
// Packing, unpacking, serving and compiling are real; the dependencies are linked from this checkout in place of a download.
import assert from 'node:assert/strict'
import { execFile, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, test } from 'node:test'
import { openEmbedded } from '../../src/resources/embedded.ts'
import { databaseUrl, withClient } from '../cluster.ts'
import { freePort } from '../pgbouncer.ts'
import { checkout, install, linkDependencies, machinePath, manifest, pack, repack } from './package.ts'
import { openSupervisor, visit } from './supervisor.ts'

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

test('deploy.sh: from nothing, a new release without an unanswered call, a release that fails and is taken back', async () => {
  const root = join(folder, 'server')
  const postgres = await openEmbedded({ dataDir: join(folder, 'postgres'), settings: { fsync: 'off', synchronous_commit: 'off' } })
  const login = (user: string) => databaseUrl(postgres.adminUrl, 'djinn').replace(/\/\/[^@]*@/, `//${user}:turnip-lantern-gravel@`)
  const environment = {
    NODE_ENV: 'production',
    DATABASE_URL: login('djinn_api'),
    DATABASE_DIRECT_URL: login('djinn_owner'),
    RATE_LIMIT_ANONYMOUS: '1000000',
    WORKER: 'off',
  }
  const supervisor = await openSupervisor(root, environment)
  try {
    await withClient(databaseUrl(postgres.adminUrl, 'postgres'), async (client) => {
      // The embedded server has one of this name; a server of somebody's own has none.
      await client.query('drop database djinn')
      const roles = readFileSync(join(installed, 'deploy/postgresql/roles.sql'), 'utf8')
      for (const each of roles
        .replaceAll(/^--.*$/gm, '')
        .replaceAll(/:'\w+'/g, `'turnip-lantern-gravel'`)
        .split(';'))
        await client.query(each)
    })
    const ports = [String(await freePort()), String(await freePort())]
    // In place of the registry: what npm ci would bring.
    const brought = join(folder, 'brought')
    linkDependencies(join(brought, 'node_modules'))
    mkdirSync(join(brought, 'node_modules/.bin'))
    symlinkSync(process.execPath, join(brought, 'node_modules/.bin/node'))
    const options = ['--root', root, '--ports', ports.join(' '), '--settle', '0', '--ready', '30', '--restart', supervisor.restart]
    options.push('--install', `cp -a ${brought}/node_modules .`, '--worker', 'true')
    options.push('--migrate', '{release}/node_modules/.bin/node {release}/bin/djinn.js migrate')
    const deploy = async (...args: string[]) =>
      await new Promise<{ code: number; said: string }>((resolve) => {
        execFile(
          join(checkout, 'deploy/deploy.sh'),
          [...options, ...args],
          { env: { PATH: machinePath, ...environment } },
          (error, out, errors) => resolve({ code: error ? Number(error.code) : 0, said: `${out}${errors}` }),
        )
      })
    const current = () => readlinkSync(join(root, 'current'))
    const versions = async () => {
      const answers = ports.map(async (port) => await (await fetch(`http://127.0.0.1:${port}/health`)).json())
      return (await Promise.all(answers)).map((answer) => (answer as { version: string }).version)
    }
    const migrations = async () =>
      await withClient(environment.DATABASE_DIRECT_URL, async (client) => {
        const { rows } = await client.query<{ name: string }>(`select name from migrations where name like '9%' order by name`)
        return rows.map(({ name }) => name)
      })

    const dry = await deploy('--dry-run', file)
    assert.deepEqual([dry.code, existsSync(root)], [0, false], dry.said)
    const first = await deploy(file)
    assert.equal(first.code, 0, first.said)
    assert.deepEqual([current(), await versions()], [`releases/${manifest.version}`, [manifest.version, manifest.version]])
    assert.deepEqual(supervisor.restarted.splice(0), ports, 'one after another, in the order of the ports')
    assert.equal((await deploy(file)).code, 1, 'it is in service already')

    const stand = join(folder, 'ssh')
    writeFileSync(stand, '#!/bin/sh\nshift\nexec sh -c "$*"\n')
    chmodSync(stand, 0o755)
    const second = repack(file, '1.0.1', (unpacked) => {
      writeFileSync(join(unpacked, 'migrations/9001_expand.sql'), '-- Why: a release brings a table.\ncreate table expanded (id int);\n')
    })
    // A second deployment in the middle of the first.
    const third = repack(file, '1.0.9')
    const beside: { code: number; said: string }[] = []
    supervisor.seen.onRestart = async () => void beside.push(await deploy(third))
    const leave = visit(ports)
    const rolled = await deploy('--to', 'server', '--ssh', stand, second)
    const visits = await leave()
    delete supervisor.seen.onRestart
    assert.equal(rolled.code, 0, rolled.said)
    assert.match(rolled.said, /its dependencies are those of/)
    assert.deepEqual([current(), await versions(), await migrations()], ['releases/1.0.1', ['1.0.1', '1.0.1'], ['9001_expand.sql']])
    assert.equal(visits.unanswered, 0)
    assert.ok(visits.answered > 20, `${visits.answered} calls were answered meanwhile`)
    assert.deepEqual(
      beside.map(({ code, said }) => [code, said.includes('another deployment is under way')]),
      [
        [1, true],
        [1, true],
      ],
    )
    supervisor.restarted.length = 0

    const bad = repack(second, '1.0.2', (unpacked) => {
      writeFileSync(join(unpacked, 'migrations/9002_more.sql'), '-- Why: what is expanded stays.\ncreate table more (id int);\n')
      writeFileSync(
        join(unpacked, 'dist/commands/serving.js'),
        'export async function serve() {\n  throw new Error("it cannot serve")\n}\n',
      )
    })
    const failed = await deploy('--ready', '2', bad)
    assert.equal(failed.code, 1, failed.said)
    assert.match(failed.said, /going back to 1\.0\.1[^]*1\.0\.1 is in service again/)
    assert.deepEqual([current(), await versions()], ['releases/1.0.1', ['1.0.1', '1.0.1']])
    assert.deepEqual(supervisor.restarted.splice(0), [ports[0], ports[0]], 'the second process never left the release before')
    assert.deepEqual(await migrations(), ['9001_expand.sql', '9002_more.sql'])

    const broken = repack(file, '1.0.3', (unpacked) => {
      writeFileSync(join(unpacked, 'migrations/9003_wrong.sql'), '-- Why: no statement.\nselect nothing from nowhere;\n')
    })
    const stopped = await deploy(broken)
    assert.equal(stopped.code, 1, stopped.said)
    assert.deepEqual([current(), supervisor.restarted.length], ['releases/1.0.1', 0], 'nothing was switched')
    const other = repack(file, '1.0.2', (unpacked) => writeFileSync(join(unpacked, 'README.md'), 'another'))
    assert.match((await deploy(other)).said, /raise the version/)
    assert.deepEqual(
      readdirSync(join(root, 'releases')).filter((name) => name.startsWith('.')),
      [],
      'nothing half-made',
    )
  } finally {
    await supervisor.close()
    await postgres.stop()
  }
})
