// djinn seed: fills a database with made-up households, for load tests.
import { availableParallelism } from 'node:os'
import { Command, InvalidArgumentError } from 'commander'
import { seedDatabase } from '../app/seeding/seed.ts'
import { withOwnerUrl } from '../app/resources.ts'
import { hashPassword } from '../features/identity/hashing.ts'
import { readConfig } from '../resources/config.ts'

export function seedCommand(): Command {
  return new Command('seed')
    .requiredOption('--users <n>', 'how many', whole(1, 1e6))
    .requiredOption('--transactions <n>', 'mean', whole(0, 1e6))
    .option('--seed <n>', 'seed', whole(0, 2 ** 31 - 1), 1)
    .option('--jobs <n>', 'threads', whole(1, 64), availableParallelism())
    .option('--beside-others')
    .action(async (options: { users: number; transactions: number; seed: number; jobs: number; besideOthers?: boolean }) => {
      const report = await withOwnerUrl(readConfig(), (url) =>
        seedDatabase({ ...options, url, besideOthers: options.besideOthers === true, hashPassword: () => hashPassword('x') }),
      )
      console.log(JSON.stringify(report))
    })
}

function whole(least: number, most: number) {
  return (value: string): number => {
    if (!/^\d+$/.test(value) || Number(value) < least || Number(value) > most) throw new InvalidArgumentError(`must be a whole number from ${least} to ${most}`)
    return Number(value)
  }
}
