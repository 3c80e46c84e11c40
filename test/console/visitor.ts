// A visitor of the console without a browser: sends what it is told to, headers and all, and keeps its cookie.
import assert from 'node:assert/strict'
import { request, type IncomingHttpHeaders } from 'node:http'
import { text } from 'node:stream/consumers'
import type { FastifyInstance } from 'fastify'
import { makeOps } from '../../src/app/ops.ts'
import type { Djinn } from '../harness.ts'

export type Told = { status: number; headers: IncomingHttpHeaders; text: string; body: Record<string, unknown> }
export type Headers = Record<string, string>

export type Ops = { app: FastifyInstance; port: number; url: string; close: () => Promise<void> }

/** The operators' port of a service. */
export async function openOps(djinn: Djinn): Promise<Ops> {
  const app = makeOps(djinn.resources, () => djinn.url)
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  return { app, url, port: Number(new URL(url).port), close: () => app.close() }
}

/** What comes over a proxy that tells so: at the socket it is of this machine. */
export const fromAfar: Headers = { 'x-forwarded-for': '198.51.100.7' }

export async function send(port: number, method: string, path: string, headers: Headers = {}, body?: string): Promise<Told> {
  const length: Headers = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }
  const sent = request({ host: '127.0.0.1', port, method, path, headers: { host: `127.0.0.1:${port}`, ...length, ...headers } })
  sent.end(body)
  const answer = await new Promise<Parameters<Parameters<typeof sent.on<'response'>>[1]>[0]>((resolve, reject) =>
    sent.on('response', resolve).on('error', reject),
  )
  const content = await text(answer)
  const isJson = answer.headers['content-type']?.startsWith('application/json')
  return { status: answer.statusCode!, headers: answer.headers, text: content, body: isJson ? JSON.parse(content) : {} }
}

/** Whoever has opened the page: with the cookie and the token that it was given. */
export class Visitor {
  readonly #port: number
  readonly #headers: Headers
  cookie = ''
  token = ''

  constructor(port: number, headers: Headers = {}) {
    this.#port = port
    this.#headers = headers
  }

  async get(path: string, headers: Headers = {}): Promise<Told> {
    return this.#keep(await send(this.#port, 'GET', path, { ...this.#headers, ...this.#cookies(), ...headers }))
  }

  /** As the page does it. */
  async change(path: string, body: unknown = {}, headers: Headers = {}, method = 'POST'): Promise<Told> {
    const own = {
      ...{ origin: `http://127.0.0.1:${this.#port}`, 'content-type': 'application/json', 'djinn-console-token': this.token },
      ...this.#headers,
      ...this.#cookies(),
      ...headers,
    }
    return this.#keep(await send(this.#port, method, path, own, JSON.stringify(body)))
  }

  async signIn(name: string, password: string): Promise<Told> {
    await this.get('/console/session')
    return await this.change('/console/session', { name, password })
  }

  #cookies(): Headers {
    return this.cookie === '' ? {} : { cookie: this.cookie }
  }

  #keep(told: Told): Told {
    const [cookie] = told.headers['set-cookie'] ?? []
    if (cookie) this.cookie = cookie.split(';')[0]!
    if (typeof told.body['token'] === 'string') this.token = told.body['token']
    return told
  }
}

export function refused({ status, body, text: said }: Told, wanted: number, code: string) {
  assert.deepEqual([status, body['code']], [wanted, code], said)
}
