// How soon a change is in force on the other process: a session, a flag, system data; and when the connection that tells of it has died in silence.
import { setFlag } from '../../../src/features/flags/administration.ts'
import { Database } from '../../../src/resources/database.ts'
import { atMost, type Figure } from '../figure.ts'
import { callers } from '../load.ts'
import type { World } from '../world.ts'

const rounds = 3
const msMax = 1_000
const pollMs = 5
const patienceMs = 15_000

export async function checkTelling(world: World): Promise<Figure[]> {
  return [
    ...(await tellAll(world, '', async (work) => await work())),
    ...(await tellAll(world, ', LISTEN silent', (work) => silenced(world, work))),
  ]
}

async function tellAll(world: World, how: string, during: (work: () => Promise<number>) => Promise<number>): Promise<Figure[]> {
  const owner = new Database({ url: world.adminUrl, connectionsMax: 1 })
  try {
    return [
      atMost(`a revoked session is refused by the other process${how}`, await longest(() => revocation(world, during)), 'ms', msMax),
      atMost(`a flag is in force on both processes${how}`, await longest(() => flag(world, owner, during)), 'ms', msMax),
      atMost(`system data are renewed on both processes${how}`, await longest(() => systemData(world, during)), 'ms', msMax),
    ]
  } finally {
    await owner.close()
  }
}

async function longest(measure: () => Promise<number>): Promise<number> {
  let ms = 0
  for (let round = 0; round < rounds; round++) ms = Math.max(ms, await measure())
  return ms
}

const call = async (url: string, path: string, token?: string, method = 'GET') =>
  await fetch(url + path, { method, headers: token === undefined ? {} : { authorization: `Bearer ${token}` } })

/** From now until it holds, in ms. */
async function until(holds: () => Promise<boolean>, fromMs: number): Promise<number> {
  while (!(await holds())) {
    if (performance.now() - fromMs > patienceMs) return patienceMs
    await new Promise((resolve) => setTimeout(resolve, pollMs))
  }
  return performance.now() - fromMs
}

type During = (work: () => Promise<number>) => Promise<number>

async function revocation(world: World, during: During): Promise<number> {
  const [person] = await callers(world, 1)
  const [here, there] = [world.server('one').url, world.server('two').url]
  const isIn = async (url: string) => (await call(url, '/api/me', person!.accessToken)).status === 200
  for (const url of [here, there, here, there]) if (!(await isIn(url))) throw new Error(`${url} does not know a session`)
  return await during(async () => {
    await call(here, '/api/auth/logout', person!.accessToken, 'POST')
    const fromMs = performance.now()
    return await until(async () => !(await isIn(there)), fromMs)
  })
}

async function flag(world: World, owner: Database, during: During): Promise<number> {
  const knows = async (readOnly: boolean) => {
    for (const name of ['one', 'two'] as const) {
      // A write of nobody's: refused as read-only before anything else is looked at.
      const { status } = await fetch(`${world.server(name).url}/api/auth/recovery`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ email: 'nobody@example.org' }),
      })
      if ((status === 503) !== readOnly) return false
    }
    return true
  }
  const ms = await during(async () => {
    await setFlag(owner, { name: 'readOnly', value: 'on', by: 'rig' })
    const fromMs = performance.now()
    return await until(() => knows(true), fromMs)
  })
  await setFlag(owner, { name: 'readOnly', value: 'off', by: 'rig' })
  await until(() => knows(false), performance.now())
  return ms
}

let version = 0

async function systemData(world: World, during: During): Promise<number> {
  const name = `Bank ${++version}`
  const knows = async () => {
    for (const each of ['one', 'two'] as const) {
      const { data } = (await (await call(world.server(each).url, '/api/system/institutions')).json()) as { data: { name: string }[] }
      if (data[0]?.name !== name) return false
    }
    return true
  }
  if (await knows()) throw new Error('it is there before it was told')
  return await during(async () => {
    await world.sql(
      `insert into system_data (name, content) values ('institutions', $1) on conflict (name) do update set content = excluded.content`,
      [JSON.stringify([{ id: 'a', name, country: 'AT' }])],
    )
    const fromMs = performance.now()
    return await until(knows, fromMs)
  })
}

/** The work while nothing comes over the connections that hear of changes: their other ends are stopped. */
async function silenced(world: World, work: () => Promise<number>): Promise<number> {
  const rows = await world.sql<{ pid: number }>(`select pid from pg_stat_activity where application_name = 'djinn listen'`)
  if (rows.length < 2) throw new Error('there are no connections that listen')
  const signal = (name: NodeJS.Signals) => {
    for (const { pid } of rows) {
      try {
        process.kill(pid, name)
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
      }
    }
  }
  signal('SIGSTOP')
  try {
    return await work()
  } finally {
    signal('SIGCONT')
    // They are made anew, or go on.
    await new Promise((resolve) => setTimeout(resolve, 1_500))
  }
}
