// The configuration is checked whole before anything is opened: a bad value is one line naming its variable, and exit 78.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { ConfigError, readConfig, type Environment } from '../src/resources/config.ts'

const folder = mkdtempSync(join(tmpdir(), 'djinn-config-'))
after(() => rmSync(folder, { recursive: true }))
const file = (name: string, content: string) => {
  writeFileSync(join(folder, name), content)
  return join(folder, name)
}

const exitConfig = 78
const url = 'postgres://djinn_api:turnip-lantern-gravel@127.0.0.1:1/djinn'
const mail = { SMTP_URL: 'smtp://127.0.0.1:25', MAIL_FROM: 'djinn@example.org', APP_URL: 'https://app.example.org' }

/** Each variable with values that cannot be used; what else must be set for the value to matter stands beside it. */
const bad: [variable: string, values: string[], beside?: Environment][] = [
  ['NODE_ENV', ['prod', 'Production']],
  ['HOST', ['not a host', '-x', '1.2.3.4:80', 'http://x']],
  ['PORT', ['-1', '65536', '80a', '8080.5', '1e3', ' ']],
  ['OPS_HOST', ['not a host']],
  ['DRAIN_SECONDS', ['61', '-1', '2s']],
  ['OPS_PORT', ['65536', 'x']],
  ['OPS_PORT', ['8080'], { PORT: '8080' }],
  ['OPS_PASSWORD', ['short', 'elevenchars', 'password-of-the-console', 'changeme-please']],
  ['OPS_PASSWORD', [''], { OPS_SIGN_IN: 'always' }],
  ['OPS_PASSWORD', [''], { OPS_URL: 'https://ops.example.org' }],
  ['OPS_SIGN_IN', ['never', 'ALWAYS']],
  ['OPS_URL', ['ops.example.org', 'ftp://ops', 'https://ops.example.org/console'], { OPS_PASSWORD: 'turnip-lantern-gravel' }],
  ['BACKUP_FOLDER', [file('taken', 'x'), join(folder, 'taken', 'below')]],
  ['BACKUP_KEY_FILE', [join(folder, 'absent'), file('short.key', 'short'), file('guessable.key', 'a'.repeat(64))]],
  ['DJINN_DATA_DIR', [file('plain', 'x'), join(folder, 'plain', 'below')]],
  ['DATABASE_URL', ['mysql://x/y', 'nonsense', 'postgres://host', 'postgres://host/', 'postgres://u:100%@host/db', 'http://host/db']],
  ['DATABASE_DIRECT_URL', ['nonsense', 'postgres://host'], { DATABASE_URL: url }],
  ['DATABASE_PREPARED_STATEMENTS', ['yes', 'ON']],
  ['REDIS_URL', ['http://host', 'nonsense', 'redis://', 'redis://host/cache', 'redis://:100%@host', '127.0.0.1:6379']],
  [
    'DATABASE_REPLICA_URLS',
    [
      'nonsense',
      `${url},`,
      url,
      'postgres://u@h/djinn,postgres://v@h:5432/djinn',
      Array.from({ length: 9 }, (_, index) => `postgres://u@h${index}/djinn`).join(),
    ],
    { DATABASE_URL: url },
  ],
  ['TRUSTED_PROXIES', ['nobody', '10.0.0.0/33', '10.0.0.1,', '::1/129', '10.0.0.1/x', '10.0.0']],
  ['SECRETS_KEY', ['short', 'a'.repeat(64)]],
  ['RATE_LIMIT_ANONYMOUS', ['0', '-1', 'many', '1000001']],
  ['RATE_LIMIT_AUTHENTICATED', ['0', '1.5']],
  ['RATE_LIMIT_PREMIUM', ['0', 'NaN']],
  ['RATE_LIMIT_LOGIN', ['0', 'Infinity']],
  ['SMTP_URL', ['http://mail', 'mail.example.org', 'smtp://'], { MAIL_FROM: mail.MAIL_FROM, APP_URL: mail.APP_URL }],
  ['MAIL_FROM', ['nobody', 'a@example.org\r\nBcc: b@example.org', ''], { SMTP_URL: mail.SMTP_URL, APP_URL: mail.APP_URL }],
  ['APP_URL', ['app', 'ftp://app', 'javascript:alert(1)', ''], { SMTP_URL: mail.SMTP_URL, MAIL_FROM: mail.MAIL_FROM }],
  ['FCM_SERVICE_ACCOUNT', ['{}', 'fcm.json', '{"type": "service_account"}']],
  ['FCM_URL', ['fcm.googleapis.com', 'ftp://fcm']],
  [
    'RATES_URL',
    [
      'rates.xml',
      'http://rates.example.org/x',
      'ftp://127.0.0.1/x',
      'https://user:pass@rates.example.org/x',
      'file:///etc/passwd',
      'http://127.0.0.1.example.org/',
    ],
  ],
  ['WORKER', ['no', 'ON']],
  ['SHEDDING', ['no', 'ON']],
  ['LOG_LEVEL', ['loud\nand clear', 'INFO']],
]

let started = 0

async function serve(environment: Environment) {
  const dataDir = join(folder, `never-made-${++started}`)
  const child = spawn(process.execPath, [fileURLToPath(new URL('../bin/djinn.js', import.meta.url)), 'serve'], {
    env: { PATH: process.env['PATH'], DJINN_DATA_DIR: dataDir, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    // One that is not refused would serve for ever.
    timeout: 20_000,
  })
  const [out, errors, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit') as Promise<[number]>])
  assert.equal(existsSync(dataDir), false, 'nothing was opened')
  return { out, errors, code }
}

/** The variable that the configuration refuses; null when it takes all. */
function refused(environment: Environment): string | null {
  try {
    readConfig(environment)
    return null
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error))
    assert.doesNotMatch(error.message, /\n/)
    return error.variable
  }
}

test('every bad value of every variable is refused by the name of its variable', () => {
  for (const [variable, values, beside = {}] of bad) {
    for (const value of values) assert.equal(refused({ ...beside, [variable]: value }), variable, `${variable}=${value}`)
  }
})

test('each variable that is read has a bad value here', () => {
  const source = readFileSync(new URL('../src/resources/config.ts', import.meta.url), 'utf8')
  const read = new Set([...source.matchAll(/'([A-Z]+(?:_[A-Z]+)*)'/g)].map((found) => found[1]!))
  assert.deepEqual([...read].toSorted(), [...new Set(bad.map(([variable]) => variable))].toSorted())
})

test('serve answers a bad value with exactly one line on stderr and exit 78, and opens nothing', async () => {
  const waiting = bad.map(([variable, [value], beside]) => ({ variable, environment: { ...beside, [variable]: value } }))
  const work = async () => {
    for (let next = waiting.pop(); next; next = waiting.pop()) {
      const { out, errors, code } = await serve(next.environment)
      assert.deepEqual([code, out], [exitConfig, ''], `${next.variable}: ${errors}`)
      assert.match(errors, new RegExp(`^djinn: ${next.variable}: [^\\n]+\\n$`))
    }
  }
  await Promise.all([work(), work()])
})

test('any variable may come from a file, whose end of line is not part of it', () => {
  const config = readConfig({ DATABASE_URL_FILE: file('url', `${url}\n`), PORT_FILE: file('port', '8123\r\n') })
  assert.deepEqual([config.databaseUrl, config.databaseDirectUrl, config.port], [url, url, 8123])
})

test('a file that is missing or empty, or set beside its variable, is refused', () => {
  assert.equal(refused({ DATABASE_URL_FILE: join(folder, 'missing') }), 'DATABASE_URL_FILE')
  assert.equal(refused({ DATABASE_URL_FILE: folder }), 'DATABASE_URL_FILE')
  assert.equal(refused({ DATABASE_URL_FILE: file('empty', '\n') }), 'DATABASE_URL_FILE')
  assert.equal(refused({ DATABASE_URL_FILE: file('same', url), DATABASE_URL: url }), 'DATABASE_URL')
  assert.equal(refused({ DATABASE_URL_FILE: file('bad', 'nonsense') }), 'DATABASE_URL')
})

test('production refuses a default or short password of the database, wherever it stands', () => {
  const production = { NODE_ENV: 'production' }
  const weak = ['short', 'postgres', 'password1234567', 'djinn-djinn-djinn', 'changeme-changeme', 'Secret-secret-secret']
  for (const password of weak) {
    const weakUrl = `postgres://djinn_api:${password}@127.0.0.1:1/djinn`
    assert.equal(refused({ ...production, DATABASE_URL: weakUrl }), 'DATABASE_URL', password)
    assert.equal(refused({ ...production, DATABASE_URL: url, DATABASE_DIRECT_URL: weakUrl }), 'DATABASE_DIRECT_URL', password)
    assert.equal(refused({ ...production, DATABASE_URL_FILE: file('weak', weakUrl) }), 'DATABASE_URL', password)
    assert.equal(refused({ ...production, DATABASE_URL: `postgres://127.0.0.1:1/djinn?password=${password}` }), 'DATABASE_URL', password)
    assert.equal(refused({ DATABASE_URL: weakUrl }), null, 'elsewhere it is the developer’s own')
  }
  assert.equal(refused({ ...production, REDIS_URL: 'redis://:secret@10.0.0.2' }), 'REDIS_URL')
  for (const redis of ['redis://127.0.0.1', 'redis://:fe0cbb1d58a9@10.0.0.2:6379/1'])
    assert.equal(refused({ ...production, REDIS_URL: redis }), null)
  assert.equal(refused({ ...production, DATABASE_URL: url }), null)
  assert.equal(refused({ ...production, DATABASE_URL: 'postgres://djinn_api@127.0.0.1:1/djinn' }), null)
})

test('a refusal never shows the password', async () => {
  const { code, errors } = await serve({ NODE_ENV: 'production', DATABASE_URL: 'postgres://djinn_api:tiny-canary@127.0.0.1:1/djinn' })
  assert.equal(code, exitConfig)
  assert.doesNotMatch(errors, /tiny-canary/)
})

test('what is not set has the documented defaults, and good values are taken', () => {
  const standard = readConfig({})
  assert.deepEqual(
    [standard.host, standard.port, standard.opsHost, standard.opsPort, standard.databaseUrl],
    ['127.0.0.1', 8080, '127.0.0.1', 9464, undefined],
  )
  assert.deepEqual(standard.rate, { anonymous: 10, authenticated: 100, premium: 1_000, login: 10 })
  assert.equal(refused({ HOST: '::1', OPS_HOST: 'localhost', PORT: '0', OPS_PORT: '0', TRUSTED_PROXIES: '10.0.0.0/8, ::1' }), null)
  assert.equal(refused({ ...mail, MAIL_FROM: 'Djinn at home <djinn@example.org>' }), null)
  assert.equal(refused({ DATABASE_URL: 'postgres://u:p%40ss@[::1]:5432/db?sslmode=require', DJINN_DATA_DIR: folder }), null)
})
