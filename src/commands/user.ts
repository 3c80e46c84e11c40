// djinn user: what an operator does with people's accounts.
import { Argument, Command } from 'commander'
import { withDatabase } from '../app/resources.ts'
import { changeTier, disableSecondFactor, everyUser, recoveryLink, signOut, type UserAccount } from '../features/identity/administration.ts'
import { readConfig } from '../resources/config.ts'
import type { Database } from '../resources/database.ts'
import { limits } from '../values/limits.ts'

type Json = { json?: boolean }

export function userCommand(): Command {
  const command = new Command('user')
    .description('List people, sign them out, make links of recovery, turn a lost second factor off, set their tier')
    .addHelpText('after', '\nExample:\n  djinn user list\n  djinn user sign-out ana@example.org')
  command
    .command('list')
    .description('Who has an account, in the order of sign-up')
    .option('--json', 'one JSON document')
    .addHelpText('after', '\nExample:\n  djinn user list --json')
    .action((options: Json) => onDatabase((database) => list(database, options.json === true)))
  const onAccount = (name: string, description: string) =>
    command
      .command(name)
      .description(description)
      .argument('<email>', 'whose account')
      .option('--json', 'report as JSON')
      .addHelpText('after', `\nExample:\n  djinn user ${name} ana@example.org${name === 'tier' ? ' premium' : ''}`)
  onAccount('disable-second-factor', 'Turn the second factor off, for somebody who lost the phone and the recovery codes').action(
    (email: string, options: Json) =>
      onDatabase(async (database) => {
        const disabled = await disableSecondFactor(database, email)
        report(options, { email, disabled }, disabled ? `The second factor of ${email} is off.` : `${email} has no second factor.`)
      }),
  )
  onAccount('sign-out', 'End all sessions; the password stays').action((email: string, options: Json) =>
    onDatabase(async (database) => {
      const ended = await signOut(database, email)
      report(options, { email, ended }, `${ended} ${ended === 1 ? 'session' : 'sessions'} of ${email} ended.`)
    }),
  )
  onAccount('recovery-link', 'Make a link for a new password, where no mail is configured; hand it over on a way that is safe').action(
    (email: string, options: Json) =>
      onDatabase(async (database) => {
        const link = await recoveryLink(database, email, readConfig().appUrl)
        report(options, { email, link }, `${link}\nIt works once, within ${limits.recoveryLinkMinutes} minutes.`)
      }),
  )
  onAccount('tier', 'Set the tier, which decides the limit of requests')
    .addArgument(new Argument('<tier>', 'the tier').choices(['standard', 'premium']))
    .action((email: string, tier: 'standard' | 'premium', options: Json) =>
      onDatabase(async (database) => {
        const changed = await changeTier(database, email, tier)
        report(options, { email, tier, changed }, changed ? `${email} is ${tier} now.` : `${email} was ${tier} already.`)
      }),
    )
  return command
}

async function onDatabase(work: (database: Database) => Promise<void>) {
  await withDatabase(readConfig(), work)
}

function report(options: Json, facts: object, sentence: string) {
  console.log(options.json ? JSON.stringify(facts) : sentence)
}

async function list(database: Database, json: boolean) {
  if (json) {
    const users: UserAccount[] = []
    for await (const user of everyUser(database)) users.push(user)
    console.log(JSON.stringify({ users }))
    return
  }
  for await (const { email, tier, secondFactor, sessions, createdAt } of everyUser(database)) {
    const facts = [createdAt.slice(0, 10), tier, `${sessions} ${sessions === 1 ? 'session' : 'sessions'}`]
    // An address is what a stranger typed: no control character of it reaches the terminal.
    console.log([email.replaceAll(/\p{Cc}/gu, '?'), ...facts, ...(secondFactor ? ['second factor'] : [])].join('  '))
  }
}
