// Bytes as they go over the socket, for what fetch would not send or would not show.
import { connect } from 'node:net'

export type Raw = { status: number; headers: Record<string, string>; body: Buffer }

/** Sends the bytes and answers the first reply once the server has closed the connection. */
export async function exchange(url: string, bytes: string | Buffer): Promise<Raw> {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  const parts: Uint8Array[] = []
  const ended = new Promise<void>((resolve, reject) => {
    socket.on('data', (part: Uint8Array) => parts.push(part))
    socket.on('end', resolve)
    socket.setTimeout(10_000, () => reject(new Error('the server keeps the connection open')))
    // A server that refuses early may reset what is still on its way to it.
    socket.on('error', (error) => (parts.length > 0 ? resolve() : reject(error)))
  })
  socket.write(bytes)
  await ended.finally(() => socket.destroy())
  const all = Buffer.concat(parts)
  const headEnd = all.indexOf('\r\n\r\n')
  const [statusLine = '', ...lines] = all.subarray(0, headEnd).toString('latin1').split('\r\n')
  const headers = Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 2)]),
  )
  return { status: Number(statusLine.split(' ')[1]), headers, body: all.subarray(headEnd + 4) }
}

/** The head of a request that asks the server to close the connection after its answer, unless a header says otherwise. */
export function head(method: string, path: string, headers: Record<string, string> = {}): string {
  const all = { Host: 'djinn.example.org', Connection: 'close', ...headers }
  return `${method} ${path} HTTP/1.1\r\n${Object.entries(all)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('')}\r\n`
}
