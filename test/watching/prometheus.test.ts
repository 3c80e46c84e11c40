// What is shipped for watching works: the alerts at their limits, and every query of the dashboard on a real Prometheus.
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { makeOps } from '../../src/app/ops.ts'
import { open, type Djinn } from '../harness.ts'
import { missingPrometheus, openPrometheus, runTool } from '../prometheus.ts'

const skip = missingPrometheus()
const rulesFile = 'deploy/prometheus/djinn.rules.yml'
const queriesMsMax = 30_000

test('the configuration of Prometheus and Alertmanager is valid, and what is critical is told at once', { skip }, () => {
  runTool('promtool', 'check', 'config', 'deploy/prometheus/prometheus.yml')
  runTool('amtool', 'check-config', 'deploy/alertmanager/alertmanager.yml')
  const rules = readFileSync(rulesFile, 'utf8')
  for (const severity of rules.matchAll(/severity: (\w+)/g)) assert.match(severity[1]!, /^(?:critical|warning)$/)
})

test('alerts fire above their limits and are silent at them', { skip }, () => {
  runTool('promtool', 'test', 'rules', 'test/watching/alerts.yml')
})

test('limits that are moved to what they allow are noticed, each of them', { skip }, () => {
  const moved: [limit: string, other: string, alert: string][] = [
    ['p95_5m > 1 ', 'p95_5m >= 1 ', 'DjinnResponseVerySlow'],
    ['> 0.01 and', '>= 0.01 and', 'DjinnErrors'],
    ['connections) > 80', 'connections) >= 80', 'DjinnDatabaseConnections'],
    ['ratio > 0.8', 'ratio >= 0.8', 'DjinnDiskFull'],
    ['p95_5m > 0.5 ', 'p95_5m >= 0.5 ', 'DjinnResponseSlow'],
    ['ratio > 0.7', 'ratio > 0.69', 'DjinnMemory'],
    ['5m < 0.9 ', '5m <= 0.9 ', 'DjinnCacheHits'],
  ]
  const dir = mkdtempSync(join(tmpdir(), 'djinn-rules-'))
  try {
    let rules = readFileSync(rulesFile, 'utf8')
    for (const [limit, other] of moved) {
      assert.ok(rules.includes(limit), limit)
      rules = rules.replaceAll(limit, other)
    }
    writeFileSync(join(dir, 'djinn.rules.yml'), rules)
    writeFileSync(join(dir, 'alerts.yml'), readFileSync('test/watching/alerts.yml', 'utf8').replace('../../deploy/prometheus/', ''))
    assert.throws(
      () => runTool('promtool', 'test', 'rules', join(dir, 'alerts.yml')),
      ({ message }: Error) => {
        // It lists what fired and was not to.
        for (const [, , alert] of moved) assert.ok(message.includes(`alertname="${alert}"`), `${alert} is not noticed: ${message}`)
        return true
      },
    )
  } finally {
    rmSync(dir, { recursive: true })
  }
})

test('docs/monitoring.md tells of every alert, and each says what to do', () => {
  const rules = readFileSync(rulesFile, 'utf8')
  const alerts = [...rules.matchAll(/alert: (\w+)/g)].map((found) => found[1]!)
  const told = [...readFileSync('docs/monitoring.md', 'utf8').matchAll(/^\| \**(Djinn\w+)\** \|/gm)].map((found) => found[1]!)
  assert.deepEqual(told, alerts)
  assert.equal([...rules.matchAll(/^ +action: '/gm)].length, alerts.length)
})

test('the operations whose answers are downloads are those that the rules leave out', async () => {
  await using djinn = await open()
  const [, pattern = ''] = /operation!~"([^"]+)"/.exec(readFileSync(rulesFile, 'utf8'))!
  const leftOut = new RegExp(`^(?:${pattern.replaceAll('\\\\', '\\')})$`)
  const downloads = djinn.api.operations.filter(({ effect, path }) => effect === 'stream' && path !== '/api/events')
  assert.deepEqual(
    djinn.api.operations.filter(({ name }) => leftOut.test(name)).map(({ name }) => name),
    downloads.map(({ name }) => name),
  )
})

type Panel = { title: string; type: string; id: number; gridPos: Record<'x' | 'y' | 'w' | 'h', number>; targets?: { expr: string }[] }

/** Every query that is shipped: those of panels, of recorded series and of alerts. */
function shippedQueries(panels: readonly Panel[]): Map<string, string> {
  const queries = new Map(panels.flatMap((panel) => (panel.targets ?? []).map(({ expr }) => [expr, panel.title] as const)))
  for (const [, name] of readFileSync(rulesFile, 'utf8').matchAll(/record: (\S+)/g)) queries.set(name!, 'rules')
  return queries
}

/** What people do, and what an operator's databases do meanwhile. */
async function oneRound(djinn: Djinn, person: Awaited<ReturnType<Djinn['person']>>, accountId: string) {
  await person.post('/api/transactions', { accountId, date: '2026-01-01', amount: -100 })
  await person.get('/api/transactions')
  await djinn.call('GET', '/api/system/currencies')
  await djinn.resources.watch.look()
}

test('every query of the dashboard returns data from a Prometheus that scrapes a service under load', { skip }, async () => {
  await using djinn = await open()
  const ops = makeOps(djinn.resources, () => djinn.url)
  const address = await ops.listen({ host: '127.0.0.1', port: 0 })
  const prometheus = await openPrometheus(new URL(address).host)
  try {
    const dashboard = JSON.parse(readFileSync('deploy/grafana/dashboards/djinn.json', 'utf8')) as { panels: Panel[] }
    const waiting = shippedQueries(dashboard.panels)
    assert.ok(waiting.size > 50)
    const person = await djinn.person()
    const accountId = await person.account()
    const untilMs = Date.now() + queriesMsMax
    for (let round = 0; waiting.size > 0 && Date.now() < untilMs; round++) {
      await oneRound(djinn, person, accountId)
      // What a connection counted is told when it ends, at the latest.
      if (round === 2)
        await djinn.sql(
          `select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = current_database() and application_name = 'djinn'`,
        )
      if (round < 6) await setTimeout(100)
      else {
        for (const expression of waiting.keys()) {
          const result = await prometheus.query(expression)
          if (result.length > 0 && result.every(({ value }) => Number.isFinite(Number(value[1])))) waiting.delete(expression)
        }
      }
    }
    assert.deepEqual([...waiting], [], 'queries without data, and where they stand')
    const { groups } = (await prometheus.get('rules')) as { groups: { rules: { name: string; health: string; lastError?: string }[] }[] }
    for (const rule of groups.flatMap(({ rules }) => rules)) assert.equal(rule.health, 'ok', `${rule.name}: ${rule.lastError ?? ''}`)
    const critical = await prometheus.query('ALERTS{severity="critical",alertname!="DjinnDiskFull"}')
    assert.deepEqual(critical, [], 'a service that is well')
  } finally {
    await prometheus.close()
    await ops.close()
  }
})

test('panels have distinct ids, overlap nowhere, and name only metrics and rules that are there', async () => {
  const { panels } = JSON.parse(readFileSync('deploy/grafana/dashboards/djinn.json', 'utf8')) as { panels: Panel[] }
  assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length)
  const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
    Array.from({ length: w * h }, (_, cell) => `${x + (cell % w)} ${y + Math.floor(cell / w)}`),
  )
  assert.equal(new Set(cells).size, cells.length, 'panels overlap')
  const listed = new Set([...readFileSync('docs/metrics.md', 'utf8').matchAll(/^\| `(\w+)`/gm)].map((found) => found[1]!))
  const rules = readFileSync(rulesFile, 'utf8')
  const recorded = new Set([...rules.matchAll(/record: (\S+)/g)].map((found) => found[1]!))
  const expressions = [...panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr)), ...rules.matchAll(/\bdjinn[\w:]+/g)].map(
    String,
  )
  for (const [name] of expressions.join('\n').matchAll(/\b(?:djinn|process|nodejs)[_:][\w:]+/g)) {
    const metric = name.replace(/_(?:bucket|sum|count)$/, '')
    assert.ok(recorded.has(name) || listed.has(name) || listed.has(metric), name)
  }
})
