// Fetches one file from a URL that the operator gave: https, or http on this machine; bounded in time and size.
import { limits } from '../values/limits.ts'

/** The file could not be fetched; the message says why and never shows the query, which may hold a key. */
export class DownloadError extends Error {
  constructor(url: URL, reason: string, options?: ErrorOptions) {
    super(`${url.origin}${url.pathname}: ${reason}`, options)
    this.name = 'DownloadError'
  }
}

/** Why nothing may be fetched from there; undefined when it may. What comes over http could be anyone's, but for this machine's. */
export function refusalOfUrl(text: string): string | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (!url || !(url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.hostname)))) {
    return 'must be an https URL, or an http one on this machine'
  }
  return url.username !== '' || url.password !== '' ? 'must not hold a user or password' : undefined
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || /^127(\.\d+){3}$/.test(host)
}

export type DownloadLimits = { bytesMax: number; timeoutMs: number }

/** The bytes of the file. Follows redirects, to URLs of the same scheme only. Throws DownloadError. */
export async function download(text: string, { bytesMax, timeoutMs }: DownloadLimits): Promise<Uint8Array> {
  const refusal = refusalOfUrl(text)
  if (refusal !== undefined) throw new Error(`The URL ${refusal}.`)
  const signal = AbortSignal.timeout(timeoutMs)
  let url = new URL(text)
  try {
    for (let hops = 0; hops <= limits.redirectsMax; hops++) {
      const answer = await fetch(url, { redirect: 'manual', signal })
      if (answer.status === 200) return await readBody(url, answer, bytesMax)
      await answer.body?.cancel()
      const next = answer.headers.get('location')
      if (answer.status < 300 || answer.status > 399 || next === null) throw new DownloadError(url, `answered ${answer.status}`)
      url = redirected(url, next)
    }
    throw new DownloadError(url, `more than ${limits.redirectsMax} redirects`)
  } catch (error) {
    if (error instanceof DownloadError) throw error
    const reason = signal.aborted ? `no answer within ${timeoutMs / 1_000} s` : `cannot be reached (${causeOf(error)})`
    throw new DownloadError(url, reason, { cause: error })
  }
}

function redirected(from: URL, location: string): URL {
  const to = URL.canParse(location, from) ? new URL(location, from) : undefined
  if (!to || to.protocol !== from.protocol || refusalOfUrl(to.href) !== undefined) {
    throw new DownloadError(from, `leads on to ${to === undefined ? 'no URL' : to.origin}, which is not followed`)
  }
  return to
}

async function readBody(url: URL, answer: Response, bytesMax: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of answer.body ?? []) {
    length += chunk.length
    // Counted behind any content encoding: a small answer may be a large file.
    if (length > bytesMax) throw new DownloadError(url, `is larger than ${bytesMax / 1024 / 1024} MiB`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function causeOf(error: unknown): string {
  const { cause, message } = error as Error & { cause?: { code?: string; message?: string } }
  return cause?.code ?? cause?.message ?? message
}
