// djinn migrate: brings the database to this version.
import { Command } from 'commander'
import { withOwnerUrl } from '../app/resources.ts'
import { readConfig } from '../resources/config.ts'
import { migrate } from '../resources/migrations.ts'

export function migrateCommand(): Command {
  return new Command('migrate')
    .description('Bring the database to this version (forward only; safe to run twice and side by side)')
    .option('--dry-run', 'only say what would run')
    .option('--json', 'report as JSON')
    .addHelpText('after', '\nExample:\n  DATABASE_DIRECT_URL=postgres://owner:...@db/djinn djinn migrate --dry-run')
    .action(async (options: { dryRun?: boolean; json?: boolean }) => {
      const dryRun = options.dryRun === true
      const migrations = await withOwnerUrl(readConfig(), (url) => migrate(url, { dryRun }))
      if (options.json) console.log(JSON.stringify({ dryRun, migrations }))
      else if (migrations.length === 0) console.log('The database is at this version.')
      else console.log(`${dryRun ? 'Would run' : 'Ran'}:\n  ${migrations.join('\n  ')}`)
    })
}
