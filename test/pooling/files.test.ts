// djinn pooler: the files it writes, as PgBouncer itself reads them, and what it refuses.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { pgbouncerIni, preparedStatementsMax, userlist } from '../../src/features/pooling/files.ts'
import { keepsStatements, versionOf } from '../../src/features/pooling/version.ts'
import { declaredStatements } from '../../src/resources/statement.ts'
import { makeFeatures } from '../../src/app/features.ts'
import { cloneDatabase, withClient } from '../cluster.ts'
import { cluster } from '../harness.ts'
import { freePort, missing, poolerFolder, runPooler, type Edition } from '../pgbouncer.ts'

// All statements are declared once the features are there.
void makeFeatures

const executable = fileURLToPath(new URL('../../bin/djinn.js', import.meta.url))
const database = await cloneDatabase(await cluster())

async function pooler(args: string[], environment: Record<string, string> = {}) {
  const child = spawn(process.execPath, [executable, 'pooler', ...args], {
    // Whatever is installed on this machine is not found.
    env: { PATH: '/nowhere', DATABASE_URL: database.apiUrl, DATABASE_DIRECT_URL: database.adminUrl, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const [out, errors, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit') as Promise<[number]>])
  return { out, errors, code }
}

const example = {
  version: versionOf('1.25')!,
  target: { name: 'djinn', host: '10.0.0.2', port: 5432, database: 'djinn', tls: null, tlsAuthorityFile: null },
  listen: { host: '127.0.0.1', port: 6432 },
  userlistFile: '/etc/pgbouncer/userlist.txt',
  poolSize: 25,
  clients: 100,
}

test('the settings are those of the contract', () => {
  const settings = Object.fromEntries(
    pgbouncerIni(example)
      .split('\n')
      .filter((line) => /^\w+ = /.test(line))
      .map((line) => line.split(/ = (.*)/)),
  ) as Record<string, string>
  assert.deepEqual(settings, {
    djinn: 'host=10.0.0.2 port=5432 dbname=djinn',
    listen_addr: '127.0.0.1',
    listen_port: '6432',
    auth_type: 'scram-sha-256',
    auth_file: '/etc/pgbouncer/userlist.txt',
    pool_mode: 'transaction',
    default_pool_size: '25',
    max_client_conn: '100',
    max_prepared_statements: '500',
    server_lifetime: '3600',
    server_idle_timeout: '600',
    server_login_retry: '1',
    server_connect_timeout: '5',
    query_wait_timeout: '15',
    ignore_startup_parameters: 'extra_float_digits',
  })
})

test('every statement has room on every connection of the pooler', () => {
  assert.ok(typeof makeFeatures === 'function' && declaredStatements().size > 200, 'the features have declared them')
  assert.ok(declaredStatements().size + 20 < preparedStatementsMax, `${declaredStatements().size} statements`)
})

test('versions are read, and 1.21 is the first that keeps prepared statements', () => {
  const kept = {
    '1.20': false,
    '1.21': true,
    '1.21.0': true,
    'PgBouncer 1.26.1\nlibevent 2.1.12': true,
    '1.18.0': false,
    '2.0': true,
    '0.99': false,
  }
  for (const [said, keeps] of Object.entries(kept)) assert.equal(keepsStatements(versionOf(said)!), keeps, said)
  for (const said of ['', 'new', '1', '1.x', 'v1.21', '1.21.0.4']) assert.equal(versionOf(said), undefined, said)
})

test('names and hosts with odd letters, and TLS, are written as PgBouncer reads them', () => {
  const odd = pgbouncerIni({
    ...example,
    target: {
      ...example.target,
      name: 'a "b"',
      host: '/run/my postgres',
      database: "it's",
      tls: 'verify-full',
      tlsAuthorityFile: '/etc/ca.pem',
    },
  })
  assert.ok(odd.includes(`"a ""b""" = host='/run/my postgres' port=5432 dbname='it''s'`), odd)
  assert.match(odd, /^server_tls_sslmode = verify-full\nserver_tls_ca_file = \/etc\/ca\.pem$/m)
  assert.match(userlist([{ name: 'a"b', secret: 's' }]), /^"a""b" "s"$/m)
})

for (const [edition, version, keeps] of [
  ['current', '1.25', true],
  ['old', '1.18', false],
] as [Edition, string, boolean][]) {
  test(`PgBouncer (${edition}) runs with the files as they are`, { skip: missing(edition) }, async () => {
    const dir = poolerFolder()
    const { out, errors, code } = await pooler(['--dir', dir, '--listen', `127.0.0.1:${await freePort()}`, '--version-of', version])
    assert.equal(code, 0, errors)
    assert.equal(/DATABASE_PREPARED_STATEMENTS=off/.test(out), !keeps)
    assert.ok(!out.includes(new URL(database.apiUrl).password), 'the password is not shown')
    assert.equal(statSync(join(dir, 'userlist.txt')).mode & 0o777, 0o600)
    const list = readFileSync(join(dir, 'userlist.txt'), 'utf8')
    assert.match(list, /^"djinn_api" "SCRAM-SHA-256\$4096:/m)
    const running = await runPooler(dir, edition)
    try {
      const rows = await withClient(running.url(database.apiUrl), async (client) => (await client.query('select current_user as me')).rows)
      assert.deepEqual(rows, [{ me: 'djinn_api' }])
      const wrong = new URL(running.url(database.apiUrl))
      wrong.password = 'wrong'
      await assert.rejects(withClient(wrong.href, (client) => client.query('select 1')))
      await assert.rejects(
        withClient(running.url(database.adminUrl), (client) => client.query('select 1')),
        'only the login of the service is let in',
      )
    } finally {
      await running.close()
    }
  })
}

test('--clear-password serves where PostgreSQL shows its secrets to nobody', { skip: missing('current') }, async () => {
  const dir = poolerFolder()
  const listen = ['--listen', `127.0.0.1:${await freePort()}`, '--version-of', '1.25', '--dir', dir]
  const plain = { DATABASE_DIRECT_URL: database.apiUrl }
  const refused = await pooler(listen, plain)
  assert.deepEqual([refused.out, refused.code, existsSync(join(dir, 'pgbouncer.ini'))], ['', 1, false])
  assert.match(refused.errors, /^djinn: djinn_api may not read the secrets of logins: [^\n]*--clear-password\n$/)
  assert.equal((await pooler([...listen, '--clear-password'], plain)).code, 0)
  const running = await runPooler(dir, 'current')
  try {
    await withClient(running.url(database.apiUrl), (client) => client.query('select 1'))
  } finally {
    await running.close()
  }
})

test('what somebody wrote is set aside, what was written before is written anew', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'djinn-pooler-files-'))
  try {
    writeFileSync(join(dir, 'pgbouncer.ini'), '[pgbouncer]\n')
    writeFileSync(join(dir, 'userlist.txt'), '"a" "b"\n')
    chmodSync(join(dir, 'userlist.txt'), 0o644)
    const first = await pooler(['--dir', dir, '--version-of', '1.25', '--json'])
    const report = JSON.parse(first.out) as Record<string, unknown>
    assert.deepEqual(report['setAside'], [join(dir, 'userlist.txt.before'), join(dir, 'pgbouncer.ini.before')])
    assert.equal(report['databaseUrl'], `postgres://djinn_api:...@127.0.0.1:6432/${database.name}`)
    assert.equal(readFileSync(join(dir, 'pgbouncer.ini.before'), 'utf8'), '[pgbouncer]\n')
    assert.equal(statSync(join(dir, 'userlist.txt')).mode & 0o777, 0o600)
    const second = await pooler(['--dir', dir, '--version-of', '1.25', '--pool-size', '10', '--clients', '60', '--json'])
    assert.deepEqual((JSON.parse(second.out) as Record<string, unknown>)['setAside'], [])
    assert.match(readFileSync(join(dir, 'pgbouncer.ini'), 'utf8'), /^default_pool_size = 10\n[^]*^max_client_conn = 60$/m)
    assert.equal(readFileSync(join(dir, 'pgbouncer.ini.before'), 'utf8'), '[pgbouncer]\n')
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
})

test('what cannot be is one clear line', async () => {
  const direct = new URL(database.adminUrl)
  const cases: [string[], Record<string, string>, RegExp][] = [
    [['--pool-size', '0'], {}, /--pool-size must be a whole number from 1 to 1000, not "0"/],
    [['--clients', '10'], {}, /--clients \(10\) must not be fewer than --pool-size \(25\)/],
    [['--listen', '6432'], {}, /--listen must be an address and a port such as 127\.0\.0\.1:6432, not "6432"/],
    [['--version-of', 'new'], {}, /--version-of must be a version such as 1\.25, not "new"/],
    [[], { DATABASE_URL: '', DATABASE_DIRECT_URL: '' }, /DATABASE_URL is not set: the embedded PostgreSQL needs no pooler/],
    [['--listen', `127.0.0.1:${direct.port}`], {}, /where PgBouncer listens: it must name PostgreSQL itself/],
  ]
  for (const [args, environment, expected] of cases) {
    const { out, errors, code } = await pooler(['--dir', '/nowhere/at/all', '--version-of', '1.25', ...args], environment)
    assert.deepEqual([out, code, errors.split('\n').length], ['', 1, 2], errors)
    assert.match(errors, expected)
  }
})
