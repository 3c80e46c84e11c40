// The log: what it tells of requests and statements, and what it never tells.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { Failure } from '../../src/values/failure.ts'
import { limits } from '../../src/values/limits.ts'
import { SlowStatements } from '../../src/features/watching/slow-statements.ts'
import { makeObserve } from '../../src/http/observe.ts'
import type { Operation } from '../../src/http/operation.ts'
import { makeLog, scrub } from '../../src/resources/log.ts'
import { Metrics } from '../../src/resources/metrics.ts'
import { withClient } from '../cluster.ts'
import { open, type Djinn, type Person } from '../harness.ts'
import { enableSecondFactor } from '../routes/authenticator.ts'
import { makeFeed, row, send, signedHeaders } from '../routes/feed-pushes.ts'
import { openMailbox } from '../routes/mailbox.ts'

type Line = Record<string, unknown> & { level: string; msg: string; requestId?: string }
const linesOf = (lines: string[]) => lines.map((line) => JSON.parse(line) as Line)

const password = 'walnut ferry 3958 amber socket'
const fcmToken = () => `${randomBytes(16).toString('base64url')}:APA91b${randomBytes(100).toString('base64url')}`

/** Signs in and out in every way there is, with every secret there is; answers the secrets. */
async function everySecret(djinn: Djinn, name: string): Promise<Set<string>> {
  const secrets = new Set<string>([password])
  const keep = (...texts: (string | undefined)[]) => texts.forEach((each) => each && secrets.add(each))
  const call = async (path: string, body: unknown, headers: Record<string, string> = {}, method = 'POST') => {
    const answer = await djinn.call(method, path, { body, headers })
    keep(answer.body?.accessToken, answer.body?.refreshToken, answer.body?.secret)
    return answer
  }
  const email = `${name}.o'neil+bank@sub.example.org`
  keep(email, 'wrong horse 4711 battery')
  const { body: signedUp } = await call('/api/auth/register', { email, password })
  await call('/api/auth/register', { email, password })
  await call('/api/auth/register/confirm', { token: 'x'.repeat(43), password })
  await call('/api/auth/login', { email, password: 'wrong horse 4711 battery' })
  const { body: signedIn } = await call('/api/auth/login', { email, password })
  const { body: refreshed } = await call('/api/auth/refresh', { refreshToken: signedIn.refreshToken ?? 'r'.repeat(43) })
  await call('/api/auth/recovery', { email })
  await call('/api/auth/recovery/confirm', { token: 'y'.repeat(43), newPassword: password })
  keep('x'.repeat(43), 'y'.repeat(43), 'r'.repeat(43))
  const bearer = (token: string | undefined) => ({
    authorization: `Bearer ${token ?? 'z'.repeat(43)}`,
    cookie: `session=${'c'.repeat(43)}`,
  })
  keep('c'.repeat(43), 'z'.repeat(43))
  const inside = bearer(refreshed.accessToken ?? signedUp.accessToken)
  await call('/api/me', undefined, inside, 'GET')
  await call('/api/me', undefined, { authorization: `Basic ${Buffer.from(`${email}:${password}`).toString('base64')}` }, 'GET')
  keep(Buffer.from(`${email}:${password}`).toString('base64'))
  const newPassword = 'glacier pinwheel 6072 tundra'
  keep(newPassword)
  await call('/api/auth/password', { password, newPassword, currentPassword: password }, inside)
  for (const pushToken of [fcmToken(), fcmToken()]) {
    keep(pushToken, pushToken.split(':')[1])
    await call('/api/devices', { platform: 'android', pushToken }, inside)
  }
  const { body: begun } = await call('/api/me/second-factor', { password: newPassword }, inside)
  keep(begun.uri, begun.secret)
  await call('/api/me/second-factor/confirm', { code: '918273' }, inside)
  await call('/api/me/second-factor/recovery-codes', { password: newPassword, totp: '918273' }, inside)
  keep('918273')
  await call(`/api/households/${signedUp.household?.id}/invitations`, { role: 'editor', email: `guest.${email}` }, inside)
  keep(`guest.${email}`)
  await call('/api/invitations/accept', { token: 'i'.repeat(43) }, { ...inside, 'idempotency-key': 'k'.repeat(43) })
  keep('i'.repeat(43), 'k'.repeat(43))
  await call('/api/auth/logout', {}, inside)
  return secrets
}

/** Secrets of people who signed in well: a second factor, a feed. */
async function secretsOf(djinn: Djinn, person: Person): Promise<Set<string>> {
  const secrets = new Set([person.email, person.accessToken, person.refreshToken, person.password])
  const { recoveryCodes } = await enableSecondFactor(person)
  for (const code of recoveryCodes) secrets.add(code)
  await djinn.call('POST', '/api/auth/login', { body: { email: person.email, password: person.password, totp: recoveryCodes[0] } })
  const feed = await makeFeed(person, await person.account())
  const body = { transactions: [row('one')] }
  secrets.add(feed.secret).add(signedHeaders(feed, JSON.stringify(body))['djinn-signature'])
  await send(djinn, feed, body)
  await send(djinn, { ...feed, secret: 'w'.repeat(43) }, body)
  return secrets.add('w'.repeat(43))
}

function assertSilent(lines: readonly string[], secrets: Iterable<string>) {
  for (const secret of secrets) {
    const found = lines.find((line) => line.includes(secret) || line.includes(JSON.stringify(secret).slice(1, -1)))
    assert.equal(found, undefined, `the log tells ${secret}`)
  }
}

test('no secret and no address comes into the log, of no operation, at the level that tells most', async () => {
  const lines: string[] = []
  await using djinn = await open({ LOG_LEVEL: 'debug' }, (line) => lines.push(line))
  const person = await djinn.person()
  const secrets = (await everySecret(djinn, 'ana')).union(await secretsOf(djinn, person))
  assert.ok(secrets.size > 40)
  const operations = new Set(linesOf(lines).map((line) => line['operation']))
  const called = djinn.api.operations.filter(
    ({ tag, name }) => tag === 'Identity' || name.startsWith('devices.create') || name === 'feeds.push',
  )
  for (const { name } of called) assert.ok(operations.has(name), `${name} was called`)
  assertSilent(lines, secrets)
  assert.ok(
    linesOf(lines).some((line) => line.msg.includes('djinn user recovery-link')),
    'without mail the operator makes the link',
  )
})

test('not even when the database puts the whole row into its error', async () => {
  const lines: string[] = []
  await using djinn = await open({ LOG_LEVEL: 'debug' }, (line) => lines.push(line))
  const person = await djinn.person()
  await djinn.sql(
    `create function tell_all() returns trigger language plpgsql as $$ begin raise exception 'cannot write %', to_jsonb(new)::text; end $$`,
  )
  for (const table of [
    'users',
    'sessions',
    'refresh_tokens',
    'email_requests',
    'devices',
    'second_factors',
    'feed_keys',
    'invitations',
    'invitation_tokens',
  ]) {
    await djinn.sql(`create trigger tell_all before insert or update on ${table} for each row execute function tell_all()`)
  }
  const secrets = await everySecret(djinn, 'ben')
  const pushToken = fcmToken()
  assert.equal((await person.post('/api/devices', { platform: 'ios', pushToken })).status, 500)
  const accountId = await person.account()
  assert.equal((await person.post('/api/feeds', { accountId, name: 'Bank' })).status, 500)
  assert.ok(linesOf(lines).filter(({ level }) => level === 'error').length >= 3)
  assertSilent(lines, secrets.add(pushToken).add(pushToken.split(':')[1]!).add(person.email))
})

test('nor when a mail server says whom it does not want', async () => {
  const lines: string[] = []
  const mailbox = await openMailbox()
  await using djinn = await open(
    { LOG_LEVEL: 'debug', SMTP_URL: mailbox.url, MAIL_FROM: 'djinn@example.org', APP_URL: 'https://app.example.org' },
    (line) => lines.push(line),
  )
  const email = 'carla@example.org'
  mailbox.busy = true
  const putOff = mailbox.puttingOff()
  await djinn.call('POST', '/api/auth/register', { body: { email, password } })
  await putOff
  mailbox.busy = false
  mailbox.refused.add('dora@example.org')
  await djinn.call('POST', '/api/auth/register', { body: { email: 'dora@example.org', password } })
  const { token } = await mailbox.letter(email)
  await djinn.close()
  await mailbox.close()
  assert.ok(lines.some((line) => line.includes('waits for the next try')))
  assertSilent(lines, [email, 'dora@example.org', password, token!])
})

test('what is taken out is taken out of any text, and what helps stays', () => {
  const clean = (text: string) => JSON.parse(scrub(JSON.stringify({ msg: text }))).msg as string
  const secret = randomBytes(32).toString('base64url')
  for (const text of [
    `connect postgres://djinn_api:${secret}@db:5432/djinn failed`,
    `Authorization: Bearer ${secret}`,
    `got {"password":"a \\"quoted\\" one","x":1}`,
    `mail to <ana.o'neil@example.org> refused`,
    `GET /x?email=ana%40example.org&token=${secret}`,
    `Key (email)=(ana@example.org) exists`,
    `müller@bücher.example says 7K3M-Q9ZD-0F4T-XW2H`,
    `$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ/+c2FsdA$aGFzaA/+aGFzaA`,
  ]) {
    const cleaned = clean(text)
    for (const told of [secret, 'quoted', 'ana', 'neil', 'müller', '7K3M', 'c2FsdA']) assert.ok(!cleaned.includes(told), cleaned)
  }
  for (const text of [
    'the file /srv/djinn/node_modules/@prometheus-io/client/lib/metricAggregators.js:120:7',
    'request 0190a000-1234-7000-8000-00000000abcd of transactions.list took 512 ms',
    'at Database.write (file:///srv/djinn/src/resources/database.ts:212:14)',
    'duplicate key value violates unique constraint "transactions_by_external_id"',
  ]) {
    assert.equal(clean(text), text)
  }
})

const idle = { connections: () => 0, streams: () => 0, pool: () => ({ total: 0, idle: 0, waiting: 0 }) }

test('a request has a line when it was slow or failed, and otherwise only for who debugs', () => {
  const lines: string[] = []
  let nowMs = 10_000
  const observe = makeObserve(
    new Metrics(idle),
    makeLog('info', (line) => lines.push(line)),
    () => nowMs,
  )
  const operation = { name: 'accounts.list' } as Operation
  const finish = (durationMs: number, status = 200, refusal?: Failure, error?: unknown) =>
    observe(operation, { requestId: 'r1', status, startedMs: nowMs - durationMs, ...(refusal ? { refusal, error } : {}) })
  finish(3)
  finish(limits.slowRequestMs)
  finish(2, 404, new Failure('not-found', 'There is none.'))
  assert.equal(lines.length, 0)
  finish(limits.slowRequestMs + 1)
  finish(2, 503, new Failure('unavailable', 'Too many requests wait for the database.'))
  finish(2, 500, new Failure('internal', 'Something went wrong.'), new TypeError('x is not a function'))
  const [slow, failed, bug] = linesOf(lines)
  const { time: _, ...told } = slow!
  assert.deepEqual(told, {
    level: 'info',
    requestId: 'r1',
    operation: 'accounts.list',
    status: 200,
    durationMs: 501,
    msg: 'a slow request',
  })
  assert.deepEqual([failed!.level, failed!.msg, failed!['code']], ['warn', 'Too many requests wait for the database.', 'unavailable'])
  assert.equal(bug!.level, 'error')
  assert.match(JSON.stringify(bug!['err']), /TypeError.*x is not a function.*log\.test\.ts/)
  const debugged: string[] = []
  makeObserve(
    new Metrics(idle),
    makeLog('debug', (line) => debugged.push(line)),
  )(operation, { requestId: 'r2', status: 200, startedMs: 0 })
  assert.equal(linesOf(debugged)[0]?.requestId, 'r2')
  nowMs += 1_000
})

test('an outage does not fill the disk: so many lines a second, and then how many were left out', () => {
  const lines: string[] = []
  let nowMs = 10_000
  const observe = makeObserve(
    new Metrics(idle),
    makeLog('info', (line) => lines.push(line)),
    () => nowMs,
  )
  const fail = () => observe(null, { requestId: 'r', status: 503, startedMs: nowMs, refusal: new Failure('unavailable', 'No database.') })
  for (let number = 0; number < 1_000; number++) fail()
  assert.equal(lines.length, limits.requestLinesPerSecondMax)
  nowMs += 1_000
  fail()
  fail()
  const last = linesOf(lines).slice(-2)
  assert.deepEqual(
    last.map((line) => line['linesLeftOut']),
    [1_000 - limits.requestLinesPerSecondMax, undefined],
  )
})

test('a slow statement is told with its plan, once a minute, and says nothing of anybody', async () => {
  const lines: string[] = []
  await using djinn = await open({ LOG_LEVEL: 'info' }, (line) => lines.push(line))
  const person = await djinn.person()
  const accountId = await person.account()
  const { slow } = djinn.resources.watch
  slow.start()
  await withClient(djinn.adminUrl, async (client) => {
    await client.query('begin')
    await client.query('select from revisions where household_id = $1 for update', [person.householdId])
    const waiting = person.post('/api/transactions', { accountId, date: '2026-01-01', amount: -1, payee: 'Somewhere Secret' })
    await client.query(`select pg_sleep(0.15)`)
    await client.query('rollback')
    assert.equal((await waiting).status, 201)
  })
  await slow.settled()
  const told = linesOf(lines).filter(({ msg }) => msg === 'a slow statement')
  assert.ok(told.length >= 1)
  assert.ok(told.every((line) => (line['durationMs'] as number) >= 100))
  assert.ok(!lines.join('').includes('Somewhere Secret'))
})

test('plans are of the role that runs the statement, reads and writes alike, and jobs', async () => {
  const lines: string[] = []
  await using djinn = await open()
  let nowMs = 0
  const slow = new SlowStatements(
    djinn.adminUrl,
    makeLog('info', (line) => lines.push(line)),
    () => nowMs,
  )
  slow.note('bills.account', 200, 'djinn_app')
  slow.start()
  for (const name of ['bills.account', 'bills.insertOne', 'revisions.read', 'bills.account']) slow.note(name, 200.4, 'djinn_app')
  slow.note('watch.jobs', 150, 'djinn_keeper')
  await slow.settled()
  nowMs = limits.slowStatementLogMs
  slow.note('bills.account', 300, 'djinn_app')
  await slow.settled()
  await slow.close()
  const told = linesOf(lines)
  assert.deepEqual(
    told.map((line) => [line['statement'], line['durationMs'], line['sinceTheLast']]),
    [
      ['bills.account', 200, undefined],
      ['bills.insertOne', 200, undefined],
      ['revisions.read', 200, undefined],
      ['watch.jobs', 150, undefined],
      ['bills.account', 300, 1],
    ],
  )
  const plans = told.map((line) => String(line['plan']))
  assert.match(plans[0]!, /Index Scan.*accounts|Seq Scan on accounts/s)
  assert.match(plans[0]!, /current_household|djinn\.household/, 'row-level security is part of it')
  assert.match(plans[1]!, /Insert on bills/)
  assert.match(plans[2]!, /household_revisions/)
  assert.match(plans[3]!, /_private_jobs/)
  assert.deepEqual([...slow.latest.keys()].toSorted(), ['bills.account', 'bills.insertOne', 'revisions.read', 'watch.jobs'])
  assert.equal((await djinn.sql('select from bills')).length, 0, 'nothing is run')
})
