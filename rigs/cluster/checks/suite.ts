// The tests of the API that speak to a service by HTTP, and to its database for what they put there, against the balancer.
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { exactly, reported, type Figure } from '../figure.ts'
import type { World } from '../world.ts'

const root = fileURLToPath(new URL('../../../', import.meta.url))

/**
 * The others are left out because they look into the process that answers (statements counted, round trips, its log, its queue, its mail), start it
 * with settings of their own, break its database on purpose, count all rows of a database that they take for their own, or write HTTP that the balancer refuses itself.
 */
export const speakHttpOnly = [
  'adaptive-hints',
  'devices',
  'imports-accounts',
  'imports-csv',
  'imports-duplicates',
  'imports-formats',
  'imports-matches',
  'sync-households',
]

export async function checkSuite(world: World, say: (line: string) => void): Promise<Figure[]> {
  const files = speakHttpOnly.map((name) => `test/routes/${name}.test.ts`)
  const child = spawn(process.execPath, ['--test', '--test-concurrency=2', '--test-reporter=tap', ...files], {
    cwd: root,
    env: {
      ...process.env,
      DJINN_TEST_SERVICE_URL: world.balancer.url,
      DJINN_TEST_ADMIN_URL: world.adminUrl,
      DJINN_TEST_API_URL: world.apiUrl,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let tap = ''
  child.stdout.on('data', (chunk) => (tap += String(chunk)))
  await new Promise((resolve) => child.once('close', resolve))
  const count = (what: string) => Number(new RegExp(`^# ${what} (\\d+)$`, 'm').exec(tap)?.[1] ?? NaN)
  if (count('fail') > 0)
    say(
      tap
        .split('\n')
        .filter((line) => /^\s*not ok/.test(line))
        .join('\n'),
    )
  return [
    exactly(`the API suite through the balancer (${files.length} files): failed`, count('fail'), `of ${count('tests')}`, 0),
    reported('the API suite through the balancer: passed', count('pass'), 'tests'),
  ]
}
