// djinn verify: proves the books and the audit trail, and names what is broken.
import { styleText } from 'node:util'
import { Command } from 'commander'
import { withDatabase } from '../app/resources.ts'
import { readConfig } from '../resources/config.ts'
import { refuseMissingIndexes } from '../resources/migrations.ts'
import { verifyInvariants } from '../resources/invariants.ts'

export function verifyCommand(): Command {
  return new Command('verify')
    .description('Prove that balances, totals, splits, transfers and the audit trail hold; exit 1 when something is broken')
    .option('--json', 'report as JSON')
    .addHelpText('after', '\nExample:\n  djinn verify --json')
    .action(async (options: { json?: boolean }) => {
      const findings = await withDatabase(readConfig(), async (database, url) => {
        await refuseMissingIndexes(url)
        return await verifyInvariants(database, (finding) => {
          if (options.json) return
          const good = finding.broken === 0
          console.log(`${good ? styleText('green', 'holds ') : styleText('red', 'BROKEN')}  ${finding.promise}`)
          if (!good) console.log(`        ${finding.broken} broken, for instance ${JSON.stringify(finding.examples[0])}`)
        })
      })
      const ok = findings.every((finding) => finding.broken === 0)
      if (options.json) console.log(JSON.stringify({ ok, findings }))
      process.exitCode = ok ? 0 : 1
    })
}
