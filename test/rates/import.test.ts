// djinn rates, as an operator calls it, and the daily job: what is imported, refused, corrected and left.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { after, beforeEach, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { demoRates } from '../../src/app/demo-history.ts'
import { schedule } from '../../src/app/tasks.ts'
import { rateTasks } from '../../src/features/rates/jobs.ts'
import { addDemoRates, DifferingRates, importRateFile, type Policy } from '../../src/features/rates/rate-import.ts'
import { UnreadableRates } from '../../src/features/rates/rate-file.ts'
import { addDays, dayOf } from '../../src/values/day.ts'
import { limits } from '../../src/values/limits.ts'
import { open } from '../harness.ts'
import { openFileServer } from './file-server.ts'
import { zipOf } from './zip-file.ts'

const djinn = await open()
const server = await openFileServer()
const folder = mkdtempSync(join(tmpdir(), 'djinn-rates-'))
after(async () => {
  await server.close()
  await djinn.close()
  rmSync(folder, { recursive: true })
})
beforeEach(() => djinn.sql('truncate exchange_rates, exchange_rate_corrections'))

const program = fileURLToPath(new URL('../../bin/djinn.js', import.meta.url))
const sample = (name: string) => fileURLToPath(new URL(`files/${name}`, import.meta.url))
const write = (name: string, content: string | Buffer) => {
  writeFileSync(join(folder, name), content)
  return join(folder, name)
}

async function rates(args: string[], environment: Record<string, string> = {}) {
  const child = spawn(process.execPath, [program, 'rates', ...args], {
    env: {
      PATH: process.env['PATH'],
      NODE_ENV: 'test',
      LOG_LEVEL: 'silent',
      DATABASE_URL: djinn.resources.config.databaseUrl,
      DATABASE_DIRECT_URL: djinn.adminUrl,
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const [out, errors, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit') as Promise<[number]>])
  return { out, errors, code }
}

const today = dayOf(Date.now(), 'UTC')
const take = (content: string | Buffer, policy: Policy = 'refuse', on = today) =>
  importRateFile(djinn.resources.directDatabase, Buffer.from(content), policy, on)
const kept = async () =>
  (
    await djinn.sql<{ told: string }>(
      `select concat_ws(' ', currency, day, rate, source) as told from exchange_rates order by currency, day`,
    )
  ).map(({ told }) => told)
const corrections = async () =>
  (
    await djinn.sql<{ told: string }>(
      `select concat_ws(' ', currency, day, old, coalesce(new::text, '-')) as told from exchange_rate_corrections order by id`,
    )
  ).map(({ told }) => told)
const ofDay = ['CZK 2024-03-13 25.25 ecb', 'JPY 2024-03-13 161.25 ecb', 'KRW 2024-03-13 1444.5 ecb', 'USD 2024-03-13 1.1111 ecb']

test('the command imports each form, once; the same file again adds nothing', async () => {
  for (const name of ['eurofxref.csv', 'eurofxref-daily.xml', 'eurofxref-daily.xml']) {
    const { out, errors, code } = await rates(['import', sample(name), '--json'])
    assert.deepEqual([code, errors], [0, ''])
    const again = (await kept()).length > 0 && name !== 'eurofxref.csv'
    const { ok, added, unchanged, days } = JSON.parse(out)
    assert.deepEqual(
      { ok, added, unchanged, days },
      { ok: true, added: again ? 0 : 4, unchanged: again ? 4 : 0, days: { first: '2024-03-13', last: '2024-03-13' } },
    )
  }
  assert.deepEqual(await kept(), ofDay)
  const history = write('eurofxref-hist.zip', zipOf([{ name: 'eurofxref-hist.csv', content: readFileSync(sample('eurofxref-hist.csv')) }]))
  const { out, code } = await rates(['import', history])
  assert.equal(code, 0)
  assert.equal(
    out,
    'Read 12 rates from 2007-12-31 to 2024-03-13 (ecb-csv): 9 added, 3 there already, 0 corrected.\nSkipped, for they are not in force any more: CYP (1), HRK (2), LTL (2).\n',
  )
  const listed = await rates(['list', '--day', '2024-03-14'])
  assert.equal(
    listed.out,
    'CZK           25.25  2024-03-13  ecb\nJPY          161.25  2024-03-13  ecb\nKRW          1444.5  2024-03-13  ecb\nUSD          1.1111  2024-03-13  ecb\n',
  )
  const asJson = JSON.parse((await rates(['list', '--day', '2012-07-01', '--json'])).out)
  assert.deepEqual(asJson.data[0], { currency: 'CZK', day: '2012-06-29', rate: '25.555', source: 'ecb' })
  assert.match((await rates(['list', '--day', '2012-07-10'])).out, /^There are no rates on 2012-07-10/)
  assert.deepEqual(await corrections(), [])
})

test('another value for what is there refuses the whole file with exit 1, until it is corrected', async () => {
  await rates(['import', sample('eurofxref.csv')])
  const changed = write('changed.csv', 'Date,USD,JPY,CHF,\n2024-03-13,1.2,161.250,0.95,\n2024-03-14,1.3,161.5,0.96,\n')
  const refused = await rates(['import', changed])
  assert.deepEqual([refused.code, refused.out], [1, ''])
  assert.equal(
    refused.errors,
    'djinn: 1 rate differs from what is there; nothing was written; --correct replaces them\n  USD 2024-03-13: 1.1111 (ecb) -> 1.2\n',
  )
  const asJson = await rates(['import', changed, '--json'])
  assert.equal(asJson.code, 1)
  assert.deepEqual(JSON.parse(asJson.out), {
    ok: false,
    differing: 1,
    differences: [{ currency: 'USD', day: '2024-03-13', old: '1.1111', new: '1.2', source: 'ecb' }],
  })
  assert.deepEqual(await kept(), ofDay)
  const corrected = await rates(['import', changed, '--correct'])
  assert.deepEqual([corrected.code, corrected.errors], [0, ''])
  assert.match(corrected.out, /: 4 added, 1 there already, 1 corrected\.\n {2}USD 2024-03-13: 1\.1111 \(ecb\) -> 1\.2\n$/)
  assert.deepEqual(
    (await kept()).filter((row) => row.startsWith('USD')),
    ['USD 2024-03-13 1.2 ecb', 'USD 2024-03-14 1.3 ecb'],
  )
  assert.deepEqual(await corrections(), ['USD 2024-03-13 1.1111 1.2'])
  assert.equal((await rates(['import', changed])).code, 0)
  await djinn.verify()
})

test('a broken file, a missing one and a wrong call are one clear line, exit 1, and nothing is written', async () => {
  const broken = write('broken.csv', 'Date,USD,\n2024-03-13,1.1,\n2024-03-12,one,\n')
  for (const [args, message] of [
    [['import', broken], /^djinn: line 3, column 2: "one" is no rate of USD: a positive number such as 1\.0912\n$/],
    [['import', broken, '--json'], /^djinn: line 3, column 2/],
    [['import', join(folder, 'missing.xml')], /^djinn: ENOENT[^\n]+\n$/],
    [['import', folder], /^djinn: EISDIR[^\n]+\n$/],
    [['import', 'http://rates.example.org/x'], /^djinn: The URL must be an https URL[^\n]+\n$/],
    [['import', 'file:///etc/passwd'], /^djinn: The URL must be an https URL[^\n]+\n$/],
    [['import'], /^djinn: name a file or a URL, or set RATES_URL\n$/],
    [['list', '--day', '2024-02-30'], /^djinn: --day must be a calendar day such as 2026-02-27, not "2024-02-30"\n$/],
    [['import', broken, '--force'], /unknown option '--force'/],
    [['convert'], /unknown command 'convert'/],
  ] as [string[], RegExp][]) {
    const { out, errors, code } = await rates(args)
    assert.deepEqual([code, out], [1, ''], `${args.join(' ')}: ${errors}`)
    assert.match(errors, message)
  }
  assert.deepEqual(await kept(), [])
})

test('help shows an example and succeeds', async () => {
  for (const args of [['--help'], ['import', '--help'], ['list', '--help']]) {
    const { out, code } = await rates(args)
    assert.equal(code, 0)
    assert.match(out, /Example:\n {2}djinn rates /)
  }
})

test('a file may be fetched, from the URL that is named or the one that is configured', async () => {
  server.routes['/eurofxref.csv'] = (response) => response.end(readFileSync(sample('eurofxref.csv')))
  server.routes['/eurofxref-daily.xml'] = (response) => response.writeHead(302, { location: '/eurofxref.csv' }).end()
  assert.equal((await rates(['import', `${server.url}/eurofxref-daily.xml`])).code, 0)
  assert.deepEqual(await kept(), ofDay)
  const configured = await rates(['import', '--json'], { RATES_URL: `${server.url}/eurofxref.csv` })
  assert.equal(JSON.parse(configured.out).unchanged, 4)
  const missing = await rates(['import', `${server.url}/missing.xml`])
  assert.deepEqual([missing.code, missing.errors], [1, `djinn: ${server.url}/missing.xml: answered 404\n`])
})

test('a day that is not yet is refused, and all of its file', async () => {
  const csv = `Date,USD,\n${today},1.1,\n${addDays(today, -1)},1.1,\n`
  await assert.rejects(
    take(csv, 'refuse', addDays(today, -1)),
    /The rate of USD is of \d{4}-\d\d-\d\d, which is not yet; nothing was written/,
  )
  assert.deepEqual(await kept(), [])
  assert.equal((await take(csv)).added, 2)
})

test('a history of 25 years is imported in bulk, and taken in again without a change', async () => {
  const codes = ['USD', 'JPY', 'CZK', 'DKK', 'GBP', 'HUF', 'PLN', 'RON', 'SEK', 'CHF']
  const rows: string[] = []
  for (let day = '1999-01-04'; day < '2024-01-01'; day = addDays(day, 1)) {
    if (new Date(day).getUTCDay() % 6 !== 0) rows.push(`${day},${codes.map((_, nth) => `${nth + 1}.${rows.length}1`).join(',')},`)
  }
  const csv = [`Date,${codes.join(',')},`, ...rows.toReversed(), ''].join('\n')
  const count = rows.length * codes.length
  assert.ok(count > 65_000)
  const first = await take(csv)
  assert.deepEqual([first.added, first.unchanged], [count, 0])
  const again = await take(csv)
  assert.deepEqual([again.added, again.unchanged], [0, count])
  assert.deepEqual(await djinn.sql('select count(*)::int as count from exchange_rates'), [{ count }])
  const last = csv.replace(/^(1999-01-04),1\.01,/m, '$1,1.02,')
  await assert.rejects(take(last), (error: unknown) => error instanceof DifferingRates && error.count === 1)
})

test('when very many differ all are counted and a thousand are named', async () => {
  const days = Array.from({ length: 7_000 }, (_, nth) => addDays('2000-01-01', nth))
  const csv = (rate: string) => ['Date,USD,', ...days.map((day) => `${day},${rate},`)].join('\n')
  await take(csv('1.1'))
  await assert.rejects(take(csv('1.2')), (error: unknown) => {
    assert.ok(error instanceof DifferingRates)
    assert.deepEqual([error.count, error.differences.length], [7_000, limits.statementRowsMax])
    return true
  })
  const { corrected, left } = await take(csv('1.2'), 'correct')
  assert.deepEqual([corrected, left], [7_000, 0])
  assert.equal((await corrections()).length, 7_000)
})

test('two imports at once are both whole, or the second finds what differs', async () => {
  const days = Array.from({ length: 6_000 }, (_, nth) => addDays('2000-01-01', nth))
  const csv = (rate: string, order: readonly string[]) => ['Date,USD,JPY,', ...order.map((day) => `${day},${rate},100,`)].join('\n')
  const same = await Promise.all([take(csv('1.1', days)), take(csv('1.1', days.toReversed()))])
  assert.equal(same[0].added + same[1].added, 12_000)
  await djinn.sql('truncate exchange_rates')
  const outcomes = await Promise.allSettled([take(csv('1.1', days)), take(csv('1.2', days))])
  const failed = outcomes.filter((outcome) => outcome.status === 'rejected')
  assert.equal(failed.length, 1)
  assert.ok(failed[0]!.reason instanceof DifferingRates)
  assert.equal(new Set((await kept()).filter((row) => row.startsWith('USD')).map((row) => row.split(' ')[2])).size, 1)
})

test("a demo's made-up rates make way for a file, and never take the place of one", async () => {
  const demo = demoRates('2024-03-15')
  await addDemoRates(djinn.resources.directDatabase, demo)
  await addDemoRates(djinn.resources.directDatabase, demoRates('2024-03-25'))
  assert.equal((await kept()).length, demo.length + 6)
  const { added, demoDropped } = await take(readFileSync(sample('eurofxref.csv')))
  assert.equal(added, 4)
  assert.equal(demoDropped, (demo.length + 6) * (2 / 3))
  const left = await kept()
  assert.deepEqual(
    left.filter((row) => !row.startsWith('GBP')),
    ofDay,
  )
  assert.equal((await corrections()).length, demoDropped)
  await addDemoRates(djinn.resources.directDatabase, demo)
  assert.deepEqual(await kept(), left)
  await djinn.verify()
})

test("the demo's rates reach every day of its year", () => {
  for (const last of ['2024-03-15', '2024-03-16', '2024-03-17', '2024-03-18', '2024-02-29']) {
    const days = demoRates(last).map(({ day }) => day)
    assert.ok(days[0]! >= addDays(last, -374) && days[0]! <= addDays(last, -364))
    assert.ok(days.at(-1)! <= last && days.at(-1)! > addDays(last, -7))
    assert.equal(days.length % 3, 0)
  }
})

test('the daily job takes in what is new, and leaves and tells what differs', async () => {
  const warnings: unknown[] = []
  const log = { info: () => {}, warn: (fields: unknown) => void warnings.push(fields) }
  const path = '/hist-90d.csv'
  const job = (ratesUrl: string | undefined) =>
    rateTasks({ database: djinn.resources.directDatabase, ratesUrl, log, nowMs: Date.now })['importRates']!({})
  await job(undefined)
  server.routes[path] = (response) => response.end('Date,USD,\n2024-03-13,1.1,\n')
  await job(server.url + path)
  server.routes[path] = (response) => response.end('Date,USD,\n2024-03-14,1.3,\n2024-03-13,1.2,\n')
  await job(server.url + path)
  assert.deepEqual(await kept(), ['USD 2024-03-13 1.1 ecb', 'USD 2024-03-14 1.3 ecb'])
  assert.deepEqual(warnings, [{ currency: 'USD', day: '2024-03-13', old: '1.1', new: '1.2', source: 'ecb' }])
  assert.deepEqual(await corrections(), [])
  await assert.rejects(job(`${server.url}/missing`), /answered 404/)
  server.routes[path] = (response) => response.end('<html>maintenance</html>')
  await assert.rejects(job(server.url + path), UnreadableRates)
  assert.equal((await kept()).length, 2)
})

test('the queue runs the job on weekdays after the publication', async () => {
  assert.ok(schedule.some((line) => line.startsWith('30 16 * * 1-5 importRates ')))
  server.routes['/daily'] = (response) => response.end(readFileSync(sample('eurofxref-daily.xml')))
  await using other = await open({ RATES_URL: `${server.url}/daily` })
  const { makeTasks } = await import('../../src/app/tasks.ts')
  await other.sql(`select enqueue('importRates', '{}', 'importRates')`)
  await other.resources.queue.runOnce(makeTasks(other.resources))
  assert.deepEqual(await other.sql('select count(*)::int as count from exchange_rates'), [{ count: 4 }])
  assert.deepEqual(await other.resources.queue.count(), { waiting: 0, dead: 0 })
})
