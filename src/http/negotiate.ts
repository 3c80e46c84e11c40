// What a caller's network asks for: essential fields and short pages when it is slow, related rows and the next page when fast.

export type Network = 'slow' | 'ordinary' | 'fast'

/** The request headers that say it; answers that depend on them list them in Vary. */
export const networkHeaders = ['Save-Data', 'ECT', 'Downlink', 'RTT', 'Djinn-Network'] as const

/** What every answer with household data depends on. */
export const varyOnCaller = 'Accept-Encoding, Authorization, Djinn-Household'

/** What an answer that is made for the caller's network depends on. */
export const varyOnNetwork = `${varyOnCaller}, ${networkHeaders.join(', ')}`

/** Below 1.5 Mbit/s or above 400 ms a network counts as slow: where the Network Information API draws the line to 3g and below. */
const slowDownlinkMbps = 1.5
const slowRttMs = 400
const fastDownlinkMbps = 5
const fastRttMs = 150

/** `Djinn-Network` is the app's own word and wins; else any sign of a slow network makes it slow, and two good ones fast. */
export function readNetwork(header: (name: string) => string | undefined): Network {
  const told = header('djinn-network')?.trim().toLowerCase()
  if (told === 'slow' || told === 'fast') return told
  const downlinkMbps = readNumber(header('downlink'))
  const rttMs = readNumber(header('rtt'))
  const slow =
    /^(on|\?1)(?![^\s;,])/i.test(header('save-data')?.trim() ?? '') ||
    ['slow-2g', '2g', '3g'].includes(header('ect')?.trim().toLowerCase() ?? '') ||
    (downlinkMbps !== null && downlinkMbps < slowDownlinkMbps) ||
    (rttMs !== null && rttMs > slowRttMs)
  if (slow) return 'slow'
  const fast = downlinkMbps !== null && downlinkMbps >= fastDownlinkMbps && rttMs !== null && rttMs <= fastRttMs
  return fast ? 'fast' : 'ordinary'
}

function readNumber(value: string | undefined): number | null {
  const trimmed = value?.trim() ?? ''
  return /^\d{1,6}(\.\d{1,3})?$/.test(trimmed) ? Number(trimmed) : null
}
