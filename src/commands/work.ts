// djinn work: only the queue, beside servers that run with WORKER=off.
import { Command } from 'commander'
import { makeOps } from '../app/ops.ts'
import { openResources } from '../app/resources.ts'
import { makeTasks, schedule } from '../app/tasks.ts'
import { readConfig } from '../resources/config.ts'
import { limits } from '../values/limits.ts'

export function workCommand(): Command {
  return new Command('work')
    .description(
      'Work the job queue and serve nobody but /metrics on OPS_PORT, until SIGINT or SIGTERM; let servers beside it run with WORKER=off',
    )
    .addHelpText('after', '\nExample:\n  DATABASE_URL=postgres://... FCM_SERVICE_ACCOUNT_FILE=/run/secrets/fcm.json djinn work')
    .action(work)
}

async function work() {
  const config = readConfig()
  const resources = await openResources(config)
  const { log } = resources
  const ops = makeOps(resources, () => null)
  let stopping = false
  const stop = (signal: string) => {
    if (stopping) return
    stopping = true
    log.info({ signal }, 'stopping')
    setTimeout(() => process.exit(1), limits.shutdownMs).unref()
    void ops
      .close()
      .then(() => resources.close())
      .finally(() => process.exit())
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stop(signal))
  try {
    // Beside a server on one machine the port may be taken: then this process works unwatched.
    await ops.listen({ host: config.opsHost, port: config.opsPort }).catch((error: unknown) => {
      log.warn({ err: error }, 'the metrics of this worker are not served: give it an OPS_PORT of its own')
    })
    resources.watch.start()
    const tasks = makeTasks(resources)
    await resources.queue.start(tasks, schedule)
    console.log(`Djinn works the queue: ${Object.keys(tasks).join(', ')}.`)
  } catch (error) {
    await ops.close()
    await resources.close()
    throw error
  }
}
