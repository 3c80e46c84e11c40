// Firebase Cloud Messaging as its reference describes it: the token endpoint and projects.messages.send, over HTTP.
import { generateKeyPairSync, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { importSPKI, jwtVerify } from 'jose'
import type { PushMessage } from '../src/resources/push-gateway.ts'
import type { Environment } from '../src/resources/config.ts'

export type StubAnswer = { status: number; body?: unknown; headers?: Record<string, string> }
export type Sending = { message: PushMessage; status: number }

const projectId = 'djinn-test'
const clientEmail = 'djinn@djinn-test.example.org'
const keyId = 'key-1'
// Made once a process: 2,048 bits take a while.
const keys = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
})

const fcmError = 'type.googleapis.com/google.firebase.fcm.v1.FcmError'
const badRequest = 'type.googleapis.com/google.rpc.BadRequest'

function refusal(status: number, name: string, message: string, details: object[] = [], headers: Record<string, string> = {}): StubAnswer {
  return { status, body: { error: { code: status, message, status: name, ...(details.length > 0 ? { details } : {}) } }, headers }
}

/** Answers as FCM gives them. */
export const refusals = {
  unregistered: refusal(404, 'NOT_FOUND', 'Requested entity was not found.', [{ '@type': fcmError, errorCode: 'UNREGISTERED' }]),
  noProject: refusal(404, 'NOT_FOUND', 'Requested entity was not found.'),
  malformedToken: refusal(400, 'INVALID_ARGUMENT', 'The registration token is not a valid FCM registration token', [
    { '@type': fcmError, errorCode: 'INVALID_ARGUMENT' },
  ]),
  malformedTokenField: refusal(400, 'INVALID_ARGUMENT', 'Request contains an invalid argument.', [
    { '@type': fcmError, errorCode: 'INVALID_ARGUMENT' },
    { '@type': badRequest, fieldViolations: [{ field: 'message.token', description: 'Invalid registration token' }] },
  ]),
  badMessage: refusal(400, 'INVALID_ARGUMENT', "Invalid value at 'message.data[0].value' (TYPE_STRING), 12", [
    { '@type': badRequest, fieldViolations: [{ field: 'message.data[0].value', description: 'Invalid value' }] },
  ]),
  foreignToken: refusal(403, 'PERMISSION_DENIED', 'SenderId mismatch', [{ '@type': fcmError, errorCode: 'SENDER_ID_MISMATCH' }]),
  notAllowed: refusal(403, 'PERMISSION_DENIED', "Permission 'cloudmessaging.messages.create' denied on resource."),
  unauthenticated: refusal(401, 'UNAUTHENTICATED', 'Request had invalid authentication credentials. Expected OAuth 2 access token.'),
  apnsKey: refusal(401, 'UNAUTHENTICATED', 'Auth error from APNS or Web Push Service', [
    { '@type': fcmError, errorCode: 'THIRD_PARTY_AUTH_ERROR' },
  ]),
  quota: (retryAfter?: string) =>
    refusal(
      429,
      'RESOURCE_EXHAUSTED',
      'Quota exceeded for quota metric.',
      [{ '@type': fcmError, errorCode: 'QUOTA_EXCEEDED' }],
      retryAfter === undefined ? {} : { 'retry-after': retryAfter },
    ),
  broken: refusal(500, 'INTERNAL', 'Internal error encountered.', [{ '@type': fcmError, errorCode: 'INTERNAL' }]),
  unavailable: (retryAfter?: string) =>
    refusal(
      503,
      'UNAVAILABLE',
      'The service is currently unavailable.',
      [{ '@type': fcmError, errorCode: 'UNAVAILABLE' }],
      retryAfter === undefined ? {} : { 'retry-after': retryAfter },
    ),
}

export class FcmStub {
  /** Every message that came with a valid access token, in order, with what it was answered. */
  readonly sendings: Sending[] = []
  /** How often an access token was asked for. */
  exchanges = 0
  /** What the token endpoint answers instead of a token. */
  tokenAnswer: StubAnswer | undefined
  /** What every message is answered with, while it is set. */
  outage: StubAnswer | 'cut' | undefined
  url = ''
  readonly #server = createServer((request, response) => void this.#answer(request, response))
  readonly #accessTokens = new Set<string>()
  readonly #scripts = new Map<string, StubAnswer[]>()
  readonly #waiting: { count: number; resolve: () => void }[] = []

  static async open(): Promise<FcmStub> {
    const stub = new FcmStub()
    stub.#server.listen(0, '127.0.0.1')
    await once(stub.#server, 'listening')
    stub.#server.unref()
    stub.url = `http://127.0.0.1:${(stub.#server.address() as AddressInfo).port}`
    return stub
  }

  /** The key file of the service account. */
  get account(): string {
    return JSON.stringify({
      type: 'service_account',
      project_id: projectId,
      private_key_id: keyId,
      private_key: keys.privateKey,
      client_email: clientEmail,
      token_uri: `${this.url}/token`,
    })
  }

  get environment(): Environment {
    return { FCM_SERVICE_ACCOUNT: this.account, FCM_URL: this.url }
  }

  /** What the next messages to a device are answered, in order; after them they are taken. */
  script(token: string, ...answers: StubAnswer[]) {
    this.#scripts.set(token, answers)
  }

  /** The visible messages that were taken for a device. */
  pushes(token: string): PushMessage[] {
    return this.#taken(token).filter((message) => message.notification !== undefined)
  }

  /** The silent ones. */
  pokes(token: string): PushMessage[] {
    return this.#taken(token).filter((message) => message.notification === undefined)
  }

  /** How often a visible message came in for a device, whatever it was answered. */
  tries(token: string): number {
    return this.sendings.filter(({ message }) => message.token === token && message.notification !== undefined).length
  }

  #taken(token: string): PushMessage[] {
    return this.sendings.filter(({ status, message }) => status === 200 && message.token === token).map(({ message }) => message)
  }

  /** Waits until so many messages came in all. */
  async came(count: number): Promise<void> {
    if (this.sendings.length >= count) return
    await new Promise<void>((resolve) => this.#waiting.push({ count, resolve }))
  }

  /** Ends the access tokens that were given. */
  revokeTokens() {
    this.#accessTokens.clear()
  }

  async close() {
    this.#server.closeAllConnections()
    this.#server.close()
    await once(this.#server, 'close')
  }

  async #answer(request: IncomingMessage, response: ServerResponse) {
    const body = await text(request)
    const path = `${request.method} ${request.url}`
    const answer =
      path === 'POST /token'
        ? await this.#exchange(body)
        : path === `POST /v1/projects/${projectId}/messages:send`
          ? this.#send(request.headers.authorization ?? '', body)
          : refusals.noProject
    if (answer === 'cut') return request.socket.destroy()
    response.writeHead(answer.status, { 'content-type': 'application/json; charset=UTF-8', ...answer.headers })
    response.end(JSON.stringify(answer.body ?? {}))
  }

  async #exchange(body: string): Promise<StubAnswer> {
    this.exchanges++
    if (this.tokenAnswer) return this.tokenAnswer
    const form = new URLSearchParams(body)
    try {
      if (form.get('grant_type') !== 'urn:ietf:params:oauth:grant-type:jwt-bearer') throw new Error('grant_type')
      const { payload, protectedHeader } = await jwtVerify(form.get('assertion') ?? '', await importSPKI(keys.publicKey, 'RS256'), {
        algorithms: ['RS256'],
        issuer: clientEmail,
        audience: `${this.url}/token`,
        maxTokenAge: '1h',
        requiredClaims: ['iat', 'exp'],
      })
      if (protectedHeader.kid !== keyId) throw new Error('kid')
      if (payload['scope'] !== 'https://www.googleapis.com/auth/firebase.messaging') throw new Error('scope')
    } catch (error) {
      return { status: 400, body: { error: 'invalid_grant', error_description: `Invalid JWT: ${(error as Error).message}` } }
    }
    const token = `ya29.${randomUUID()}`
    this.#accessTokens.add(token)
    return { status: 200, body: { access_token: token, expires_in: 3599, token_type: 'Bearer' } }
  }

  #send(authorization: string, body: string): StubAnswer | 'cut' {
    if (!this.#accessTokens.has(authorization.replace(/^Bearer /, ''))) return refusals.unauthenticated
    const { message } = JSON.parse(body) as { message: PushMessage }
    const answer = this.outage ?? this.#scripts.get(message.token)?.shift() ?? malformed(message) ?? taken()
    this.sendings.push({ message, status: answer === 'cut' ? 0 : answer.status })
    for (const waiter of this.#waiting) if (this.sendings.length >= waiter.count) waiter.resolve()
    return answer
  }
}

function taken(): StubAnswer {
  return { status: 200, body: { name: `projects/${projectId}/messages/0:${randomUUID()}` } }
}

const fields = new Set(['token', 'notification', 'data', 'android', 'apns', 'webpush', 'fcm_options'])

/** FCM refuses fields that it does not know, data that is no text, and messages above 4,096 bytes. */
function malformed(message: PushMessage): StubAnswer | undefined {
  if (typeof message.token !== 'string') return refusals.malformedTokenField
  const strange = Object.keys(message).some((name) => !fields.has(name))
  const noText = Object.values(message.data ?? {}).some((value) => typeof value !== 'string')
  const ownWord = Object.keys(message.data ?? {}).some((name) => /^(from|message_type|collapse_key|google\.|gcm)/.test(name))
  const long = Buffer.byteLength(JSON.stringify([message.notification, message.data])) > 4_096
  return strange || noText || ownWord || long ? refusals.badMessage : undefined
}
