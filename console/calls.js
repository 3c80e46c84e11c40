// Speaks to the server: who is signed in, what is asked, what is changed.
import { signal } from '@preact/signals'

/** `{operator, token, atHome, canSignIn}`; null until it is known. */
export const session = signal(null)

/** What the server refused, with its words; `code` is "unreachable" when it said nothing at all. */
export class Refused extends Error {
  constructor(code, detail, status) {
    super(detail)
    this.code = code
    this.status = status
  }
}

const waitMsMax = 10_000

async function send(method, path, body) {
  const headers = { accept: 'application/json' }
  if (method !== 'GET') headers['djinn-console-token'] = session.value?.token ?? ''
  if (body !== undefined) headers['content-type'] = 'application/json'
  let answer
  try {
    const sent = { method, headers, signal: AbortSignal.timeout(waitMsMax), cache: 'no-store' }
    answer = await fetch(path, body === undefined ? sent : { ...sent, body: JSON.stringify(body) })
  } catch {
    throw new Refused('unreachable', 'The server does not answer.', 0)
  }
  const data = await answer.json().catch(() => ({ code: 'unreadable', detail: `The server answered ${answer.status}.` }))
  if (answer.ok) return data
  throw new Refused(data.code, data.detail, answer.status)
}

export async function openSession() {
  session.value = await send('GET', '/console/session')
  return session.value
}

export async function ask(path) {
  try {
    return await send('GET', path)
  } catch (error) {
    if (error.status === 401 || error.code === 'no-sign-in') await openSession()
    throw error
  }
}

/** A server that started again has forgotten the token: it is asked for anew, once. */
export async function change(path, body, method = 'POST') {
  try {
    return await send(method, path, body)
  } catch (error) {
    if (error.code !== 'missing-token') {
      if (error.status === 401 && error.code === 'sign-in') await openSession()
      throw error
    }
    await openSession()
    return await send(method, path, body)
  }
}

export async function signIn(name, password) {
  session.value = await change('/console/session', { name, password })
}

export async function signOut() {
  session.value = await change('/console/session', undefined, 'DELETE')
}
