// Prometheus and its tools for the tests, as test/tools/get-debian.sh unpacks them; nothing is installed.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from './pgbouncer.ts'
import { started } from './started.ts'

const tools = process.env['DJINN_TEST_TOOLS'] ?? (process.getuid?.() === 0 ? '/var/cache/djinn' : join(homedir(), '.cache/djinn'))
const programs = ['prometheus', 'promtool', 'amtool'] as const
type Program = (typeof programs)[number]
const pathOf = (program: Program) => join(tools, 'prometheus', program)

/** For a test's `skip`: false when all are there, else which one is missing. */
export function missingPrometheus(): string | false {
  const missing = programs.find((program) => !existsSync(pathOf(program)))
  return missing === undefined ? false : `no ${missing} under ${tools}/prometheus: test/tools/get-debian.sh brings it`
}

/** Runs a tool to its end; what it says when it fails is thrown. */
export function runTool(program: Program, ...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(pathOf(program), args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}\n${stdout}${stderr}`)
  return stdout
}

export type QueryResult = { metric: Record<string, string>; value: [number, string] }
export type Prometheus = {
  query: (expression: string) => Promise<QueryResult[]>
  get: (path: string) => Promise<unknown>
  close: () => Promise<void>
}

/** Runs Prometheus with the shipped configuration, on other ports and in quicker steps. */
export async function openPrometheus(target: string): Promise<Prometheus> {
  const dir = mkdtempSync(join(tmpdir(), 'djinn-prometheus-'))
  const port = await freePort()
  const shipped = readFileSync('deploy/prometheus/prometheus.yml', 'utf8')
  const quick = shipped
    .replaceAll(/(scrape_interval|scrape_timeout|evaluation_interval): \d+s/g, '$1: 200ms')
    .replace(/127\.0\.0\.1:9464/, target)
  cpSync('deploy/prometheus/djinn.rules.yml', join(dir, 'djinn.rules.yml'))
  writeFileSync(join(dir, 'prometheus.yml'), quick)
  const child = spawn(
    pathOf('prometheus'),
    [`--config.file=${join(dir, 'prometheus.yml')}`, `--storage.tsdb.path=${join(dir, 'data')}`, `--web.listen-address=127.0.0.1:${port}`],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  )
  await started(child, child.stderr, 'Prometheus', 'ready to receive web requests')
  const get = async (path: string) => {
    const answer = (await (await fetch(`http://127.0.0.1:${port}/api/v1/${path}`)).json()) as {
      status: string
      data: unknown
      error?: string
    }
    if (answer.status !== 'success') throw new Error(`${path}: ${answer.error}`)
    return answer.data
  }
  return {
    get,
    query: async (expression) => ((await get(`query?query=${encodeURIComponent(expression)}`)) as { result: QueryResult[] }).result,
    close: async () => {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill('SIGTERM')
        await once(child, 'exit')
      }
      rmSync(dir, { recursive: true, force: true })
    },
  }
}
