// djinn serve: the API and the operators' port, until SIGINT or SIGTERM.
import { Command } from 'commander'
import { readConfig } from '../resources/config.ts'

export function serveCommand(): Command {
  return new Command('serve')
    .description('Serve the API; without DATABASE_URL on an embedded PostgreSQL with a demo household')
    .addHelpText('after', '\nExample:\n  PORT=8080 OPS_PORT=9464 djinn serve')
    .action(async () => {
      const config = readConfig()
      // Loaded behind the check: a value that cannot be used is told at once.
      const { serve } = await import('./serving.ts')
      await serve(config)
    })
}
