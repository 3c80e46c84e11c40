// djinn work: only the queue, beside servers that run with WORKER=off.
import { Command } from 'commander'
import { openResources } from '../app/resources.ts'
import { makeTasks, schedule } from '../app/tasks.ts'
import { readConfig } from '../resources/config.ts'
import { limits } from '../values/limits.ts'

export function workCommand(): Command {
  return new Command('work')
    .description('Work the job queue and serve nobody, until SIGINT or SIGTERM; let servers beside it run with WORKER=off')
    .addHelpText('after', '\nExample:\n  DATABASE_URL=postgres://... FCM_SERVICE_ACCOUNT_FILE=/run/secrets/fcm.json djinn work')
    .action(work)
}

async function work() {
  const resources = await openResources(readConfig())
  const { log } = resources
  let stopping = false
  const stop = (signal: string) => {
    if (stopping) return
    stopping = true
    log.info({ signal }, 'stopping')
    setTimeout(() => process.exit(1), limits.shutdownMs).unref()
    void resources.close().finally(() => process.exit())
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stop(signal))
  try {
    const tasks = makeTasks(resources)
    await resources.queue.start(tasks, schedule)
    console.log(`Djinn works the queue: ${Object.keys(tasks).join(', ')}.`)
  } catch (error) {
    await resources.close()
    throw error
  }
}
