// Tells errors of the connection from those of the statement.
import { Failure } from '../values/failure.ts'

/** Whether the error says that the connection, not the statement, failed. */
export function isConnectionError(error: unknown): boolean {
  if (error instanceof Failure) return false
  const { code = '', message = '' } = error as { code?: string; message?: string }
  return (
    ['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOENT', 'EHOSTUNREACH', 'ENOTFOUND', 'EAI_AGAIN'].includes(code) ||
    /^(08|57P0)/.test(code) ||
    code === '53300' ||
    /^(Connection terminated|Client has encountered a connection error|timeout exceeded when trying to connect|Client was closed)/.test(
      message,
    )
  )
}
