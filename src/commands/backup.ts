// djinn backup: a copy of the whole database, sealed and checked; with --follow also of all that is written afterwards.
import { Command, Option } from 'commander'
import { backUp, drillNow, follow, listBackups, openRepository } from '../app/backups.ts'
import { baseText, drillText, listText, Progress } from '../features/backups/report.ts'
import { readConfig } from '../resources/config.ts'
import { backupLimits } from '../values/backup-limits.ts'
import { wholeNumber } from './numbers.ts'

type Options = {
  to?: string
  keyFile?: string
  keepDays: number
  maxRate?: number
  follow?: boolean
  drill?: boolean
  scratch?: string
  list?: boolean
  json?: boolean
}

export function backupCommand(): Command {
  return new Command('backup')
    .description('Copy the whole database, sealed and with checksums; --follow keeps the log behind it, so that any moment can be restored')
    .option('--to <folder>', 'where backups lie; BACKUP_FOLDER, or backups/ in DJINN_DATA_DIR, unless given')
    .option('--key-file <file>', 'encrypt with this key (32 bytes as base64, mode 600); BACKUP_KEY_FILE unless given')
    .addOption(
      new Option('--keep-days <days>', 'then forget what is not needed to restore to any moment of so many days')
        .default(backupLimits.keepDays)
        .argParser(wholeNumber(1, backupLimits.keepDaysMax)),
    )
    .addOption(new Option('--max-rate <megabytes>', 'copy so many a second at most').argParser(wholeNumber(1, backupLimits.rateMbMax)))
    .addOption(
      new Option('--follow', 'follow the log until Ctrl-C; djinn serve does it for its embedded database').conflicts([
        'drill',
        'list',
        'json',
      ]),
    )
    .addOption(
      new Option('--drill', 'restore the newest aside, prove it, compare it, report how long it took, remove it').conflicts('list'),
    )
    .option('--scratch <folder>', 'where a drill has room for another database; DJINN_DATA_DIR unless given')
    .option('--list', 'which backups there are, and which moments can be restored')
    .option('--json', 'report as JSON')
    .addHelpText(
      'after',
      '\nExit: 0 it is made and on the disk, or the drill passed; 1 it is not; 78 a variable cannot be used\n' +
        '\nExample:\n  (umask 077; openssl rand -base64 32 > /etc/djinn/backup.key)\n' +
        '  djinn backup --to /srv/backups --key-file /etc/djinn/backup.key\n  djinn backup --to /srv/backups --key-file /etc/djinn/backup.key --drill',
    )
    .action(run)
}

async function run({ json = false, ...options }: Options) {
  const config = readConfig()
  const repository = await openRepository(config, options.to, options.keyFile)
  if (options.follow) return await follow(config, repository)
  if (options.list) {
    const list = await listBackups(repository)
    return console.log(json ? JSON.stringify(list) : listText(list, repository.folder))
  }
  const progress = new Progress(json)
  if (options.drill) {
    const drilled = await drillNow(config, repository, options.scratch, (what, done, of) => progress.show(what, done, of))
    progress.end()
    console.log(json ? JSON.stringify(drilled) : drillText(drilled))
    process.exitCode = drilled.ok ? 0 : 1
    return
  }
  const made = await backUp(config, repository, {
    keepDays: options.keepDays,
    ...(options.maxRate === undefined ? {} : { rateMbMax: options.maxRate }),
    onProgress: (bytes, ofBytes) => progress.show('copied', bytes, ofBytes),
  })
  progress.end()
  console.log(json ? JSON.stringify({ ok: true, ...made }) : baseText(made, made.forgotten, repository.folder))
}
