// The plans that PostgreSQL ran, of every statement that a service sends and of those inside functions and triggers, with what they read.
import pg from 'pg'
import { declaredStatements } from '../../src/resources/statement.ts'
import { withClient } from '../cluster.ts'
import type { Djinn } from '../harness.ts'

type Node = {
  'Node Type': string
  'Relation Name'?: string
  'Index Name'?: string
  'Actual Rows': number
  'Actual Loops': number
  'Rows Removed by Filter'?: number
  'Rows Removed by Index Recheck'?: number
  'Shared Hit Blocks'?: number
  'Shared Read Blocks'?: number
  Plans?: Node[]
}

export type Ran = {
  /** Of a statement that the service declares; of one within a function its text, shortened. */
  name: string
  declared: boolean
  text: string
  plan: Node
  /** Rows of tables: those that scans gave and those that they dropped. */
  rowsRead: number
  /** Rows that came out, or that were written. */
  rowsGiven: number
  pages: number
  /** Tables read from end to end. */
  scanned: string[]
  /** Rows of the largest sort. */
  rowsSorted: number
  indexes: string[]
}

const settings = {
  'auto_explain.log_min_duration': '0',
  'auto_explain.log_analyze': 'on',
  'auto_explain.log_buffers': 'on',
  'auto_explain.log_timing': 'off',
  'auto_explain.log_nested_statements': 'on',
  'auto_explain.log_format': 'json',
  // Told to whoever sent the statement.
  'auto_explain.log_level': 'notice',
  // As `djinn tune` sets it.
  random_page_cost: '1.1',
}

/** What the service's connections run while `work` does, with plans made for the values or for any. */
export async function plansOf(djinn: Djinn, mode: 'force_custom_plan' | 'force_generic_plan', work: () => Promise<void>): Promise<Ran[]> {
  const name = new URL(djinn.adminUrl).pathname.slice(1)
  await withClient(djinn.adminUrl, async (client) => {
    await client.query(`alter database ${name} set session_preload_libraries = 'auto_explain'`)
    for (const [setting, value] of Object.entries({ ...settings, plan_cache_mode: mode })) {
      await client.query(`alter database ${name} set ${setting} = '${value}'`)
    }
    // Connections take the settings when they are opened.
    await client.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where datname = $1 and usename = 'djinn_api' and application_name in ('djinn', 'djinn reads')`,
      [name],
    )
  })
  while ((await djinn.call('GET', '/health')).status !== 200 || djinn.resources.database.poolState.total > 0)
    await new Promise(setImmediate)
  const told: { 'Query Text': string; Plan: Node }[] = []
  const connect = Reflect.get(pg.Client.prototype, 'connect')
  pg.Client.prototype.connect = function (this: pg.Client, ...args: unknown[]) {
    this.on('notice', ({ message }) => {
      const json = /^duration: .*?plan:\s*(\{[\s\S]*)/.exec(message ?? '')?.[1]
      if (json) told.push(JSON.parse(json) as (typeof told)[number])
    })
    return Reflect.apply(connect, this, args)
  }
  try {
    await work()
  } finally {
    pg.Client.prototype.connect = connect
  }
  // Only now: lists are declared when they are first asked for.
  const names = new Map([...declaredStatements().values()].map((statement) => [statement.text, statement.name]))
  return told.map((one) => read(one, names))
}

function read({ 'Query Text': text, Plan: plan }: { 'Query Text': string; Plan: Node }, names: Map<string, string>): Ran {
  const declared = names.get(text.trim())
  const ran: Ran = {
    name: declared ?? text.replaceAll(/\s+/g, ' ').trim().slice(0, 100),
    declared: declared !== undefined,
    text,
    plan,
    rowsRead: 0,
    rowsGiven: plan['Actual Rows'] * plan['Actual Loops'],
    pages: (plan['Shared Hit Blocks'] ?? 0) + (plan['Shared Read Blocks'] ?? 0),
    scanned: [],
    rowsSorted: 0,
    indexes: [],
  }
  const walk = (node: Node) => {
    const type = node['Node Type']
    const loops = node['Actual Loops']
    if (['Seq Scan', 'Index Scan', 'Index Only Scan', 'Bitmap Heap Scan', 'Tid Scan'].includes(type)) {
      const dropped = (node['Rows Removed by Filter'] ?? 0) + (node['Rows Removed by Index Recheck'] ?? 0)
      ran.rowsRead += Math.round((node['Actual Rows'] + dropped) * loops)
    }
    if (type === 'Seq Scan' && loops > 0) ran.scanned.push(node['Relation Name']!)
    if (type === 'Sort' || type === 'Incremental Sort') ran.rowsSorted = Math.max(ran.rowsSorted, node.Plans?.[0]?.['Actual Rows'] ?? 0)
    if (type === 'ModifyTable')
      for (const child of node.Plans ?? []) ran.rowsGiven = Math.max(ran.rowsGiven, child['Actual Rows'] * child['Actual Loops'])
    if (node['Index Name'] && loops > 0) ran.indexes.push(node['Index Name'])
    node.Plans?.forEach(walk)
  }
  walk(plan)
  return ran
}
