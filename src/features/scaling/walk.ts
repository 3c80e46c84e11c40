// Goes through the steps: does, proves and keeps each before the next, and looks again at what was proved by a run before.
import type { Executor, Ran } from './executor.ts'
import type { Proof, Progress } from './progress.ts'
import type { Step, StepName, Verdict } from './steps.ts'

export type Told = { step: Step; as: 'begun' | 'by hand' | 'waiting' | 'proved' | 'still proved' | 'struck'; proof?: Proof; why?: string }

export type World = {
  executor: Pick<Executor, 'run'>
  nowMs: () => number
  pause: (ms: number) => Promise<void>
  /** Null where there is nobody to be asked. */
  ask: ((question: string) => Promise<boolean>) | null
  /** Whether questions were answered beforehand; what is done by hand is asked all the same. */
  agreed: boolean
  keep: (progress: Progress) => void
  tell: (told: Told) => void
}

export type Outcome =
  | { is: 'done' }
  /** A check failed; nothing behind it was begun. */
  | { is: 'refused'; step: StepName; why: string; todo: string }
  /** For a person, at the provider. */
  | { is: 'waits'; step: StepName; why: string; todo: string }
  /** The host did not answer, so that it is not known how far it came. */
  | { is: 'lost'; step: StepName; why: string; todo: string }

const resume = 'djinn scale --resume'

export async function walk(steps: readonly Step[], progress: Progress, world: World): Promise<Outcome> {
  for (const step of steps) {
    if (progress.proofs[step.name] && step.until !== undefined && progress.begun[step.until] !== undefined) continue
    const outcome = await new Walker(step, progress, world).go()
    if (outcome) return outcome
  }
  progress.finishedAt ??= new Date(world.nowMs()).toISOString()
  world.keep(progress)
  return { is: 'done' }
}

/** One step of a walk. */
class Walker {
  readonly #step: Step
  readonly #progress: Progress
  readonly #world: World

  constructor(step: Step, progress: Progress, world: World) {
    this.#step = step
    this.#progress = progress
    this.#world = world
  }

  /** What ends the walk here; undefined once it is proved. */
  async go(): Promise<Outcome | undefined> {
    const { name } = this.#step
    let struck = false
    if (this.#progress.proofs[name]) {
      const again = await this.#look(null)
      if ('lost' in again) return this.#lost(again.lost)
      if (again.is === 'proved') {
        this.#tell('still proved', { proof: this.#progress.proofs[name] })
        return undefined
      }
      this.#tell('struck', { why: again.why })
      delete this.#progress.proofs[name]
      this.#world.keep(this.#progress)
      struck = true
    }
    const refusal = await this.#asked()
    if (refusal) return refusal
    if (struck || this.#progress.begun[name] === undefined) {
      this.#progress.begun[name] = new Date(this.#world.nowMs()).toISOString()
      this.#world.keep(this.#progress)
    }
    this.#tell('begun')
    if (this.#step.byHand) return await this.#byHand()
    const acts: Ran[] = []
    for (const act of this.#step.acts) {
      const ran = await this.#world.executor.run(act)
      if (ran.lost) return this.#lost(ran.errors)
      acts.push(ran)
      if (ran.code !== 0) break
    }
    return await this.#prove(acts)
  }

  async #asked(): Promise<Outcome | undefined> {
    const { name, question } = this.#step
    if (question === undefined || this.#world.agreed) return undefined
    if (this.#world.ask !== null && (await this.#world.ask(question))) return undefined
    return { is: 'waits', step: name, why: 'nobody has agreed to it', todo: `${resume}, and answer yes; or --yes` }
  }

  /** What a person does may be done already; else they are told, and asked when they have. */
  async #byHand(): Promise<Outcome | undefined> {
    const { name, byHand, title } = this.#step
    const already = await this.#look(null)
    if (!('lost' in already) && already.is === 'proved') return this.#proved(already.evidence)
    this.#tell('by hand')
    const why = 'lost' in already ? 'the host does not answer' : already.why
    const todo = `${byHand!.join(' ')} Then: ${resume}`
    if (this.#world.ask === null || !(await this.#world.ask(`${title}: is it done?`))) return { is: 'waits', step: name, why, todo }
    return await this.#prove(null)
  }

  /** Looks until it is proved or its time is over. */
  async #prove(acts: readonly Ran[] | null): Promise<Outcome | undefined> {
    const { name, patience } = this.#step
    const endMs = this.#world.nowMs() + patience.forMs
    for (;;) {
      const verdict = await this.#look(acts)
      const over = this.#world.nowMs() >= endMs
      if ('lost' in verdict) {
        if (over) return this.#lost(verdict.lost)
      } else if (verdict.is === 'proved') return this.#proved(verdict.evidence)
      else if (verdict.is === 'refused') return { ...verdict, step: name }
      else if (over) {
        if (verdict.atLast) return this.#proved(verdict.atLast)
        return { is: 'refused', step: name, why: verdict.why, todo: verdict.todo }
      }
      this.#tell('waiting', { why: 'lost' in verdict ? 'the host does not answer' : verdict.why })
      await this.#world.pause(Math.max(1, patience.everyMs))
    }
  }

  async #look(acts: readonly Ran[] | null): Promise<Verdict | { lost: string }> {
    const failed = acts?.find(({ code }) => code !== 0)
    if (failed) {
      return {
        is: 'refused',
        why: (failed.errors || failed.out).trim().slice(0, 500) || `exit ${failed.code}`,
        todo: `mend it, then ${resume}`,
      }
    }
    const looks: Ran[] = []
    for (const look of this.#step.looks) {
      const ran = await this.#world.executor.run(look)
      if (ran.lost) return { lost: ran.errors }
      looks.push(ran)
    }
    const proof = this.#progress.proofs[this.#step.name]?.evidence ?? null
    return this.#step.check({ looks, acts, proof, nowMs: this.#world.nowMs() })
  }

  #proved(evidence: Proof['evidence']): undefined {
    const { name } = this.#step
    const nowMs = this.#world.nowMs()
    const proof = { at: new Date(nowMs).toISOString(), tookMs: nowMs - Date.parse(this.#progress.begun[name]!), evidence }
    this.#progress.proofs[name] = proof
    this.#world.keep(this.#progress)
    this.#tell('proved', { proof })
  }

  #lost(errors: string): Outcome {
    const why = errors.trim().split('\n').at(-1) || 'no answer'
    return { is: 'lost', step: this.#step.name, why, todo: `once the host can be reached: ${resume}` }
  }

  #tell(as: Told['as'], more: Omit<Told, 'step' | 'as'> = {}) {
    this.#world.tell({ step: this.#step, as, ...more })
  }
}
