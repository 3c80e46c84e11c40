// A connector: reads a bank's entries as CSV, from a file or from standard input, and pushes them signed to a feed of Djinn.
//
//   DJINN_FEED_URL=https://djinn.example/api/feeds/<id> DJINN_FEED_KEY=... DJINN_FEED_SECRET=... node feed-connector.mjs [entries.csv]
//
// Node 20 or newer and nothing else. The first line names the columns: externalId, date (2026-01-31), amount (-3.20), payee, status (pending,
// posted, or removed for a pending entry that the bank took back), and, where there are any, rawPayee, note and pendingExternalId.
// It may be run as often as one likes, with entries that were pushed before: they add nothing.
import { createHmac } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'

const { DJINN_FEED_URL: url, DJINN_FEED_KEY: keyId, DJINN_FEED_SECRET: secret } = process.env
/** Minor digits of the account's currency: 2 for EUR, 0 for JPY. */
const digits = Number(process.env.DJINN_FEED_DIGITS ?? 2)
/** The first wait before a push is tried again; each further one is twice as long. */
const retryMs = Number(process.env.DJINN_FEED_RETRY_MS ?? 1_000)
const triesMax = 6
const rowsMax = 500

/** The fields of each line of a CSV text; a quoted field may hold commas, line ends and doubled quotes. */
function readCsv(text) {
  const lines = [[]]
  for (const [, quoted, plain, end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/g)) {
    lines.at(-1).push(quoted === undefined ? plain : quoted.replaceAll('""', '"'))
    if (end !== ',') lines.push([])
  }
  return lines.filter((fields) => fields.some((field) => field !== ''))
}

/** `-3.20` -> -320, without a float in between. */
function minorUnits(text) {
  const [, sign, whole, fraction = ''] = /^([+-]?)(\d+)(?:\.(\d+))?$/.exec(text.trim()) ?? fail(`"${text}" is no amount`)
  if (fraction.length > digits) fail(`"${text}" has more than ${digits} digits behind its point`)
  return Number(`${sign === '-' ? '-' : ''}${whole}${fraction.padEnd(digits, '0')}`)
}

function readEntries(text) {
  const [names, ...lines] = readCsv(text)
  return lines.map((fields) => {
    const entry = Object.fromEntries(names.map((name, index) => [name.trim(), fields[index] ?? '']).filter(([, field]) => field !== ''))
    return entry.status === 'removed' ? entry : { payee: '', ...entry, amount: minorUnits(entry.amount ?? '') }
  })
}

let lastMoment = 0
/** Never the same moment twice, so that no two pushes have one signature. */
function nextMoment() {
  lastMoment = Math.max(Math.floor(Date.now() / 1_000), lastMoment + 1)
  return String(lastMoment)
}

/** Sends one push until it is answered for good. Each try is signed anew: what had arrived already adds nothing. */
async function push(body) {
  for (let tryNumber = 1; ; tryNumber++) {
    const timestamp = nextMoment()
    const signature = createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex')
    const answer = await fetch(`${url}/transactions`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'djinn-key': keyId,
        'djinn-timestamp': timestamp,
        'djinn-signature': `v1=${signature}`,
      },
      body,
    }).catch((error) => error)
    if (answer.ok) return await answer.json()
    const reason = answer instanceof Error ? `${answer.message}: ${answer.cause?.message ?? ''}` : `${answer.status} ${await answer.text()}`
    // Another run within the second had the same signature; the next moment has another one.
    const isReplay = answer.status === 409 && reason.includes('"feed-replayed"')
    const isWorthATry = answer instanceof Error || isReplay || answer.status === 429 || answer.status >= 500
    if (!isWorthATry || tryNumber === triesMax) fail(reason)
    const retryAfterS = answer instanceof Error ? 0 : Number(answer.headers.get('retry-after') ?? 0)
    await setTimeout(Math.max(retryAfterS * 1_000, retryMs * 2 ** (tryNumber - 1)))
  }
}

function fail(reason) {
  console.error(`feed-connector: ${reason}`)
  process.exit(1)
}

if (!url || !keyId || !secret) fail('set DJINN_FEED_URL, DJINN_FEED_KEY and DJINN_FEED_SECRET')
const entries = readEntries(readFileSync(process.argv[2] ?? 0, 'utf8'))
const sum = { created: 0, updated: 0, unchanged: 0, removed: 0 }
for (let start = 0; start < entries.length; start += rowsMax) {
  const chunk = entries.slice(start, start + rowsMax)
  const answer = await push(
    JSON.stringify({
      transactions: chunk.filter(({ status }) => status !== 'removed'),
      removed: chunk.filter(({ status }) => status === 'removed').map(({ externalId }) => externalId),
    }),
  )
  for (const name of Object.keys(sum)) sum[name] += answer[name]
}
console.log(JSON.stringify(sum))
