// What a resize will do, does and did, as text for a terminal.
import { styleText } from 'node:util'
import { servers } from '../../values/servers.ts'
import { shellText } from './quoting.ts'
import { growthPath, type Next } from './growth-path.ts'
import type { Progress } from './progress.ts'
import { downtimeMs, downtimeS, isSmaller, type Step, type Wish } from './steps.ts'
import type { Outcome, Told } from './walk.ts'

const eur = (amount: number) => amount.toFixed(2)
const seconds = (ms: number) =>
  ms < 60_000 ? `${(ms / 1_000).toFixed(1)} s` : `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1_000)} s`

export function costLine({ from, to }: Pick<Wish, 'from' | 'to'>): string {
  return from === null
    ? `EUR ${eur(to.eurPerMonth)} a month for the ${to.name}; what this machine costs is not known`
    : `EUR ${eur(from.eurPerMonth)} a month now (${from.name}), EUR ${eur(to.eurPerMonth)} after (${to.name})`
}

export function planText(where: string, wish: Wish, steps: readonly Step[]): string {
  const lines = [`${where}: ${isSmaller(wish) ? 'smaller' : 'larger'}, ${costLine(wish)}.`]
  lines.push(`Nobody is answered for about ${Math.round(downtimeS(steps) / 60)} minutes, from "stop" to "health".`, '')
  for (const [index, step] of steps.entries()) {
    lines.push(`${String(index + 1).padStart(2)}  ${step.name.padEnd(10)} ${step.title}`)
    for (const { argv } of step.acts) lines.push(`      does   ${shortened(argv)}`)
    for (const line of step.byHand ?? []) lines.push(`      you    ${line}`)
    for (const { argv } of step.looks) lines.push(`      looks  ${shortened(argv)}`)
    lines.push(`      back   ${step.back}`)
  }
  return lines.join('\n')
}

/** A script within is not for reading. */
const shortened = (argv: readonly string[]) => shellText(argv.map((word) => (word.length > 100 ? '...' : word)))

export function toldText({ step, as, proof, why }: Told): string {
  const name = step.name.padEnd(10)
  if (as === 'begun') return `        ${name} ${step.title}`
  if (as === 'by hand')
    return [
      `${styleText('yellow', 'by hand')} ${name} ${step.title}`,
      ...step.byHand!.map((line, index) => `          ${index + 1}. ${line}`),
    ].join('\n')
  if (as === 'waiting') return `        ${name} ${clean(why ?? '')}`
  if (as === 'struck') return `${styleText('yellow', 'again')}   ${name} ${clean(why ?? '')}`
  return `${styleText('green', as === 'proved' ? 'proved' : 'still  ')}  ${name} ${as === 'proved' ? seconds(proof!.tookMs) : `proved at ${proof!.at}`}`
}

/** What a stranger's program said moves no cursor. */
const clean = (text: string) => text.replaceAll(/\p{Cc}/gu, '?')

export function outcomeText(outcome: Outcome, progress: Progress): string {
  if (outcome.is === 'done') {
    const down = downtimeMs(progress)
    return `Done: ${progress.wish.to.name}, ${costLine(progress.wish)}.${down === null ? '' : ` Nobody was answered for ${seconds(down)}.`}`
  }
  const words = { refused: styleText('red', 'stopped'), waits: styleText('yellow', 'waits'), lost: styleText('red', 'lost') }
  return `${words[outcome.is]} at ${outcome.step}: ${clean(outcome.why)}\nWhat to do: ${outcome.todo}`
}

export function outcomeJson(outcome: Outcome, progress: Progress, steps: readonly Step[]) {
  const { wish, where, begun, proofs, finishedAt } = progress
  return {
    outcome: outcome.is,
    ...(outcome.is === 'done' ? {} : { step: outcome.step, why: outcome.why, todo: outcome.todo }),
    ...planJson(where, wish, steps),
    steps: steps.map(({ name }) => ({
      name,
      begunAt: begun[name] ?? null,
      ...(proofs[name] ?? { at: null, tookMs: null, evidence: null }),
    })),
    downtimeMs: downtimeMs(progress),
    finishedAt,
  }
}

export function planJson(where: string, wish: Wish, steps: readonly Step[]) {
  return {
    where,
    from: wish.from?.name ?? null,
    to: wish.to.name,
    eurPerMonthBefore: wish.from?.eurPerMonth ?? null,
    eurPerMonthAfter: wish.to.eurPerMonth,
    downtimeExpectedS: downtimeS(steps),
    steps: steps.map(({ name, title, acts, byHand, looks, back }) => ({
      name,
      title,
      does: acts.map(({ argv }) => argv),
      byHand: byHand ?? [],
      looks: looks.map(({ argv }) => argv),
      back,
    })),
  }
}

export function pathText(here: number | null, next: Next | null, notAsked: string | null): string {
  const lines = ['EUR a month, step by step; each can be taken back:', '']
  for (const [index, { step, eurPerMonth, moreEurPerMonth, commands, back }] of growthPath.entries()) {
    const mark = index === here ? '  <- this server' : next?.step.step === step ? `  <- next, ${next.verdict}` : ''
    lines.push(
      `${eur(eurPerMonth).padStart(6)}  ${step}${index === 0 ? '' : ` (${moreEurPerMonth < 0 ? '' : '+'}${eur(moreEurPerMonth)})`}${mark}`,
    )
    for (const command of commands) lines.push(`          ${command}`)
    for (const way of back) lines.push(`          back: ${way}`)
  }
  lines.push('', 'Beyond 50,000 users or the largest server: more API servers, then shards of households (docs/scaling.md).', '')
  if (notAsked !== null) lines.push(`The advisor could not be asked: ${clean(notAsked)}`)
  else if (next === null) lines.push('The advisor takes no step yet: djinn advise shows every trigger.')
  else {
    lines.push(`The advisor would take: ${next.step.step} (${next.verdict}: ${next.triggers.join(', ')}).`)
    for (const fix of next.first) lines.push(`  first: ${clean(fix)}`)
  }
  if (here === null) lines.push(`This machine is none of ${servers.map(({ name }) => name).join(', ')}.`)
  return lines.join('\n')
}
