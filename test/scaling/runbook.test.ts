// The runbook of a resize: the same end whatever cuts it off, a stop with what to do where a check fails, and what it refuses.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { growthPath, nextStep } from '../../src/features/scaling/growth-path.ts'
import { readHost, serverOf } from '../../src/features/scaling/host.ts'
import { newProgress, type Progress } from '../../src/features/scaling/progress.ts'
import { outcomeText } from '../../src/features/scaling/report.ts'
import { downtimeMs, downtimeS, stepsOf, type StepName, type Wish } from '../../src/features/scaling/steps.ts'
import { walk, type Outcome, type World } from '../../src/features/scaling/walk.ts'
import { Machine, server } from './machine.ts'

/** A run that was cut off: the process is gone, what it kept is not. */
class CutOff extends Error {}

/** What a run was told to keep, as a file would hold it. */
class Desk {
  kept: string
  told: string[] = []
  readonly machine: Machine

  constructor(machine: Machine, wish: Wish) {
    this.machine = machine
    this.kept = JSON.stringify(newProgress('a machine', wish))
  }

  progress(): Progress {
    return JSON.parse(this.kept) as Progress
  }

  async go(more: Partial<World> = {}): Promise<Outcome> {
    const progress = this.progress()
    const world: World = {
      executor: this.machine,
      nowMs: () => this.machine.nowMs,
      pause: async (ms) => void (this.machine.nowMs += ms),
      ask: async () => {
        this.machine.resize(progress.wish.to.name)
        return true
      },
      agreed: true,
      keep: (now) => void (this.kept = JSON.stringify(now)),
      tell: ({ step, as }) => void this.told.push(`${step.name} ${as}`),
      ...more,
    }
    return await walk(stepsOf(progress.wish), progress, world)
  }
}

const open = (from: string, to: string, change: (machine: Machine) => void = () => {}) => {
  const machine = new Machine(from)
  change(machine)
  return { machine, desk: new Desk(machine, machine.wish(to)) }
}
const endOf = ({ server: { name }, running, written, inEffect }: Machine) => ({ name, running: [...running].toSorted(), written, inEffect })
const namesOf = (wish: Wish) => stepsOf(wish).map(({ name }) => name)

const both = [
  ['CX22', 'CX32'],
  ['CX42', 'CX22'],
] as const

for (const [from, to] of both) {
  test(`from ${from} to ${to} every step is proved in its order, and it says how long nobody was answered`, async () => {
    const { machine, desk } = open(from, to)
    assert.deepEqual(await desk.go(), { is: 'done' })
    const size = `${server(to).memoryBytes / 1024 ** 3}GB ${server(to).cpus}`
    assert.deepEqual(endOf(machine), { name: to, running: ['djinn.service', 'postgresql.service'], written: size, inEffect: size })
    const progress = desk.progress()
    assert.deepEqual(Object.keys(progress.proofs), namesOf(progress.wish))
    assert.ok(machine.backups === 1 && progress.finishedAt !== null)
    assert.ok(downtimeMs(progress)! > 0 && downtimeMs(progress)! < 600_000, 'less than ten minutes of the clock that waiting moves')
    assert.match(outcomeText({ is: 'done' }, progress), new RegExp(`^Done: ${to}, EUR .* a month now \\(${from}\\)`))
  })
}

test('a smaller server gets its settings before, a larger one after; buffers that do not fit would keep PostgreSQL from starting', () => {
  const order = (from: string, to: string) => namesOf(new Machine(from).wish(to)).filter((name) => ['tune', 'resize'].includes(name))
  assert.deepEqual(order('CX22', 'CX42'), ['resize', 'tune'])
  assert.deepEqual(order('CX42', 'CX32'), ['tune', 'resize'])
})

test('cut off anywhere, again and again, it comes to the same end', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...both),
      fc.array(fc.record({ after: fc.nat(25), done: fc.boolean(), lost: fc.boolean(), reboot: fc.boolean() }), { maxLength: 8 }),
      async ([from, to], cuts) => {
        const { machine, desk } = open(from, to)
        for (const { after, done, lost, reboot } of cuts) {
          let left = after
          const cut = () => {
            if (left-- === 0) throw new CutOff()
          }
          machine.before = done ? () => {} : cut
          machine.after = done ? cut : () => {}
          const executor = {
            run: async (order: Parameters<Machine['run']>[0]) =>
              await machine.run(order).catch((error: Error) => {
                if (!lost) throw error
                return { code: 255, out: '', errors: 'Connection closed', lost: true }
              }),
          }
          const outcome = await desk.go({ executor }).catch((error: Error) => {
            assert.ok(error instanceof CutOff, String(error.stack))
            return null
          })
          // Looked at for long enough, a host that was away for a moment is there again.
          assert.ok(outcome === null || outcome.is === 'lost' || outcome.is === 'done', JSON.stringify(outcome))
          machine.before = machine.after = () => {}
          if (reboot) machine.boot()
        }
        assert.deepEqual(await desk.go(), { is: 'done' })
        const straight = open(from, to)
        assert.deepEqual(await straight.desk.go(), { is: 'done' })
        assert.deepEqual(endOf(machine), endOf(straight.machine))
        assert.deepEqual(new Set(Object.keys(desk.progress().proofs)), new Set(Object.keys(straight.desk.progress().proofs)))
      },
    ),
    { numRuns: 300 },
  )
})

test('every prefix of proved steps goes on with the next, and does none of them again that still holds', async () => {
  for (const [from, to] of both) {
    const steps = namesOf(new Machine(from).wish(to))
    for (const [index, name] of steps.entries()) {
      const { machine, desk } = open(from, to)
      await assert.rejects(
        desk.go({
          keep: (now) => {
            desk.kept = JSON.stringify(now)
            if (now.proofs[name]) throw new CutOff()
          },
        }),
        CutOff,
      )
      desk.told = []
      assert.deepEqual(await desk.go(), { is: 'done' }, name)
      const begun = desk.told.filter((each) => each.endsWith(' begun')).map((each) => each.split(' ')[0])
      assert.deepEqual(begun, steps.slice(index + 1), `after ${name}`)
      assert.equal(machine.backups, 1)
    }
  }
})

test('a check that fails stops with what to do, begins nothing behind it, and is tried again on resume', async () => {
  const failures: [string, StepName, RegExp][] = [
    ['inspect', 'status', /could not look/],
    ['backup', 'backup', /backup does not work today/],
    ['systemctl stop', 'stop', /systemctl stop does not work today/],
    ['--apply', 'tune', /--apply does not work today/],
    ['restart', 'restart', /restart does not work today/],
    ['/health/ready', 'health', /ready does not work today/],
    ['/metrics', 'errors', /no metrics: /],
  ]
  for (const [word, name, why] of failures) {
    const { machine, desk } = open('CX22', 'CX32')
    machine.failing.add(word)
    const outcome = await desk.go()
    assert.ok(outcome.is === 'refused' && outcome.step === name, `${word}: ${JSON.stringify(outcome)}`)
    assert.match(outcome.why, why)
    assert.match(outcomeText(outcome, desk.progress()), /What to do: ./)
    const steps = namesOf(desk.progress().wish)
    assert.deepEqual(Object.keys(desk.progress().begun), steps.slice(0, steps.indexOf(name) + 1))
    machine.failing.clear()
    assert.deepEqual(await desk.go(), { is: 'done' })
  }
})

test('red that a larger server cures is no reason against it; a transaction that a stop would undo is, and for a smaller one so is a busy host', async () => {
  const cpu = { section: 'host', check: 'CPU' }
  const long = { section: 'locks', check: 'longest open transaction' }
  for (const [from, to, red, stops] of [
    ['CX22', 'CX32', cpu, false],
    ['CX22', 'CX32', long, true],
    ['CX42', 'CX32', cpu, true],
  ] as const) {
    const { machine, desk } = open(from, to, (one) => void (one.red = [red]))
    const outcome = await desk.go()
    assert.equal(outcome.is, stops ? 'refused' : 'done')
    assert.equal(machine.backups, stops ? 0 : 1)
  }
})

test('what is done by hand is never taken for done: it waits with its own outcome, and looks itself after it was told so', async () => {
  const { machine, desk } = open('CX22', 'CX32')
  const waits = await desk.go({ ask: null })
  assert.deepEqual([waits.is, waits.is === 'done' || waits.step], ['waits', 'resize'])
  assert.match(waits.is === 'waits' ? waits.todo : '', /Power the server off .*CPU and RAM only.* Then: djinn scale --resume/)
  assert.equal((await desk.go({ ask: async () => false })).is, 'waits')
  // "Done" where nothing was done, then only restarted, then resized to something else.
  const lie = await desk.go({ ask: async () => true })
  assert.match(lie.is === 'refused' ? lie.why : '', /not started anew, and has 2 CPUs/)
  machine.boot()
  assert.equal((await desk.go({ ask: null })).is, 'waits')
  machine.resize('CX42')
  const wrong = await desk.go({ ask: async () => true })
  assert.match(wrong.is === 'refused' ? wrong.why : '', /it has 8 CPUs/)
  // Done while nobody looked: no question is asked.
  machine.resize('CX32')
  assert.deepEqual(await desk.go({ ask: null }), { is: 'done' })
})

test('nobody agreed, nothing is stopped', async () => {
  const { machine, desk } = open('CX22', 'CX32')
  const questions: string[] = []
  const ask = async (question: string) => {
    questions.push(question)
    return false
  }
  const outcome = await desk.go({ agreed: false, ask })
  assert.ok(outcome.is === 'waits' && outcome.step === 'stop')
  assert.deepEqual(questions, [
    `Stop the service now? About ${Math.round(downtimeS(stepsOf(desk.progress().wish)) / 60)} minutes begin in which nobody is answered.`,
  ])
  assert.equal(machine.running.size, 2)
})

test('an hour later the backup is made again, and a unit that died meanwhile is started again', async () => {
  const { machine, desk } = open('CX22', 'CX32')
  await desk.go({ agreed: false, ask: null })
  machine.nowMs += 61 * 60_000
  assert.deepEqual(await desk.go(), { is: 'done' })
  assert.equal(machine.backups, 2)
  const old = open('CX22', 'CX32', (one) => void (one.backupAgeMs = 61 * 60_000))
  const outcome = await old.desk.go()
  assert.match(outcome.is === 'refused' ? outcome.why : '', /^the backup is of .*, not of this hour/)
  machine.running.delete('djinn.service')
  desk.told = []
  assert.deepEqual(await desk.go(), { is: 'done' })
  assert.ok(desk.told.includes('restart struck') && machine.running.has('djinn.service'), desk.told.join(', '))
})

test('what does not fit on a smaller server is refused by disk, by memory and by CPU, each with what to do, before anything is changed', async () => {
  const capacity = (used: number | null) => ({
    advice: [],
    capacity: { why: 'no hour had 1000 requests', registered: 9, busiestHour: null, resources: used === null ? {} : { cpu: { used } } },
  })
  const cases: [(machine: Machine) => void, RegExp][] = [
    [(one) => void (one.diskBytes = 150e9), /no disk is made smaller/],
    [(one) => void (one.diskUsedBytes = 35e9), /disk are in use, above 80 %/],
    [(one) => void (one.memoryUsedBytes = 6 * 1024 ** 3), /of memory would be in use/],
    [(one) => void (one.advice = capacity(1.3)), /busiest hour used 1.3 CPUs, above 60 %/],
    [(one) => void (one.advice = capacity(null)), /is not known: no hour had 1000 requests/],
    [(one) => void (one.advice = {}), /could not judge/],
  ]
  for (const [change, why] of cases) {
    const { machine, desk } = open('CX42', 'CX22', change)
    const outcome = await desk.go()
    assert.ok(outcome.is === 'refused' && outcome.step === 'fits' && outcome.todo !== '', JSON.stringify(outcome))
    assert.match(outcome.why, why)
    assert.deepEqual([machine.backups, machine.running.size, machine.written], [0, 2, '16GB 8'])
  }
  const idle = new Machine('CX42')
  idle.advice = capacity(null)
  assert.deepEqual(await new Desk(idle, idle.wish('CX22', { idle: true })).go(), { is: 'done' })
  // Buffers of 4 GB become 1 GB with the server.
  const buffered = open('CX42', 'CX22', (one) => Object.assign(one, { memoryUsedBytes: 5 * 1024 ** 3, memorySharedBytes: 4 * 1024 ** 3 }))
  assert.deepEqual(await buffered.desk.go(), { is: 'done' })
})

test('few requests without an error will do at the end of the time, one error among few or too many among many will not', async () => {
  const metrics = (requests: number, errors: number) =>
    `djinn_requests_total{operation="a",status="200"} ${requests}\ndjinn_errors_total{operation="a"} ${errors}\n`
  for (const [requests, errors, is] of [
    [0, 0, 'done'],
    [20, 0, 'done'],
    [20, 1, 'refused'],
    [10_000, 10, 'done'],
    [10_000, 11, 'refused'],
  ] as const) {
    const { desk } = open('CX22', 'CX32', (one) => void (one.metrics = metrics(requests, errors)))
    assert.equal((await desk.go()).is, is, `${errors} of ${requests}`)
  }
})

test('a host is read from what it says, and a part of it is none', async () => {
  const machine = new Machine('CX32')
  const ran = await machine.run({ argv: ['sh'], timeoutMs: 1 })
  assert.deepEqual(readHost(ran), machine.host())
  assert.equal(serverOf(machine.host())?.name, 'CX32')
  assert.equal(serverOf({ ...machine.host(), memoryBytes: 24 * 1024 ** 3 }), null)
  for (const line of ran.out
    .trim()
    .split('\n')
    .filter((each) => !/^(MemFree|Filesystem)/.test(each))) {
    assert.equal(readHost({ ...ran, out: ran.out.replace(line, '') }), null, line)
  }
})

test('the path costs what is rented, and the advisor’s next step is the cheapest that answers what tripped', () => {
  assert.deepEqual(
    growthPath.map(({ eurPerMonth }) => eurPerMonth),
    [3.79, 7.59, 15.49, 11.38, 15.17, 24.35],
  )
  for (const { commands, back } of growthPath.slice(1)) assert.ok(commands.length > 0 && back.length > 0)
  const judged = (trigger: string, verdict = 'now') => ({ trigger, verdict, cheaperFix: null })
  const next = (here: number, ...advice: Parameters<typeof nextStep>[1][number][]) => nextStep(here, advice)?.step.step ?? null
  assert.equal(next(0, judged('server-cpu', 'not yet')), null)
  assert.equal(next(0, judged('server-cpu')), 'one server: CX32')
  assert.equal(next(0, judged('horizontal-cpu')), 'one server: CX32')
  assert.equal(next(2, judged('server-cpu')), 'API and database apart: CX22 + CX32')
  assert.equal(next(0, judged('horizontal-zero-downtime')), 'two API servers, database, replica, load balancer')
  assert.equal(next(0, judged('replica-backups'), judged('server-cpu', 'soon')), 'and a read replica: + CX22')
  assert.equal(next(5, judged('horizontal-cpu')), null)
})
