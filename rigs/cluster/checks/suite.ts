// The tests of the API that speak to a service by HTTP, and to its database for what they put there, against the balancer.
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { atLeast, exactly, reported, type Figure } from '../figure.ts'
import type { World } from '../world.ts'

/** A run that finds no tests has shown nothing. */
const passedMin = 100
const root = fileURLToPath(new URL('../../../', import.meta.url))

/**
 * The others are left out because they look into the process that answers (its log, its queue, its mail, its streams), start it with settings of their
 * own, break its database on purpose, build on a test that counts statements, take all rows of a database for their own, or write HTTP that the balancer refuses by itself.
 */
export const speakHttp =
  'accounts adaptive-hints audit batch budgets categories devices exports-csv feeds imports-csv me sync sync-households transactions transfers'.split(
    ' ',
  )

/** What a test says that counts the statements of the process it speaks to: there is none to count here. */
const countsStatements = 'what another process asks its database cannot be counted'

export async function checkSuite(world: World, say: (line: string) => void): Promise<Figure[]> {
  const files = speakHttp.map((name) => `test/routes/${name}.test.ts`)
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
  const tests = [...tap.matchAll(/^(not ok|ok) \d+ - (.*)\n((?: {2}.*\n)*)/gm)].map(([, outcome, name, more]) => ({
    name: name!,
    passed: outcome === 'ok',
    leftOut: more!.includes(countsStatements),
    more: more!,
  }))
  const failed = tests.filter((one) => !one.passed && !one.leftOut)
  for (const { name, more } of failed) say(`${name}\n${more}`)
  return [
    exactly(`the API suite through the balancer (${files.length} files): failed`, failed.length, `of ${tests.length}`, 0),
    atLeast('the API suite through the balancer: passed', tests.filter((one) => one.passed).length, 'tests', passedMin),
    reported(
      'the API suite through the balancer: left out, since they count statements',
      tests.filter((one) => one.leftOut).length,
      'tests',
    ),
  ]
}
