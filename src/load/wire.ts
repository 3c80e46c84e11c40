// A request as the bytes of HTTP/1.1.
import type { Request } from './phone.ts'

export type Wire = Omit<Request, 'step'>

export function wireOf(url: URL, { method, path, headers, body }: Wire): string {
  let head = `${method} ${path} HTTP/1.1\r\nHost: ${url.host}\r\n`
  for (const name in headers) head += `${name}: ${headers[name]}\r\n`
  if (body === undefined) return `${head}\r\n`
  return `${head}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
}
