// Finds the verb and turns what it throws into one clear line and an exit code.
import { Command, CommanderError } from 'commander'
import { ConfigError } from '../resources/config.ts'

/** Every verb, loaded when it is asked for: what the others need costs half a second. */
const verbs: Record<string, () => Promise<Command>> = {
  serve: async () => (await import('./serve.ts')).serveCommand(),
  work: async () => (await import('./work.ts')).workCommand(),
  migrate: async () => (await import('./migrate.ts')).migrateCommand(),
  verify: async () => (await import('./verify.ts')).verifyCommand(),
  rates: async () => (await import('./rates.ts')).ratesCommand(),
  user: async () => (await import('./user.ts')).userCommand(),
  flag: async () => (await import('./flag.ts')).flagCommand(),
  tune: async () => (await import('./tune.ts')).tuneCommand(),
  pooler: async () => (await import('./pooler.ts')).poolerCommand(),
  replica: async () => (await import('./replica.ts')).replicaCommand(),
  seed: async () => (await import('./seed.ts')).seedCommand(),
  advise: async () => (await import('./advise.ts')).adviseCommand(),
  inspect: async () => (await import('./inspect.ts')).inspectCommand(),
  backup: async () => (await import('./backup.ts')).backupCommand(),
  restore: async () => (await import('./restore.ts')).restoreCommand(),
  scale: async () => (await import('./scale.ts')).scaleCommand(),
  load: async () => (await import('./load.ts')).loadCommand(),
}

/** EX_CONFIG of sysexits.h: a variable of the environment cannot be used. */
const exitConfig = 78

export async function run(args: string[]) {
  // Whoever reads only the beginning, as head does, has what they wanted.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1))
  const program = new Command('djinn')
    .description('A personal-finance backend for mobile apps: ledger, offline sync and bank imports on one PostgreSQL.')
    .addHelpText(
      'after',
      '\nEnvironment:\n  DATABASE_URL      PostgreSQL 16 or newer; without it an embedded one is started\n' +
        '  DJINN_DATA_DIR    files of the embedded one (default .djinn)\n  HOST, PORT        the API (default 127.0.0.1:8080)\n' +
        '  OPS_HOST, OPS_PORT  metrics and console (default 127.0.0.1:9464)\nAll variables: docs/configuration.md',
    )
    .option('--debug', 'print the whole of an error')
    .exitOverride()
    .showHelpAfterError()
  const asked = args.find((argument) => !argument.startsWith('-')) ?? ''
  const loading = Object.hasOwn(verbs, asked) ? [verbs[asked]!] : Object.values(verbs)
  for (const command of await Promise.all(loading.map((load) => load()))) program.addCommand(command)
  for (const command of program.commands) prepare(command)
  try {
    await program.parseAsync(args, { from: 'user' })
  } catch (error) {
    if (error instanceof CommanderError) process.exitCode = error.exitCode
    else if (error instanceof ConfigError) {
      console.error(`djinn: ${error.message}`)
      process.exitCode = exitConfig
    } else {
      console.error(`djinn: ${(error as Error).message}`)
      if (program.opts<{ debug?: boolean }>().debug) console.error(error)
      process.exitCode = 1
    }
  }
}

/** What is wrong is thrown to `run`, by verbs of verbs as well. */
function prepare(command: Command) {
  command.exitOverride().showHelpAfterError()
  command.commands.forEach(prepare)
}
