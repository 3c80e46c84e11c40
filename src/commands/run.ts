// Finds the verb and turns what it throws into one clear line and an exit code.
import { Command, CommanderError } from 'commander'
import { ConfigError } from '../resources/config.ts'
import { loadCommand } from './load.ts'
import { migrateCommand } from './migrate.ts'
import { poolerCommand } from './pooler.ts'
import { ratesCommand } from './rates.ts'
import { seedCommand } from './seed.ts'
import { serveCommand } from './serve.ts'
import { tuneCommand } from './tune.ts'
import { userCommand } from './user.ts'
import { verifyCommand } from './verify.ts'
import { workCommand } from './work.ts'

/** EX_CONFIG of sysexits.h: a variable of the environment cannot be used. */
const exitConfig = 78

export async function run(args: string[]) {
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
  program.addCommand(serveCommand(), { isDefault: false })
  program.addCommand(workCommand())
  program.addCommand(migrateCommand())
  program.addCommand(verifyCommand())
  program.addCommand(ratesCommand())
  program.addCommand(userCommand())
  program.addCommand(tuneCommand())
  program.addCommand(poolerCommand())
  program.addCommand(seedCommand())
  program.addCommand(loadCommand())
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
