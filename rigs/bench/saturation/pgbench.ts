// pgbench: statements of the service as its scripts, a run of it, and what it printed.
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** What stands for a parameter: a variable of the script, or null. */
export type Value = string | null

/** The statement with $1, $2, ... as variables. What pgbench would take for a variable of its own is refused. */
export function asCommand(text: string, values: readonly Value[]): string {
  const stray = /(?<!:):(?!:)\w+/.exec(text)
  if (stray) throw new Error(`pgbench would take ${stray[0]} for a variable: ${text}`)
  if (text.includes(';')) throw new Error(`one statement at a time: ${text}`)
  const command = text.replaceAll(/\$(\d+)/g, (_, number: string) => {
    const value = values[Number(number) - 1]
    if (value === undefined) throw new Error(`nothing stands for $${number}: ${text}`)
    return value === null ? 'null' : `:${value}`
  })
  return `${command};`
}

/** What one run of a script draws before its executions: columns named `<name>_<slot>`, one row by the number `draw`. */
export type Draw = { select: string; rows: number; slots: number }

/**
 * A script of `slots` executions with values of their own, drawn in one look-up: so the texts stay as they are (pgbench's own
 * variables are numbers), and the draw costs one statement in so many.
 */
export function scriptOf({ select, rows, slots }: Draw, commands: (slot: number) => string[]): string {
  const lines = [`\\set draw random(1, ${rows})`, `${select} \\gset`]
  for (let slot = 1; slot <= slots; slot++) lines.push(...commands(slot))
  return `${lines.join('\n')}\n`
}

/** Scripts a second in the later half, since at first connections are opened, statements planned and triggers compiled. */
export function readProgress(printed: string): number {
  const rates = [...printed.matchAll(/^progress: [\d.]+ s, ([\d.]+) tps, .*?(\d+) failed/gm)].map(([, tps, failed]) => {
    if (failed !== '0') throw new Error(`pgbench: ${failed} failed:\n${printed}`)
    return Number(tps)
  })
  const counted = rates.slice(Math.ceil(rates.length / 2))
  if (counted.length === 0) throw new Error(`pgbench told no progress:\n${printed}`)
  return counted.reduce((sum, rate) => sum + rate, 0) / counted.length
}

export type Script = { file: string; slots: number; variables: Record<string, string> }

export function writeScript(folder: string, name: string, text: string, slots: number, variables: Record<string, string>): Script {
  const file = join(folder, `${name}.sql`)
  writeFileSync(file, text)
  return { file, slots, variables }
}

export type Manner = { clients: number; seconds: number; planning: 'force_generic_plan' | 'auto' }

/** Executions a second. */
export async function runPgbench(pgbench: string, url: string, script: Script, { clients, seconds, planning }: Manner): Promise<number> {
  const { hostname, port, username, password, pathname } = new URL(url)
  const child = spawn(
    pgbench,
    [
      ...['--no-vacuum', '--protocol=prepared', '--progress=1', `--time=${seconds}`, `--file=${script.file}`],
      ...[`--client=${clients}`, `--jobs=${Math.min(2, clients)}`],
      ...Object.entries(script.variables).flatMap(([name, value]) => ['-D', `${name}=${value}`]),
      ...['-h', hostname, '-p', port, '-U', username, decodeURIComponent(pathname.slice(1))],
    ],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: process.env['PATH'], PGPASSWORD: decodeURIComponent(password), PGOPTIONS: `-c plan_cache_mode=${planning}` },
    },
  )
  let printed = ''
  child.stdout.on('data', (chunk) => (printed += String(chunk)))
  child.stderr.on('data', (chunk) => (printed += String(chunk)))
  const code = await new Promise((resolve, reject) => child.once('error', reject).once('close', resolve))
  if (code !== 0) throw new Error(`pgbench ended with ${String(code)}:\n${printed.slice(-2_000)}`)
  return readProgress(printed) * script.slots
}

const tools = process.env['DJINN_TEST_TOOLS'] ?? (process.getuid?.() === 0 ? '/var/cache/djinn' : join(homedir(), '.cache/djinn'))
const getTools = fileURLToPath(new URL('../../../test/tools/get-debian.sh', import.meta.url))
const fetchMsMax = 90_000

/** Where pgbench is: unpacked before, installed, or unpacked now; null where it cannot be had. */
export function findPgbench(say: (line: string) => void): string | null {
  const unpacked = join(tools, 'pgtools/pgbench')
  const works = (path: string) => spawnSync(path, ['--version'], { timeout: 5_000 }).status === 0
  if (existsSync(unpacked) && works(unpacked)) return unpacked
  if (works('pgbench')) return 'pgbench'
  say(`pgbench is not here: unpacking it from Debian into ${join(tools, 'pgtools')} (test/tools/get-debian.sh)`)
  spawnSync(getTools, [join(tools, 'pgtools'), 'postgresql-18,postgresql-client-18', 'forky', 'trixie'], {
    stdio: ['ignore', 2, 2],
    timeout: fetchMsMax,
  })
  return existsSync(unpacked) && works(unpacked) ? unpacked : null
}
