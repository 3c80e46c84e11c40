// djinn user: what an operator does with people's accounts, and what the people notice of it.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { open, type Person } from './harness.ts'
import { enableSecondFactor } from './routes/authenticator.ts'

const djinn = await open()
after(() => djinn.close())

async function user(...args: string[]) {
  const child = spawn(process.execPath, [fileURLToPath(new URL('../bin/djinn.js', import.meta.url)), 'user', ...args], {
    env: { PATH: process.env['PATH'], DATABASE_URL: djinn.adminUrl, LOG_LEVEL: 'silent' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const [out, errors, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit') as Promise<[number]>])
  return { out: out.trim(), errors: errors.trim(), code }
}

const login = (person: Person) => djinn.call('POST', '/api/auth/login', { body: { email: person.email, password: person.password } })

test('list names everyone with tier, sessions and second factor, in the order of sign-up, and nothing secret', async () => {
  const ana = await djinn.person()
  const ben = await djinn.person()
  await enableSecondFactor(ben)
  assert.equal((await login(ana)).status, 200)
  const { out, code } = await user('list', '--json')
  assert.equal(code, 0)
  const { users } = JSON.parse(out) as { users: Record<string, unknown>[] }
  const facts = { displayName: '', tier: 'standard' }
  const [hers, his] = users
  assert.equal(users.length, 2)
  assert.deepEqual(hers, { id: ana.userId, email: ana.email, ...facts, secondFactor: false, sessions: 2, createdAt: hers!['createdAt'] })
  assert.deepEqual(his, { id: ben.userId, email: ben.email, ...facts, secondFactor: true, sessions: 1, createdAt: his!['createdAt'] })
  const lines = (await user('list')).out.split('\n')
  assert.match(lines[0]!, new RegExp(`^${ana.email}  \\d{4}-\\d\\d-\\d\\d  standard  2 sessions$`))
  assert.match(lines[1]!, new RegExp(`^${ben.email}  \\d{4}-\\d\\d-\\d\\d  standard  1 session  second factor$`))
})

test('an address reaches the terminal without its control characters', async () => {
  const ana = await djinn.person()
  await djinn.sql(`update users set email = 'a' || chr(27) || '[2J@example.org' where id = $1`, [ana.userId])
  assert.match((await user('list')).out, /^a\?\[2J@example\.org /m)
})

test('recovery-link makes a link that sets a new password once, where nobody is mailed', async () => {
  const ana = await djinn.person()
  assert.equal((await djinn.call('POST', '/api/auth/recovery', { body: { email: ana.email } })).status, 202)
  const { out, code } = await user('recovery-link', ana.email, '--json')
  assert.equal(code, 0)
  const [, token] = /\/recover#token=(.+)$/.exec((JSON.parse(out) as { link: string }).link) ?? []
  const newPassword = 'glacier pinwheel 6072 tundra'
  const confirm = () => djinn.call('POST', '/api/auth/recovery/confirm', { body: { token, newPassword } })
  assert.equal((await confirm()).status, 204)
  assert.equal((await confirm()).body.code, 'link-expired')
  assert.equal((await djinn.call('POST', '/api/auth/login', { body: { email: ana.email, password: newPassword } })).status, 200)
  assert.match((await user('recovery-link', 'nobody@example.org')).errors, /There is no user/)
})

test('disable-second-factor lets the password alone sign in again', async () => {
  const ana = await djinn.person()
  await enableSecondFactor(ana)
  assert.equal((await login(ana)).body.code, 'second-factor-required')
  assert.deepEqual(await user('disable-second-factor', ana.email.toUpperCase()), {
    out: `The second factor of ${ana.email.toUpperCase()} is off.`,
    errors: '',
    code: 0,
  })
  assert.equal((await login(ana)).status, 200)
  assert.deepEqual(JSON.parse((await user('disable-second-factor', ana.email, '--json')).out), { email: ana.email, disabled: false })
})

test('sign-out ends every session on the serving process, and the password still signs in', async () => {
  const ana = await djinn.person()
  assert.equal((await ana.get('/api/me')).status, 200)
  assert.equal((await user('sign-out', ana.email)).out, `1 session of ${ana.email} ended.`)
  const until = performance.now() + 5_000
  while ((await ana.get('/api/me')).status !== 401) assert.ok(performance.now() < until, 'the session goes on')
  assert.equal((await login(ana)).status, 200)
})

test('tier changes the limit of a session that is open', async () => {
  const ana = await djinn.person()
  assert.match((await ana.get('/api/me')).headers['ratelimit-policy']!, /"authenticated"/)
  assert.equal((await user('tier', ana.email, 'premium')).out, `${ana.email} is premium now.`)
  const until = performance.now() + 5_000
  while (!(await ana.get('/api/me')).headers['ratelimit-policy']!.includes('"premium"')) assert.ok(performance.now() < until)
  assert.equal((await ana.get('/api/me')).body.tier, 'premium')
  assert.deepEqual(JSON.parse((await user('tier', ana.email, 'premium', '--json')).out), {
    email: ana.email,
    tier: 'premium',
    changed: false,
  })
})

test('an unknown address, tier or verb is one clear line and a failure', async () => {
  for (const args of [['disable-second-factor'], ['tier', 'premium']]) {
    const [verb = '', ...rest] = args
    const { out, errors, code } = await user(verb, 'nobody@example.org', ...rest)
    assert.deepEqual([out, errors, code], ['', 'djinn: There is no user with the address nobody@example.org.', 1])
  }
  const tier = await user('tier', 'nobody@example.org', 'gold')
  assert.equal(tier.code, 1)
  assert.match(tier.errors, /'gold' is invalid.*standard, premium/)
})

test('there is help with an example', async () => {
  for (const args of [[], ['tier']]) {
    const { out, code } = await user(...args, '--help')
    assert.equal(code, 0)
    assert.match(out, /Example:\n {2}djinn user /)
  }
})
