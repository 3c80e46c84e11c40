// djinn load as it is called: what it refuses before it sends anything.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { isLoopback, loadCommand } from '../../src/commands/load.ts'
import { GeneratorWatch } from '../../src/load/generator-watch.ts'
import { parseSamples, serverFigures } from '../../src/load/ops-metrics.ts'
import { readSessions } from '../../src/load/sessions.ts'

/** Calls the command; answers what it refused with, or printed. */
async function djinn(...args: string[]): Promise<string> {
  let printed = ''
  const write = (text: string) => void (printed += text)
  const command = loadCommand().exitOverride().configureOutput({ writeOut: write, writeErr: write })
  try {
    await command.parseAsync(args, { from: 'user' })
  } catch (error) {
    return `${printed}${(error as Error).message}`
  }
  return printed
}

test('only this machine is called, unless the caller says that the other one is theirs', async () => {
  for (const url of ['http://127.0.0.1:8080', 'http://localhost', 'http://[::1]:8080', 'http://127.8.8.8'])
    assert.ok(isLoopback(new URL(url)), url)
  for (const url of ['http://10.0.0.1', 'http://example.org', 'http://127.0.0.1.example.org', 'http://[::2]', 'http://0.0.0.0']) {
    assert.ok(!isLoopback(new URL(url)), url)
  }
  assert.match(await djinn('--url', 'http://192.0.2.1:8080'), /192\.0\.2\.1 is not this machine; --yes-it-is-mine/)
})

test('the help has examples and says how it exits', async () => {
  const text = await djinn('--help')
  assert.match(text, /Example:\n {2}djinn load/)
  assert.match(text, /3 void/)
})

test('options out of bounds are refused', async () => {
  const refusals = {
    '--rate 0': /A whole number from 1 to 10000/,
    '--rate 10001': /A whole number from 1 to 10000/,
    '--duration 5h': /A time such as 20s/,
    '--duration 20': /A time such as 20s/,
    '--connections 1000000': /A whole number from 1 to 15000/,
    '--scenario storm': /Allowed choices are normal, peak, sustained, spike/,
    '--sign-up 1001': /A whole number from 1 to 1000/,
    '--url http://127.0.0.1/api': /--url must be http:\/\/host:port/,
    '--url ftp://127.0.0.1': /--url must be http:\/\/host:port/,
    '--tokens x --sign-up 2': /not both/,
  }
  for (const [args, refusal] of Object.entries(refusals)) assert.match(await djinn(...args.split(' ')), refusal)
})

test('a tokens file is read line by line, and a line that is no session is named', async () => {
  const line = '{"accessToken":"a.b-c","userId":"u","householdId":"h","more":1}'
  assert.deepEqual(readSessions(`${line}\n\n${line}\n`, 'file').length, 2)
  for (const wrong of ['{}', 'no', '[]', 'null', '{"accessToken":"a\\r\\nHost: x","userId":"u","householdId":"h"}']) {
    assert.throws(() => readSessions(`${line}\n${wrong}`, 'file'), /file:2 is not/)
  }
  assert.throws(() => readSessions('\n', 'file'), /no sessions/)
  const folder = mkdtempSync(join(tmpdir(), 'load-'))
  writeFileSync(join(folder, 'tokens'), 'no')
  assert.match(await djinn('--tokens', join(folder, 'tokens')), /tokens:1 is not/)
  rmSync(folder, { recursive: true })
})

test('a second with late requests is the generator’s, and too many of them void the run', () => {
  const watch = new GeneratorWatch()
  watch.seconds = 100
  watch.limitedSeconds = 5
  assert.equal(watch.void, false)
  watch.limitedSeconds = 6
  assert.equal(watch.void, true)
  const late = new GeneratorWatch()
  late.start()
  for (let at = 0; at < 98; at++) late.dispatched(1)
  for (let at = 0; at < 2; at++) late.dispatched(21)
  late.stop()
  assert.deepEqual([late.seconds, late.limitedSeconds], [1, 1])
})

test('what the server says is the difference between two scrapes, all statements together', () => {
  const scrape = (fast: number, slow: number, cpu: number) =>
    parseSamples(
      [
        '# HELP djinn_statement_duration_seconds Time',
        `djinn_statement_duration_seconds_bucket{le="0.01",statement="a \\"b\\""} ${fast}`,
        `djinn_statement_duration_seconds_bucket{le="0.03",statement="a \\"b\\""} ${fast}`,
        `djinn_statement_duration_seconds_bucket{le="+Inf",statement="a \\"b\\""} ${fast}`,
        'djinn_statement_duration_seconds_bucket{le="0.01",statement="c"} 0',
        'djinn_statement_duration_seconds_bucket{le="0.03",statement="c"} 0',
        `djinn_statement_duration_seconds_bucket{le="+Inf",statement="c"} ${slow}`,
        `process_cpu_seconds_total ${cpu}`,
        'process_resident_memory_bytes 1.5e+08',
        'djinn_active_connections 7',
      ].join('\n'),
    )
  const figures = serverFigures(scrape(1_000, 500, 10), scrape(1_096, 504, 12.5))
  assert.deepEqual(figures, {
    statements: 100,
    statementMs: { p50: 10, p95: 10, p99: null },
    statementsWithin30Ms: 0.96,
    cpuSeconds: 2.5,
    residentBytesBefore: 1.5e8,
    residentBytesAfter: 1.5e8,
    openConnections: 7,
  })
  assert.equal(serverFigures([], []).statementMs, null)
})
