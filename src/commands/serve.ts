// djinn serve: the API and the operators' port, until SIGINT or SIGTERM.
import { Command } from 'commander'
import { makeApi } from '../app/api.ts'
import { demoSignIn, ensureDemo } from '../app/demo.ts'
import { makeOps } from '../app/ops.ts'
import { openResources } from '../app/resources.ts'
import { makeTasks, schedule } from '../app/tasks.ts'
import { readConfig } from '../resources/config.ts'
import { limits } from '../values/limits.ts'

export function serveCommand(): Command {
  return new Command('serve')
    .description('Serve the API; without DATABASE_URL on an embedded PostgreSQL with a demo household')
    .addHelpText('after', '\nExample:\n  PORT=8080 OPS_PORT=9464 djinn serve')
    .action(serve)
}

async function serve() {
  const config = readConfig()
  const resources = await openResources(config)
  const { log } = resources
  let stopping: Promise<void> | undefined
  const closers: (() => Promise<unknown>)[] = [() => resources.close()]
  const stop = (signal: string) => {
    stopping ??= (async () => {
      log.info({ signal }, 'stopping')
      const forced = setTimeout(() => process.exit(1), limits.shutdownMs)
      forced.unref()
      for (const close of closers.toReversed()) await close()
      process.exit(0)
    })()
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stop(signal))
  try {
    const api = await makeApi(resources)
    closers.push(() => api.close())
    const apiAddress = await api.app.listen({ host: config.host, port: config.port })
    const ops = makeOps(resources, () => apiAddress)
    closers.push(() => ops.close())
    const opsAddress = await ops.listen({ host: config.opsHost, port: config.opsPort })
    if (resources.embedded) await ensureDemo(resources)
    // Serving does not depend on it: a login that may not work the queue still serves.
    if (config.worker) {
      await resources.queue
        .start(makeTasks(resources), schedule)
        .catch((error: unknown) =>
          log.error({ err: error }, 'the queue is not worked here: DATABASE_DIRECT_URL must be of the user that owns the schema'),
        )
    }
    const lines = [`API      ${apiAddress}`, `Docs     ${apiAddress}/docs`, `Console  ${opsAddress}`]
    if (resources.embedded) lines.push(`Demo     ${demoSignIn.email}  ${demoSignIn.password}`)
    console.log(`\nDjinn is ready.\n  ${lines.join('\n  ')}\n`)
  } catch (error) {
    for (const close of closers.toReversed()) await close()
    throw error
  }
}
