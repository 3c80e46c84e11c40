// npm run check: format, lint, types, the floors, and every statement against the migrated schema.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const tool = (name: string) => fileURLToPath(new URL(`../node_modules/.bin/${name}`, import.meta.url))

const checks: Record<string, string[]> = {
  format: [tool('oxfmt'), '--check'],
  lint: [tool('oxlint'), '--type-aware'],
  types: [tool('tsc'), '--noEmit'],
  'floors and statements': [process.execPath, '--test', 'test/floors.test.ts', 'test/database/statements.test.ts'],
}

/** The suite itself runs the floors and the statements. */
const wanted = process.argv.includes('--without-tests') ? Object.keys(checks).slice(0, 3) : Object.keys(checks)
const outcomes = wanted.map((name) => {
  const [command, ...args] = checks[name]!
  const { status, stdout, stderr } = spawnSync(command!, args, { encoding: 'utf8' })
  console.log(`${status === 0 ? 'ok    ' : 'FAILED'}  ${name}`)
  if (status !== 0) console.log(`${stdout}${stderr}`)
  return status
})
process.exitCode = outcomes.every((status) => status === 0) ? 0 : 1
