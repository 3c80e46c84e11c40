// Starts the bare Fastify route with the bytes and headers that the API answers.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { request } from 'node:http'

export type Bare = { url: string; close: () => void }

/** Of each connection or of the moment, and made by Node itself. */
const left = new Set(['date', 'connection', 'keep-alive', 'transfer-encoding', 'content-length'])

export async function openBare(url: string, path: string, sent: Record<string, string>): Promise<Bare> {
  const answer = await read(url + path, sent)
  // What fills the cache is no HIT.
  if (answer.headers['x-cache'] !== 'HIT') throw new Error(`${path} is not answered from the cache`)
  const child = fork(new URL('./bare-server.ts', import.meta.url), { stdio: ['ignore', 2, 2, 'ipc'] })
  const headers = Object.fromEntries(Object.entries(answer.headers).filter(([name]) => !left.has(name)))
  child.send({ path, headers, body: answer.body.toString('base64') })
  const [bareUrl] = (await once(child, 'message')) as [string]
  return { url: bareUrl, close: () => void child.kill() }
}

/** The bytes as they come, not decompressed. */
async function read(url: string, headers: Record<string, string>) {
  return await new Promise<{ headers: Record<string, string>; body: Buffer }>((resolve, reject) => {
    request(url, { headers, agent: false }, (answer) => {
      const chunks: Buffer[] = []
      answer.on('data', (chunk: Buffer) => chunks.push(chunk))
      answer.on('end', () => {
        if (answer.statusCode === 200) resolve({ headers: answer.headers as Record<string, string>, body: Buffer.concat(chunks) })
        else reject(new Error(`${url}: ${answer.statusCode}`))
      })
    })
      .on('error', reject)
      .end()
  })
}
