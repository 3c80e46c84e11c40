// A rented server that is spoken to as by ssh: programs and units of its own, a disk, a provider, and a clock that only waiting moves.
import type { Order, Ran } from '../../src/features/scaling/executor.ts'
import type { Host } from '../../src/features/scaling/host.ts'
import type { Wish } from '../../src/features/scaling/steps.ts'
import { servers, type Server } from '../../src/values/servers.ts'

export const server = (name: string): Server => servers.find((each) => each.name === name)!
const seen = (bytes: number) => Math.floor((bytes * 0.95) / 1024) * 1024
const settings = ['shared_buffers', 'work_mem'] as const

export class Machine {
  nowMs = Date.parse('2026-03-01T03:00:00Z')
  server: Server
  boots = 1
  running = new Set(['postgresql.service', 'djinn.service'])
  /** For which memory PostgreSQL's settings are written, and for which it runs. */
  written: string
  inEffect: string
  backups = 0
  backupAgeMs = 0
  /** What was run, shortened to its words that tell. */
  ran: string[] = []
  red: { section: string; check: string }[] = []
  metrics = 'djinn_requests_total{operation="a",status="200"} 5000\ndjinn_errors_total{operation="a"} 1\n'
  advice: object = { advice: [], capacity: { why: null, registered: 900, busiestHour: {}, resources: { cpu: { used: 0.4 } } } }
  diskBytes = 38e9
  diskUsedBytes = 12e9
  memoryUsedBytes = 2 * 1024 ** 3
  memorySharedBytes = 1024 ** 3
  /** Programs that fail for now, by a word of theirs. */
  failing = new Set<string>()
  /** Told before each program; may throw as a run that is cut off does. */
  before: (words: string) => void = () => {}
  after: (words: string) => void = () => {}

  constructor(name: string) {
    this.server = server(name)
    this.written = this.inEffect = this.#size(this.server)
  }

  #size({ memoryBytes, cpus }: Server) {
    return `${memoryBytes / 1024 ** 3}GB ${cpus}`
  }

  /** What a person does at the provider. Units that are enabled start with the machine. */
  resize(name: string) {
    this.server = server(name)
    this.memoryUsedBytes = Math.min(this.memoryUsedBytes, this.server.memoryBytes / 2)
    this.boot()
  }

  boot() {
    this.boots++
    this.running = new Set(['postgresql.service', 'djinn.service'])
    this.inEffect = this.written
  }

  host(): Host {
    const { cpus, memoryBytes } = this.server
    const { memoryUsedBytes, memorySharedBytes, diskBytes, diskUsedBytes } = this
    return { cpus, memoryBytes: seen(memoryBytes), memoryUsedBytes, memorySharedBytes, diskBytes, diskUsedBytes, bootId: this.#bootId() }
  }

  wish(to: string, more: Partial<Wish> = {}): Wish {
    return {
      to: server(to),
      from: this.server,
      before: this.host(),
      djinn: ['djinn'],
      node: 'node',
      systemctl: ['systemctl'],
      units: ['djinn.service'],
      databaseUnit: 'postgresql.service',
      url: 'http://127.0.0.1:8080',
      opsUrl: 'http://127.0.0.1:9464',
      folder: '/',
      idle: false,
      ...more,
    }
  }

  #bootId() {
    return `00000000-0000-4000-8000-${String(this.boots).padStart(12, '0')}`
  }

  run = async ({ argv }: Order): Promise<Ran> => {
    const words = argv.map((word) => (word.length > 60 ? '...' : word)).join(' ')
    this.before(words)
    this.ran.push(words)
    this.nowMs += 1_000
    const failing = [...this.failing].find((each) => words.includes(each))
    const ran = failing === undefined ? this.#answer(argv) : { code: 1, out: '', errors: `${failing} does not work today` }
    this.after(words)
    return { errors: '', lost: false, ...ran }
  }

  #answer([program, verb, ...rest]: readonly string[]): Pick<Ran, 'code' | 'out'> {
    if (program === 'systemctl') return this.#units(verb!, rest)
    if (program === 'sh') return { code: 0, out: this.#hostText() }
    if (program === 'node') {
      const up = this.running.has('djinn.service') && this.running.has('postgresql.service')
      return { code: up ? 0 : 1, out: rest.at(-1)!.endsWith('/metrics') ? this.metrics : '{"status":"ok"}' }
    }
    if (verb === 'inspect') {
      const up = this.running.has('postgresql.service')
      const checks = this.red.map((each) => ({ ...each, value: 9, unit: '%', verdict: 'red' }))
      return { code: up ? 0 : 1, out: JSON.stringify({ ok: checks.length === 0, complete: up, checks }) }
    }
    if (verb === 'advise') return { code: 0, out: JSON.stringify(this.advice) }
    if (verb === 'backup') {
      this.backups++
      return { code: 0, out: JSON.stringify({ ok: true, id: 'a', finishedAt: new Date(this.nowMs - this.backupAgeMs).toISOString() }) }
    }
    if (verb === 'tune') return this.#tune(rest)
    throw new Error(`the machine has no ${program} ${verb}`)
  }

  #units(verb: string, names: string[]): Pick<Ran, 'code' | 'out'> {
    if (verb === 'is-active') {
      const states = names.map((name) => (this.running.has(name) ? 'active' : 'inactive'))
      return { code: states.includes('inactive') ? 3 : 0, out: `${states.join('\n')}\n` }
    }
    for (const name of names) {
      if (verb === 'stop') this.running.delete(name)
      else if (verb === 'restart' || !this.running.has(name)) {
        this.running.add(name)
        if (name === 'postgresql.service') this.inEffect = this.written
      }
    }
    return { code: 0, out: '' }
  }

  #tune([, memory, , cpus, how]: string[]): Pick<Ran, 'code' | 'out'> {
    if (!this.running.has('postgresql.service')) return { code: 1, out: '' }
    const wanted = `${memory} ${cpus}`
    if (how === '--apply') this.written = wanted
    const standing = this.inEffect === wanted ? 'equal' : this.written === wanted ? 'waiting' : 'differs'
    const compared = settings.map((name) => ({ name, wanted, actual: this.inEffect, standing, overriddenBy: null }))
    return { code: how === '--apply' || standing === 'equal' ? 0 : 1, out: JSON.stringify({ settings: compared }) }
  }

  #hostText() {
    const { cpus, memoryBytes, memoryUsedBytes, memorySharedBytes, diskBytes, diskUsedBytes, bootId } = this.host()
    const lines = { MemTotal: memoryBytes, MemFree: 0, MemAvailable: memoryBytes - memoryUsedBytes, Shmem: memorySharedBytes }
    return [
      cpus,
      ...Object.entries(lines).map(([name, bytes]) => `${`${name}:`.padEnd(15)} ${bytes / 1024} kB`),
      bootId,
      'Filesystem     1-blocks     Used Available Capacity Mounted on',
      `/dev/sda1 ${diskBytes} ${diskUsedBytes} ${diskBytes - diskUsedBytes} ${Math.round((100 * diskUsedBytes) / diskBytes)}% /`,
      '',
    ].join('\n')
  }
}
