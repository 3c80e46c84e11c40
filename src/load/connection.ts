// One kept-alive connection to the server: a request at a time, its bytes written as they are.
import { connect as connectPlain, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { BrokenAnswer, ResponseReader, type Response } from './response.ts'

/** Why there is no answer. */
export type Fault = 'refused' | 'reset' | 'timeout' | 'broken'
export type Outcome = { response: Response } | { fault: Fault }

/** Above what the server answers: a page of a sync is at most 512 KiB. */
const answerBytesMax = 16 * 1024 * 1024

export class Connection {
  readonly #socket: Socket
  readonly #reader = new ResponseReader(answerBytesMax)
  readonly #ended: () => void
  #done: ((outcome: Outcome) => void) | null = null
  #connected = false
  #alive = true
  /** When the request under way was written; for the watch over those that take too long. */
  sentAtMs = 0
  /** Whether it has answered before: then a cut may be the server's end of an idle connection. */
  used = false

  /** `opened` is told once whether it could be opened; `ended` when an idle one ends. */
  constructor(url: URL, opened: (fault: Fault | null) => void, ended: () => void) {
    this.#ended = ended
    const port = Number(url.port || (url.protocol === 'https:' ? 443 : 80))
    const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
    const socket = url.protocol === 'https:' ? connectTls({ host, port, servername: host }) : connectPlain({ host, port })
    this.#socket = socket
    socket.setNoDelay(true)
    socket.once(url.protocol === 'https:' ? 'secureConnect' : 'connect', () => {
      this.#connected = true
      opened(null)
    })
    socket.on('data', (bytes: Buffer) => this.#take(bytes))
    // What an error was is told by the end that follows it.
    socket.on('error', () => {})
    socket.once('close', () => {
      if (!this.#connected) opened('refused')
      this.#end('reset')
    })
  }

  get alive(): boolean {
    return this.#alive
  }

  get busy(): boolean {
    return this.#done !== null
  }

  send(bytes: string, done: (outcome: Outcome) => void) {
    this.#done = done
    this.#socket.write(bytes)
  }

  /** Cuts it; a request under way has that as its outcome. */
  cut(fault: Fault) {
    this.#socket.destroy()
    this.#end(fault)
  }

  #take(bytes: Buffer) {
    if (this.#done === null) return this.cut('broken')
    let response: Response | null
    try {
      response = this.#reader.take(bytes)
    } catch (error) {
      if (!(error instanceof BrokenAnswer)) throw error
      return this.cut('broken')
    }
    if (response === null) return
    this.used = true
    if (response.last) {
      this.#alive = false
      this.#socket.destroy()
    }
    const done = this.#done
    this.#done = null
    done({ response })
  }

  #end(fault: Fault) {
    if (!this.#alive) return
    this.#alive = false
    const done = this.#done
    this.#done = null
    // A connection that ends before a byte of the answer came was idle to the server: the request may go again.
    if (done !== null) done({ fault: fault === 'reset' && this.#reader.begun ? 'broken' : fault })
    else this.#ended()
  }
}
