// The caller's address: the socket's, or what a configured proxy says it is.
import type { IncomingMessage } from 'node:http'
import { type BlockList, isIP } from 'node:net'

export type TrustedProxies = BlockList | undefined

/** X-Forwarded-For is read from its right end, and only past proxies that are configured as trusted. */
export function addressOf(request: IncomingMessage, trusted: TrustedProxies): string {
  let address = plain(request.socket.remoteAddress ?? '0.0.0.0')
  if (!trusted) return address
  const forwarded = String(request.headers['x-forwarded-for'] ?? '')
    .split(',')
    .map((part) => plain(part.trim()))
  while (forwarded.length > 0 && trusted.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')) {
    const before = forwarded.pop()!
    if (!isIP(before)) break
    address = before
  }
  return address
}

function plain(address: string): string {
  return address.startsWith('::ffff:') && isIP(address.slice(7)) === 4 ? address.slice(7) : address
}

/** What counts as one caller: an IPv4 address, or the /64 that an IPv6 host can choose its addresses from. */
export function networkOf(address: string): string {
  if (isIP(address) !== 6) return address
  const [head = '', tail] = address.split('::')
  const left = head === '' ? [] : head.split(':')
  const right = tail === undefined || tail === '' ? [] : tail.split(':')
  const groups = tail === undefined ? left : [...left, ...Array.from({ length: 8 - left.length - right.length }, () => '0'), ...right]
  return `${groups.slice(0, 4).join(':')}::/64`
}
