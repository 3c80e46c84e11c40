// djinn tune: the settings of PostgreSQL for a machine's size; prints, applies or checks them.
import { Command, Option } from 'commander'
import { withOwnerUrl } from '../app/resources.ts'
import { apply, standingOf } from '../features/tuning/application.ts'
import { thisMachine } from '../features/tuning/machine.ts'
import { memoryOf, memoryText } from '../features/tuning/quantity.ts'
import { appliedText, fragment, sizeText, table } from '../features/tuning/report.ts'
import { settingsFor, sizeLimits, type Size } from '../features/tuning/rules.ts'
import { readConfig, type Config } from '../resources/config.ts'
import { ServerSettings } from '../resources/server-settings.ts'

type Options = { memory?: string; cpus?: string; apply?: boolean; check?: boolean; json?: boolean }

export function tuneCommand(): Command {
  return new Command('tune')
    .description("PostgreSQL's settings for a machine's size, each with its rule and reason; prints them unless told to apply or check")
    .option('--memory <size>', "the database server's memory, such as 4GB; this machine's unless given")
    .option('--cpus <count>', "its CPUs; this machine's unless given")
    .addOption(new Option('--apply', 'write them by ALTER SYSTEM and say which need a restart').conflicts('check'))
    .option('--check', 'compare a live server; exit 1 when it differs')
    .option('--json', 'report as JSON')
    .addHelpText(
      'after',
      '\nExample:\n  djinn tune --memory 4GB --cpus 2 > /etc/postgresql/18/main/conf.d/djinn.conf\n' +
        '  DATABASE_DIRECT_URL=postgres://postgres:...@127.0.0.1/djinn djinn tune --apply',
    )
    .action(tune)
}

async function tune(options: Options) {
  const live = options.apply === true || options.check === true
  const config = live ? readConfig() : undefined
  if (config) requireSize(config, options)
  const size = sizeOf(options)
  const settings = settingsFor(size)
  if (options.apply) {
    const here = thisMachine().memoryBytes
    const embedded = config!.databaseUrl === undefined && config!.databaseDirectUrl === undefined
    if (embedded && size.memoryBytes > here) {
      throw new Error(
        `--memory: the embedded PostgreSQL runs here, with ${memoryText(here)}; with settings for more it might not start again`,
      )
    }
    const applied = await onServer(config!, (server) => apply(server, settings))
    const how = embedded ? 'Restart djinn serve, which restarts it.' : 'Restart it (systemctl restart postgresql), then: djinn tune --check'
    console.log(options.json ? JSON.stringify({ ...facts(size), ...applied }) : appliedText(applied, how))
  } else if (options.check) {
    const compared = await onServer(config!, (server) => standingOf(server, settings))
    const ok = compared.every((one) => one.standing === 'equal')
    console.log(options.json ? JSON.stringify({ ok, ...facts(size), settings: compared }) : `For ${sizeText(size)}:\n${table(compared)}`)
    process.exitCode = ok ? 0 : 1
  } else if (options.json) {
    const values = Object.fromEntries(settings.map(({ name, value }) => [name, value]))
    console.log(JSON.stringify({ ...facts(size), settings: values, explained: settings }))
  } else console.log(fragment(size, settings))
}

const facts = ({ memoryBytes, cpus }: Size) => ({ memory: memoryText(memoryBytes), cpus })

async function onServer<T>(config: Config, work: (server: ServerSettings) => Promise<T>): Promise<T> {
  return await withOwnerUrl(config, async (url) => {
    const server = await ServerSettings.open(url)
    try {
      return await work(server)
    } finally {
      await server.close()
    }
  })
}

/** The size of this machine says nothing of a server elsewhere. */
function requireSize(config: Config, options: Options) {
  if (config.databaseDirectUrl === undefined || (options.memory !== undefined && options.cpus !== undefined)) return
  const host = new URL(config.databaseDirectUrl).hostname
  if (host === '' || host === 'localhost' || host.startsWith('127.') || host === '[::1]') return
  throw new Error(`the database runs on ${host}: name its size with --memory and --cpus`)
}

function sizeOf(options: Options): Size {
  const here = thisMachine()
  const memoryBytes = options.memory === undefined ? here.memoryBytes : memoryOf(options.memory)
  const { memoryBytesMin, memoryBytesMax, cpusMax } = sizeLimits
  if (memoryBytes === undefined) throw new Error(`--memory must be an amount such as 4GB or 3800MB, not ${JSON.stringify(options.memory)}`)
  if (memoryBytes < memoryBytesMin || memoryBytes > memoryBytesMax) {
    throw new Error(`--memory must be from ${memoryText(memoryBytesMin)} to ${memoryText(memoryBytesMax)}, not ${memoryText(memoryBytes)}`)
  }
  const cpus = options.cpus === undefined ? here.cpus : Number(options.cpus)
  if (!/^\d{1,4}$/.test(options.cpus ?? '1') || cpus < 1 || cpus > cpusMax) {
    throw new Error(`--cpus must be a whole number from 1 to ${cpusMax}, not ${JSON.stringify(options.cpus)}`)
  }
  return { memoryBytes, cpus }
}
