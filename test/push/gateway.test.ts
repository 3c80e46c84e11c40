// The gateway to FCM: access tokens, and what each of FCM's answers means.
import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { readConfig } from '../../src/resources/config.ts'
import { outcomeOf, PushGateway, readRetryAfter, type PushMessage } from '../../src/resources/push-gateway.ts'
import { FcmStub, refusals, type StubAnswer } from '../fcm-stub.ts'

const stub = await FcmStub.open()
after(() => stub.close())

const message: PushMessage = { token: 'token-1', notification: { title: 'a', body: 'b' }, data: { event: 'test' } }
const open = () => new PushGateway(readConfig(stub.environment).fcm!)

test('many messages at once share one access token, signed for by the account', async () => {
  const gateway = open()
  stub.exchanges = 0
  const outcomes = await Promise.all(Array.from({ length: 10 }, () => gateway.send(message)))
  assert.ok(outcomes.every((outcome) => outcome.kind === 'sent' && outcome.messageName.startsWith('projects/djinn-test/messages/')))
  assert.equal(stub.exchanges, 1)
  await gateway.send(message)
  assert.equal(stub.exchanges, 1)
})

test('an access token that ended before its time is renewed once', async () => {
  const gateway = open()
  await gateway.send(message)
  stub.revokeTokens()
  stub.exchanges = 0
  assert.equal((await gateway.send(message)).kind, 'sent')
  assert.equal(stub.exchanges, 1)
})

test('a refusal that is not of OAuth does not renew the access token', async () => {
  const gateway = open()
  await gateway.send(message)
  stub.exchanges = 0
  stub.script('token-1', refusals.apnsKey)
  assert.equal((await gateway.send(message)).kind, 'rejected')
  assert.equal(stub.exchanges, 0)
})

test('a token endpoint that is away is nobody’s fault, one that refuses the account is', async () => {
  const gateway = open()
  stub.tokenAnswer = { status: 503 }
  assert.deepEqual(await gateway.send(message), {
    kind: 'retry',
    reason: 'the token endpoint answered 503',
    afterS: null,
    blame: 'service',
  })
  stub.tokenAnswer = { status: 400, body: { error: 'invalid_grant' } }
  assert.deepEqual(await gateway.send(message), { kind: 'rejected', reason: 'the service account is refused: 400 invalid_grant' })
  stub.tokenAnswer = undefined
  assert.equal((await gateway.send(message)).kind, 'sent')
})

test('nobody there is nobody’s fault either', async () => {
  const gateway = new PushGateway({ account: readConfig(stub.environment).fcm!.account, url: 'http://127.0.0.1:1' })
  const outcome = await gateway.send(message)
  assert.deepEqual([outcome.kind, outcome.kind === 'retry' && outcome.blame], ['retry', 'service'])
  assert.equal(gateway.working, false)
})

const meanings: [StubAnswer, string][] = [
  [refusals.unregistered, 'deadToken'],
  [refusals.malformedToken, 'deadToken'],
  [refusals.malformedTokenField, 'deadToken'],
  [refusals.foreignToken, 'deadToken'],
  [refusals.noProject, 'rejected'],
  [refusals.badMessage, 'rejected'],
  [refusals.notAllowed, 'rejected'],
  [refusals.apnsKey, 'rejected'],
  [refusals.unauthenticated, 'rejected'],
  [refusals.quota(), 'retry 60 service'],
  [refusals.quota('7'), 'retry 7 service'],
  [refusals.unavailable(), 'retry null service'],
  [refusals.unavailable('30'), 'retry 30 service'],
  [refusals.broken, 'retry null unknown'],
  [{ status: 500, headers: { 'retry-after': '5' } }, 'retry 5 service'],
  [{ status: 502 }, 'retry null service'],
  [{ status: 400 }, 'rejected'],
]
for (const [answer, meaning] of meanings) {
  const text = JSON.stringify(answer.body ?? null)
  test(`${answer.status} ${text.slice(0, 120)} means ${meaning}`, () => {
    const outcome = outcomeOf(answer.status, answer.body ?? null, answer.headers?.['retry-after'] ?? null, 0)
    assert.equal(outcome.kind === 'retry' ? `retry ${outcome.afterS} ${outcome.blame}` : outcome.kind, meaning)
  })
}

test('Retry-After is a number of seconds or a date', () => {
  const now = Date.parse('2026-02-28T12:00:00Z')
  assert.equal(readRetryAfter('120', now), 120)
  assert.equal(readRetryAfter('Sat, 28 Feb 2026 12:01:30 GMT', now), 90)
  assert.equal(readRetryAfter('Sat, 28 Feb 2026 11:00:00 GMT', now), 0)
  assert.equal(readRetryAfter('soon', now), null)
  assert.equal(readRetryAfter(null, now), null)
})

test('a service account is checked whole before anything is opened, and never quoted', () => {
  const good = JSON.parse(stub.account) as Record<string, unknown>
  const { privateKey: curve } = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  })
  const wrong: [unknown, RegExp][] = [
    ['not json', /^FCM_SERVICE_ACCOUNT: is not JSON/],
    [[], /must be the JSON key of a service account/],
    [{ ...good, type: 'authorized_user' }, /must be the JSON key of a service account/],
    [{ ...good, project_id: undefined }, /has no project_id/],
    [{ ...good, project_id: '../other' }, /has a project_id that is none/],
    [{ ...good, client_email: '' }, /has no client_email/],
    [{ ...good, private_key: 'secret words' }, /has a private_key that cannot be read/],
    [{ ...good, private_key: curve }, /has a private_key that is not RSA/],
    [{ ...good, token_uri: 'http://tokens.example.org/' }, /has a token_uri that is not https/],
  ]
  for (const [content, message_] of wrong) {
    const text = typeof content === 'string' ? content : JSON.stringify(content)
    assert.throws(
      () => readConfig({ FCM_SERVICE_ACCOUNT: text }),
      (error: Error) => message_.test(error.message) && !/secret words|BEGIN/.test(error.message),
      String(message_),
    )
  }
  assert.throws(() => readConfig({ FCM_URL: 'fcm.googleapis.com' }), /^ConfigError: FCM_URL/)
  assert.throws(() => readConfig({ WORKER: 'no' }), /^ConfigError: WORKER/)
})

test('the key file of a service account may stay where it is', () => {
  const folder = mkdtempSync(join(tmpdir(), 'djinn-fcm-'))
  const file = join(folder, 'key.json')
  writeFileSync(file, `${stub.account}\n`)
  try {
    const { fcm } = readConfig({ FCM_SERVICE_ACCOUNT_FILE: file })
    assert.deepEqual([fcm!.account.projectId, fcm!.url], ['djinn-test', 'https://fcm.googleapis.com'])
  } finally {
    rmSync(folder, { recursive: true })
  }
})
