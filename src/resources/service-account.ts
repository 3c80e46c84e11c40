// A Google service account: read from its JSON key, and exchanged for short-lived access tokens (RFC 7523).
import { createPrivateKey, type KeyObject } from 'node:crypto'
import { limits } from '../values/limits.ts'

const scope = 'https://www.googleapis.com/auth/firebase.messaging'
const assertionS = 3_600

export type ServiceAccount = { projectId: string; clientEmail: string; privateKey: KeyObject; privateKeyId: string; tokenUrl: string }

/** Google could not be reached, or not now: try again, it is nobody's fault. */
export class ServiceUnavailable extends Error {}

/** Reads a key file as Google hands it out; throws an Error that says what is wrong with it, and never quotes it. */
export function readServiceAccount(json: string): ServiceAccount {
  let fields: Record<string, unknown>
  try {
    fields = JSON.parse(json) as Record<string, unknown>
  } catch {
    throw new Error('is not JSON; it must be the key file of a service account, or its content')
  }
  if (typeof fields !== 'object' || fields === null || fields['type'] !== 'service_account') {
    throw new Error('must be the JSON key of a service account ("type": "service_account")')
  }
  const field = (name: string): string => {
    const value = fields[name]
    if (typeof value !== 'string' || value === '') throw new Error(`has no ${name}`)
    return value
  }
  const projectId = field('project_id')
  if (!/^[a-z0-9][a-z0-9.:-]{0,62}$/.test(projectId)) throw new Error('has a project_id that is none')
  return {
    projectId,
    clientEmail: field('client_email'),
    privateKey: readKey(field('private_key')),
    privateKeyId: field('private_key_id'),
    tokenUrl: readTokenUrl(field('token_uri')),
  }
}

function readKey(pem: string): KeyObject {
  let key: KeyObject
  try {
    key = createPrivateKey(pem)
  } catch {
    throw new Error('has a private_key that cannot be read')
  }
  if (key.asymmetricKeyType !== 'rsa') throw new Error('has a private_key that is not RSA')
  return key
}

function readTokenUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  // An assertion is as good as the key for an hour: it leaves this machine encrypted only.
  const safe = url?.protocol === 'https:' || (url?.protocol === 'http:' && ['127.0.0.1', 'localhost', '[::1]'].includes(url.hostname))
  if (!url || !safe) throw new Error('has a token_uri that is not https')
  return url.href
}

/** Access tokens of one account: each is kept until shortly before it ends, and asked for once however many wait for it. */
export class AccessTokens {
  readonly #account: ServiceAccount
  #kept: { token: string; untilMs: number } | undefined
  #asking: Promise<string> | undefined

  constructor(account: ServiceAccount) {
    this.#account = account
  }

  /** Throws ServiceUnavailable when it may work later, another Error when the account itself is refused. */
  async get(): Promise<string> {
    if (this.#kept && this.#kept.untilMs > Date.now()) return this.#kept.token
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = undefined
    })
    return await this.#asking
  }

  /** Gives up a token that was refused; another one that came meanwhile stays. */
  drop(token: string) {
    if (this.#kept?.token === token) this.#kept = undefined
  }

  async #ask(): Promise<string> {
    const assertion = await this.#assertion()
    let answer: Response
    let text: string
    try {
      answer = await fetch(this.#account.tokenUrl, {
        method: 'POST',
        body: new URLSearchParams({ grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion }),
        signal: AbortSignal.timeout(limits.pushTimeoutMs),
      })
      text = await answer.text()
    } catch (error) {
      throw new ServiceUnavailable(`no answer from the token endpoint (${(error as Error).name})`, { cause: error })
    }
    if (answer.status === 429 || answer.status >= 500) throw new ServiceUnavailable(`the token endpoint answered ${answer.status}`)
    const body = parse(text)
    if (!answer.ok || typeof body['access_token'] !== 'string') {
      throw new Error(
        `the service account is refused: ${answer.status} ${String(body['error'] ?? '')} ${String(body['error_description'] ?? '')}`.trim(),
      )
    }
    const lifeS = typeof body['expires_in'] === 'number' ? body['expires_in'] : assertionS
    this.#kept = { token: body['access_token'], untilMs: Date.now() + lifeS * 1000 - limits.pushTokenSpareMs }
    return body['access_token']
  }

  async #assertion(): Promise<string> {
    // Loaded when it is needed: commands that push nothing start without it.
    const { SignJWT } = await import('jose')
    const { clientEmail, privateKey, privateKeyId, tokenUrl } = this.#account
    return await new SignJWT({ scope })
      .setProtectedHeader({ alg: 'RS256', typ: 'JWT', kid: privateKeyId })
      .setIssuer(clientEmail)
      .setAudience(tokenUrl)
      .setIssuedAt()
      .setExpirationTime(`${assertionS}s`)
      .sign(privateKey)
  }
}

function parse(text: string): Record<string, unknown> {
  try {
    return (JSON.parse(text) as Record<string, unknown> | null) ?? {}
  } catch {
    return {}
  }
}
