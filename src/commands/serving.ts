// What djinn serve does with a configuration that can be used.
import assert from 'node:assert/strict'
import { setTimeout as pause } from 'node:timers/promises'
import { makeApi, type Api } from '../app/api.ts'
import { followServed } from '../app/backups.ts'
import { demoSignIn, ensureDemo } from '../app/demo.ts'
import { makeOps } from '../app/ops.ts'
import { openResources } from '../app/resources.ts'
import { makeTasks, schedule } from '../app/tasks.ts'
import type { Config } from '../resources/config.ts'
import { collectStartGarbage } from '../resources/start-garbage.ts'
import { limits } from '../values/limits.ts'

/** What is being answered may take so long once nothing new comes in, and then it is cut: a statement ends before that by itself. */
const lastAnswersMs = 5_500
assert(limits.statementTimeoutMs < lastAnswersMs && lastAnswersMs < limits.shutdownMs)

/** Serves until SIGINT or SIGTERM, and then closes all that was opened, in reverse order. */
export async function serve(config: Config) {
  const opening = openResources(config)
  const opened = opening.catch(() => null)
  let stopping: Promise<void> | undefined
  const hurry = new Haste()
  const closers: (() => Promise<unknown>)[] = [async () => await (await opened)?.close()]
  let api: Api | undefined
  const stop = async (signal: string) => {
    // An embedded PostgreSQL that is still starting is waited for, else it would be left running.
    if (config.databaseUrl === undefined) await opened
    const resources = await opened
    resources?.log.info({ signal }, 'stopping')
    // Jobs in hand come to their end meanwhile.
    void resources?.queue.stop()
    if (api) await drain(api, config.drainMs, hurry)
    const forced = setTimeout(() => process.exit(1), limits.shutdownMs)
    forced.unref()
    for (const close of closers.toReversed()) await close()
    process.exit()
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (stopping) hurry.more()
      else stopping = stop(signal)
    })
  }
  const resources = await opening
  try {
    const made = await makeApi(resources)
    closers.push(() => made.close(AbortSignal.any([AbortSignal.timeout(lastAnswersMs), hurry.next])))
    const apiAddress = await made.app.listen({ host: config.host, port: config.port })
    api = made
    const ops = makeOps(resources, () => apiAddress)
    closers.push(() => ops.close())
    const opsAddress = await ops.listen({ host: config.opsHost, port: config.opsPort })
    // Its password is known to everyone.
    const withDemo = resources.embedded && !config.production
    if (withDemo) await ensureDemo(resources)
    resources.watch.start()
    const follower = await followServed(resources)
    if (follower) closers.push(() => follower.close())
    // Serving does not depend on it: a login that may not work the queue still serves.
    if (config.worker) {
      await resources.queue.start(makeTasks(resources), schedule).catch((error: unknown) => {
        if (stopping) return
        resources.log.error({ err: error }, 'the queue is not worked here: DATABASE_DIRECT_URL must be of the user that owns the schema')
      })
    }
    collectStartGarbage()
    const lines = [`API      ${apiAddress}`, `Docs     ${apiAddress}/docs`, `Console  ${opsAddress}`]
    if (withDemo) lines.push(`Demo     ${demoSignIn.email}  ${demoSignIn.password}`)
    console.log(`\nDjinn is ready.\n  ${lines.join('\n  ')}\n`)
  } catch (error) {
    // What fails because everything is being closed is no news.
    if (stopping) return await stopping
    for (const close of closers.toReversed()) await close()
    throw error
  }
}

/** Says that no more is to be sent here, and goes on answering until whoever asks has noticed. */
async function drain(api: Api, drainMs: number, hurry: Haste) {
  api.readiness.leaving = true
  if (api.readiness.watched) await pause(drainMs, undefined, { signal: hurry.next }).catch(() => {})
}

/** Further signals: each ends what is being waited for. */
class Haste {
  #waiting = new AbortController()

  get next(): AbortSignal {
    return this.#waiting.signal
  }

  more() {
    this.#waiting.abort()
    this.#waiting = new AbortController()
  }
}
