// Restarts under load: by SIGTERM nobody is refused, by SIGKILL nothing that was acknowledged is lost and nothing is there twice.
import { verifyInvariants } from '../../../src/resources/invariants.ts'
import { Database } from '../../../src/resources/database.ts'
import { atMost, exactly, reported, type Figure } from '../figure.ts'
import { callers, callWhile, heldAgainst, type Loaded } from '../load.ts'
import { servers, type World } from '../world.ts'

const ratePerS = 300
const exitMsMax = 10_000
const shown = 5

export async function checkRestarts(world: World, restarts: number, say: (line: string) => void): Promise<Figure[]> {
  const people = await callers(world, 30)
  const { loaded, done } = await callWhile(world, people, { ratePerS, repeats: false }, () => endInTurn(world, 'SIGTERM', restarts, say))
  const { lost, twice } = await heldAgainst(world, loaded)
  const what = `${restarts} restarts by SIGTERM at ${ratePerS}/s`
  if (loaded.failed.length > 0) tell(world, 'sigterm', loaded, say)
  return [
    exactly(`${what}: failed requests`, loaded.failed.length, `of ${loaded.sent}`, 0),
    exactly(`${what}: acknowledged writes lost or twice`, lost.length + twice.length, `of ${loaded.acknowledged.length}`, 0),
    atMost(`${what}: longest exit`, Math.max(...done.map(({ ms }) => ms)), 'ms', exitMsMax),
    exactly(`${what}: exits with another code than 0`, done.filter(({ code }) => code !== 0).length, 'exits', 0),
    reported(`${what}: p99`, loaded.took.quantileMs(0.99), 'ms'),
  ]
}

export async function checkCrashes(world: World, crashes: number, say: (line: string) => void): Promise<Figure[]> {
  const people = await callers(world, 30)
  const { loaded } = await callWhile(world, people, { ratePerS, repeats: true }, () => endInTurn(world, 'SIGKILL', crashes, say))
  const { lost, twice } = await heldAgainst(world, loaded)
  const owner = new Database({ url: world.adminUrl, connectionsMax: 1 })
  const findings = await verifyInvariants(owner)
  await owner.close()
  const broken = findings.filter((finding) => finding.broken > 0)
  const what = `${crashes} crashes by SIGKILL at ${ratePerS}/s`
  if (loaded.failed.length + lost.length + twice.length > 0) tell(world, 'sigkill', loaded, say)
  return [
    exactly(`${what}: writes that are there twice`, twice.length, `of ${loaded.acknowledged.length}`, 0),
    exactly(`${what}: acknowledged writes lost`, lost.length, `of ${loaded.acknowledged.length}`, 0),
    exactly(`${what}: requests without an answer in the end`, loaded.failed.length, `of ${loaded.sent}`, 0),
    exactly(`${what}: promises of the books broken`, broken.length, 'promises', 0),
    reported(`${what}: tries that clients repeated`, loaded.repeated, `of ${loaded.sent}`),
  ]
}

/** One process after the other: ended, started, given requests again. */
async function endInTurn(world: World, signal: 'SIGTERM' | 'SIGKILL', times: number, say: (line: string) => void) {
  const ends: { code: number | NodeJS.Signals; ms: number }[] = []
  for (let turn = 0; turn < times; turn++) {
    const name = servers[turn % servers.length]!
    ends.push(await world.server(name).end(signal))
    await world.start(name)
    say(`${signal} ${turn + 1} of ${times}`)
  }
  return ends
}

/** What failed, by the id that stands in all logs. */
function tell(world: World, why: string, loaded: Loaded, say: (line: string) => void) {
  const folder = world.keepLogs(why)
  for (const { id, outcome, tries, sends } of loaded.failed.slice(0, shown)) {
    say(`${id}: ${outcome} after ${tries} tries, sent ${sends} times`)
    for (const line of world.balancer.log().split('\n')) if (line.includes(id)) say(`  HAProxy: ${line}`)
  }
  say(`${loaded.failed.length} failed; the logs of all processes are in ${folder}`)
}
