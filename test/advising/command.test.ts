// djinn advise and djinn inspect from a process of their own, beside a service or without one.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { cluster, open, type Djinn } from '../harness.ts'
import { databaseUrl, withClient } from '../cluster.ts'

const executable = fileURLToPath(new URL('../../bin/djinn.js', import.meta.url))

async function djinnCommand(args: string[], environment: Record<string, string>) {
  const child = spawn(process.execPath, [executable, ...args], {
    env: { PATH: process.env['PATH'], LOG_LEVEL: 'silent', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const [out, errors, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit') as Promise<[number]>])
  return { out, errors, code }
}
const at = ({ adminUrl }: Djinn) => ({ DATABASE_URL: adminUrl })

test('advise prints the advice and the capacity, as text or as JSON with these names and no others', async () => {
  await using djinn = await open()
  const json = await djinnCommand(['advise', '--json', '--declare', 'team-size=21', 'zero-downtime=yes'], at(djinn))
  assert.deepEqual([json.code, json.errors], [0, ''])
  const answer = JSON.parse(json.out) as {
    advice: { trigger: string; verdict: string; value: number | null }[]
    capacity: { users: number | null }
  }
  assert.deepEqual(Object.keys(answer), ['advice', 'capacity'])
  const now = answer.advice.filter(({ verdict }) => verdict === 'now').map(({ trigger }) => trigger)
  assert.deepEqual(now, ['horizontal-zero-downtime', 'microservices-team'])
  const plain = await djinnCommand(['advise', '--forget', 'team-size'], at(djinn))
  assert.equal(plain.code, 0)
  assert.match(plain.out, /^ {2}not yet +microservices-team +people who change the code: not declared /m)
  assert.match(plain.out, /^ {2}now +horizontal-zero-downtime +a restart may not cost a request: yes$/m)
  assert.match(plain.out, /^ +24\.35 {2}two API servers, database, replica, load balancer$/m)
  assert.match(plain.out, /^How many users this server takes is not known yet: /m)
})

test('what cannot be declared, or a form that is none, is one line and changes nothing', async () => {
  await using djinn = await open()
  for (const [args, message] of [
    [['--declare', 'team-size=6', 'mood=good'], /^djinn: there is no fact "mood": team-size, /],
    [['--declare', 'team-size=many'], /^djinn: team-size is a whole number up to 1000000, not "many"\n$/],
    [['--declare', 'zero-downtime=1'], /^djinn: zero-downtime is yes or no, not "1"\n$/],
    [['--declare', 'team-size=-1'], /^djinn: team-size is a whole number/],
    [['--forget', 'mood'], /^djinn: there is no fact "mood"/],
    [['--json', '--watch'], /cannot be used with option/],
  ] as const) {
    const { out, errors, code } = await djinnCommand(['advise', ...args], at(djinn))
    assert.deepEqual([out, code], ['', 1], args.join(' '))
    assert.match(errors, message)
  }
  assert.deepEqual(await djinn.sql('select name from declared_facts'), [])
})

test('both have help with an example and their exit codes', async () => {
  for (const verb of ['advise', 'inspect']) {
    const { out, code } = await djinnCommand([verb, '--help'], {})
    assert.equal(code, 0)
    assert.match(out, /\nExit: 0 it could /)
    assert.match(out, new RegExp(`\\nExample:\\n  djinn ${verb}`))
  }
})

test('--watch goes on until it is told to end', async () => {
  await using djinn = await open()
  const child = spawn(process.execPath, [executable, 'advise', '--watch'], {
    env: { PATH: process.env['PATH'], LOG_LEVEL: 'silent', ...at(djinn) },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const out = text(child.stdout)
  await once(child.stdout, 'data')
  child.kill('SIGINT')
  assert.deepEqual(await once(child, 'exit'), [0, null])
  await out
})

type Inspected = { ok: boolean; complete: boolean; checks: { section: string; check: string; value: number | null; verdict: string }[] }

test('inspect looks at a database that runs elsewhere, exit 0 whatever it sees', async () => {
  await using djinn = await open()
  await djinn.sql('drop index journal_by_time')
  const { out, code } = await djinnCommand(['inspect', '--json'], at(djinn))
  assert.equal(code, 0)
  const { ok, complete, checks } = JSON.parse(out) as Inspected
  assert.deepEqual([ok, complete], [false, true])
  assert.ok(checks.some(({ section, verdict }) => section === 'indexes' && verdict === 'red'))
  const plain = await djinnCommand(['inspect'], at(djinn))
  assert.equal(plain.code, 0)
  assert.match(
    plain.out,
    /^RED +indexes: missing +1 indexes \(red above 0\)\n +create index journal_by_time on journal \(household_id, at, number\);$/m,
  )
})

test('a database that does not answer, or was never migrated, is told beside the host, exit 1', async () => {
  const gone = await djinnCommand(['inspect', '--json'], { DATABASE_URL: 'postgres://nobody:secret-enough@127.0.0.1:1/djinn' })
  const looked = JSON.parse(gone.out) as Inspected
  assert.deepEqual([gone.code, looked.complete], [1, false])
  assert.ok(looked.checks.some(({ section }) => section === 'host'))
  assert.equal(looked.checks.at(-1)!.verdict, 'red')
  const { adminUrl } = await cluster()
  await withClient(adminUrl, (client) => client.query('create database empty'))
  const empty = { DATABASE_URL: databaseUrl(adminUrl, 'empty') }
  const unmigrated = await djinnCommand(['inspect'], empty)
  assert.equal(unmigrated.code, 1)
  assert.match(unmigrated.out, /run djinn migrate first/)
  const advised = await djinnCommand(['advise'], empty)
  assert.equal(advised.code, 1)
  assert.match(advised.errors, /^djinn: .*: run djinn migrate first\n$/)
  await withClient(adminUrl, (client) => client.query('drop database empty'))
})

test('without a database of its own it looks at the embedded one, which need not run', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'djinn-inspect-'))
  try {
    const { out, code } = await djinnCommand(['inspect', '--json'], { DJINN_DATA_DIR: dataDir })
    assert.equal(code, 0)
    const { complete, checks } = JSON.parse(out) as Inspected
    assert.equal(complete, true)
    assert.ok(checks.some(({ check, value }) => check === "of PostgreSQL's data" && value !== null))
  } finally {
    rmSync(dataDir, { recursive: true, force: true })
  }
})
