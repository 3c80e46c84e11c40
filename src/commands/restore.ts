// djinn restore: a database as it was at a moment, in a folder of its own.
import { Command } from 'commander'
import { openRepository, restoreTo } from '../app/backups.ts'
import { Progress, restoredText } from '../features/backups/report.ts'
import { readConfig } from '../resources/config.ts'

type Options = { from?: string; toFolder: string; to?: string; keyFile?: string; json?: boolean }

export function restoreCommand(): Command {
  return new Command('restore')
    .description('Restore the database to a moment into an empty folder, prove it, and forget again whoever was erased since')
    .option('--from <folder>', 'where the backups lie; as for djinn backup unless given')
    .requiredOption('--to-folder <folder>', 'where it is to be; empty, or not there yet')
    .option('--to <time>', 'the moment (RFC 3339, such as 2026-01-31T12:00:00Z); the last that is covered unless given')
    .option('--key-file <file>', 'the key that the backups are sealed with; BACKUP_KEY_FILE unless given')
    .option('--json', 'report as JSON')
    .addHelpText(
      'after',
      '\nExit: 0 it is restored and every promise holds; 1 it is not, or one is broken; 78 a variable cannot be used\n' +
        '\nExample:\n  djinn restore --from /srv/backups --key-file /etc/djinn/backup.key --to 2026-01-31T12:00:00Z --to-folder /var/lib/djinn-restored\n' +
        '  DJINN_DATA_DIR=/var/lib/djinn-restored djinn serve',
    )
    .action(async (options: Options) => {
      const targetMs = options.to === undefined ? null : momentOf(options.to)
      const repository = await openRepository(readConfig(), options.from, options.keyFile)
      const progress = new Progress(options.json === true)
      const restored = await restoreTo({
        repository,
        folder: options.toFolder,
        targetMs,
        log: () => {},
        onProgress: (what, done, of) => progress.show(what, done, of),
      })
      progress.end()
      const ok = restored.findings.every(({ broken }) => broken === 0)
      console.log(options.json ? JSON.stringify({ ok, ...restored }) : restoredText(restored, options.toFolder))
      process.exitCode = ok ? 0 : 1
    })
}

/** RFC 3339 with its offset: a time of no zone would be a moment of whoever reads it. */
function momentOf(text: string): number {
  const isMoment = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)$/.test(text)
  const ms = isMoment ? Date.parse(text.replace(' ', 'T').toUpperCase()) : Number.NaN
  if (Number.isNaN(ms)) throw new Error(`--to must be a moment such as 2026-01-31T12:00:00Z, not ${JSON.stringify(text)}`)
  return ms
}
