// A process that does not answer any more, and is not gone: how soon it is left out.
import { setTimeout } from 'node:timers/promises'
import { atMost, reported, type Figure } from '../figure.ts'
import { callers, callWhile } from '../load.ts'
import type { World } from '../world.ts'

const rounds = 3
const ejectedMsMax = 3_000
const ratePerS = 100

export async function checkStalled(world: World): Promise<Figure[]> {
  const people = await callers(world, 10)
  const { child } = world.server('two')
  const { loaded, done } = await callWhile(world, people, { ratePerS, repeats: true }, async () => {
    let longest = 0
    for (let round = 0; round < rounds; round++) {
      child.kill('SIGSTOP')
      const fromMs = performance.now()
      while (await world.balancer.isUp('two')) await setTimeout(10)
      longest = Math.max(longest, performance.now() - fromMs)
      child.kill('SIGCONT')
      while (!(await world.balancer.isUp('two'))) await setTimeout(10)
    }
    return longest
  })
  return [
    atMost(`a process that was stopped (SIGSTOP) is left out, longest of ${rounds}`, done, 'ms', ejectedMsMax),
    reported('meanwhile: requests that failed in the end', loaded.failed.length, `of ${loaded.sent}`),
    reported('meanwhile: requests that hung for a second or more', loaded.took.countFrom(1_000), `of ${loaded.sent}`),
  ]
}
