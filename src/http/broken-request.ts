// What cannot be parsed as HTTP: it gets a problem document too, and its connection is closed.
import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import { Failure } from '../values/failure.ts'
import { newId } from '../values/id.ts'
import { limits } from '../values/limits.ts'
import { refusalCodes } from '../values/refusal-codes.ts'
import { toProblem } from './refusals.ts'

export function answerBrokenRequest(error: Error & { code?: string }, socket: Socket) {
  if (error.code === 'ECONNRESET' || socket.destroyed || !socket.writable) {
    socket.destroy()
    return
  }
  const code =
    error.code === 'HPE_HEADER_OVERFLOW' ? 'header-too-large' : error.code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 'timeout' : 'invalid-request'
  const detail =
    code === 'header-too-large'
      ? `The headers exceed ${limits.headerBytesMax} bytes.`
      : code === 'timeout'
        ? 'The request did not arrive in time.'
        : 'The request is not well-formed HTTP.'
  const requestId = newId()
  const status = code === 'timeout' ? 408 : refusalCodes[code][0]
  const body = JSON.stringify({ ...toProblem(new Failure(code, detail), '/', requestId), status })
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nContent-Type: application/problem+json; charset=utf-8\r\n` +
      `X-Request-Id: ${requestId}\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  )
}
