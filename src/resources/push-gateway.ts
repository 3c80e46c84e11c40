// Firebase Cloud Messaging, HTTP v1: sends one message to one device and says what became of it.
import { limits } from '../values/limits.ts'
import { AccessTokens, ServiceUnavailable, type ServiceAccount } from './service-account.ts'

/** A message as FCM takes it (projects.messages of its reference); every value of `data` is a text. */
export type PushMessage = {
  token: string
  notification?: { title: string; body: string }
  data: Record<string, string>
  android?: object
  apns?: object
  webpush?: object
}

export type Outcome =
  | { kind: 'sent'; messageName: string }
  /** The token is no device's any more, or never was: never send to it again. */
  | { kind: 'deadToken'; reason: string }
  /** Later. `blame` is `service` when it surely is not because of this message. `afterS` is what FCM asked for. */
  | { kind: 'retry'; reason: string; afterS: number | null; blame: 'service' | 'unknown' }
  /** The message or our account is wrong: sending it again as it is helps nobody. */
  | { kind: 'rejected'; reason: string }

export type PushGatewayOptions = { account: ServiceAccount; url: string }

export class PushGateway {
  readonly #url: string
  readonly #tokens: AccessTokens
  #lastSentMs = 0

  constructor({ account, url }: PushGatewayOptions) {
    this.#url = `${url}/v1/projects/${account.projectId}/messages:send`
    this.#tokens = new AccessTokens(account)
  }

  /** Whether a message got through of late: then one that fails has itself to blame. */
  get working(): boolean {
    return Date.now() - this.#lastSentMs < limits.pushWorkingMs
  }

  async send(message: PushMessage): Promise<Outcome> {
    try {
      let token = await this.#tokens.get()
      let answer = await this.#post(token, message)
      // An access token may end before its time: once with a new one. Without OAuth's fault (the key for APNs is wrong) it would not help.
      if (answer.status === 401 && fcmCode(answer.body) === undefined) {
        this.#tokens.drop(token)
        token = await this.#tokens.get()
        answer = await this.#post(token, message)
      }
      const outcome = outcomeOf(answer.status, answer.body, answer.retryAfter, Date.now())
      if (outcome.kind === 'sent') this.#lastSentMs = Date.now()
      return outcome
    } catch (error) {
      if (error instanceof ServiceUnavailable) return { kind: 'retry', reason: error.message, afterS: null, blame: 'service' }
      return { kind: 'rejected', reason: (error as Error).message }
    }
  }

  async #post(token: string, message: PushMessage): Promise<{ status: number; body: unknown; retryAfter: string | null }> {
    try {
      const answer = await fetch(this.#url, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify({ message }),
        signal: AbortSignal.timeout(limits.pushTimeoutMs),
      })
      const text = await answer.text()
      return { status: answer.status, body: parse(text), retryAfter: answer.headers.get('retry-after') }
    } catch (error) {
      throw new ServiceUnavailable(`no answer from FCM (${(error as Error).name})`, { cause: error })
    }
  }
}

type Detail = { '@type'?: string; errorCode?: string; fieldViolations?: { field?: string }[] }

/** FCM says why in its own details beside the canonical status: `{error: {code, message, status, details: [...]}}`. */
export function outcomeOf(status: number, body: unknown, retryAfter: string | null, nowMs: number): Outcome {
  if (status === 200) return { kind: 'sent', messageName: String((body as { name?: unknown } | null)?.name ?? '') }
  const error = errorOf(body)
  const code = fcmCode(body)
  const reason = [status, code ?? error.status, error.message].filter(Boolean).join(' ').slice(0, limits.pushReasonLengthMax)
  // A 404 without that code is a wrong address or project, which must not cost anybody the token.
  if (code === 'UNREGISTERED' || code === 'SENDER_ID_MISMATCH') return { kind: 'deadToken', reason }
  if (status === 400 && isAboutToken(body)) return { kind: 'deadToken', reason }
  const afterS = readRetryAfter(retryAfter, nowMs)
  // The reference asks for a minute at least when the quota is used up and nothing else is said.
  if (status === 429) return { kind: 'retry', reason, afterS: afterS ?? 60, blame: 'service' }
  // 500 alone may be the message's: FCM breaks on some.
  if (status >= 500) return { kind: 'retry', reason, afterS, blame: status === 500 && afterS === null ? 'unknown' : 'service' }
  return { kind: 'rejected', reason }
}

function errorOf(body: unknown): { message?: string; status?: string; details?: Detail[] } {
  return (body as { error?: { message?: string; status?: string; details?: Detail[] } } | null)?.error ?? {}
}

function detailsOf(body: unknown): Detail[] {
  const { details } = errorOf(body)
  return Array.isArray(details) ? details : []
}

function fcmCode(body: unknown): string | undefined {
  return detailsOf(body).find((detail) => detail['@type']?.endsWith('google.firebase.fcm.v1.FcmError'))?.errorCode
}

/** INVALID_ARGUMENT stands for any mistake in a message; it is the token's when the violation or the words name it. */
function isAboutToken(body: unknown): boolean {
  const violations = detailsOf(body).flatMap((detail) => detail.fieldViolations ?? [])
  if (violations.length > 0) return violations.every((violation) => violation.field === 'message.token')
  return fcmCode(body) === 'INVALID_ARGUMENT' && /registration token/i.test(errorOf(body).message ?? '')
}

/** Retry-After in seconds, as a number or as a date (RFC 9110, 10.2.3). */
export function readRetryAfter(value: string | null, nowMs: number): number | null {
  const text = value?.trim() ?? ''
  if (text === '') return null
  if (/^\d{1,9}$/.test(text)) return Number(text)
  const atMs = Date.parse(text)
  return Number.isNaN(atMs) ? null : Math.max(0, Math.ceil((atMs - nowMs) / 1000))
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
