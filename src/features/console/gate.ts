// Who may come to the console: decided by the socket's peer and the names it is called by. A header can close the door, never open it.
import { isIP } from 'node:net'

export type Door = {
  /** Undefined where nobody can sign in. */
  password: string | undefined
  /** Whether the loopback has to sign in too. */
  always: boolean
  /** Where operators reach the console when that is no address: a name, often of a proxy with TLS. */
  url: URL | undefined
}

export type Visit = {
  /** The other end of the socket. */
  peer: string | undefined
  host: string | undefined
  /** Of several values of one name there is none: what is ambiguous is not taken. */
  header: (name: string) => string | undefined
}

/** What a proxy adds: whoever comes through one is not of this machine, though its socket is. */
const proxyHeaders = ['forwarded', 'via', 'x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto', 'x-real-ip']

export function isLoopback(address: string | undefined): boolean {
  if (address === undefined) return false
  const plain = address.startsWith('::ffff:') ? address.slice(7) : address
  return plain === '::1' || (isIP(plain) === 4 && plain.startsWith('127.'))
}

/** The name of a Host header without its port; null when it is none that can be read. */
function nameOf(host: string | undefined): string | null {
  if (host === undefined || !/^(\[[\da-f:.]+\]|[a-z\d.-]+)(:\d{1,5})?$/i.test(host)) return null
  const url = `http://${host}`
  return URL.canParse(url) ? new URL(url).hostname.replace(/^\[(.*)\]$/, '$1') : null
}

/** A page of somebody else's name that was led here (DNS rebinding) has that name in Host: an address cannot be led anywhere. */
export function isOwnHost(host: string | undefined, url: URL | undefined): boolean {
  const name = nameOf(host)
  if (name === null) return false
  return name === 'localhost' || isIP(name) !== 0 || (url !== undefined && host!.toLowerCase() === url.host)
}

/** Whether nobody needs to sign in: the socket is of this machine, and nothing says that it only passes something on. */
export function isAtHome({ peer, host, header }: Visit, door: Door): boolean {
  const name = nameOf(host)
  const named = name === 'localhost' || (name !== null && isLoopback(name))
  return !door.always && isLoopback(peer) && named && proxyHeaders.every((each) => header(each) === undefined)
}

/** What a browser says of where a call comes from: nothing from elsewhere reads anything. */
export function isFromElsewhere({ header }: Visit): boolean {
  const site = header('sec-fetch-site')
  return site !== undefined && site !== 'same-origin'
}

/** For calls that change something it has to say that they are of our own page. */
export function isOfOwnPage(visit: Visit, door: Door): boolean {
  if (isFromElsewhere(visit)) return false
  const origin = visit.header('origin')
  if (origin === undefined) return visit.header('sec-fetch-site') === 'same-origin'
  return origin === door.url?.origin || origin === `http://${visit.host?.toLowerCase()}`
}
