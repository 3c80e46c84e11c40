// djinn flag: what an operator types and reads.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { flagNames } from '../../src/values/flags.ts'
import { open } from '../harness.ts'
import { noticed } from './setting.ts'

const djinn = await open()
after(() => djinn.close())

async function flag(...args: string[]) {
  const child = spawn(process.execPath, [fileURLToPath(new URL('../../bin/djinn.js', import.meta.url)), 'flag', ...args], {
    env: { PATH: process.env['PATH'], DATABASE_URL: djinn.adminUrl, LOG_LEVEL: 'silent' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const [out, errors, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit') as Promise<[number]>])
  return { out: out.trim(), errors: errors.trim(), code }
}

test('list has every flag in a line, and in JSON with what it takes', async () => {
  const { out, code } = await flag('list')
  assert.equal(code, 0)
  assert.deepEqual(
    out.split('\n').map((line) => line.split(' ')[0]),
    flagNames,
  )
  const { flags } = JSON.parse((await flag('list', '--json')).out) as { flags: Record<string, unknown>[] }
  assert.deepEqual(flags[0], {
    name: 'registration',
    value: 'open',
    default: 'open',
    kind: 'choice',
    takes: 'open, invite, closed',
    summary: flags[0]!['summary'],
    changedAt: null,
    changedBy: null,
    reason: null,
  })
})

test('set changes the running service, says from what to what, and history and show tell who', async () => {
  const heard = noticed(djinn.resources.flags)
  const set = await flag('set', 'imports', '25%', '--by', 'Ana', '--reason', 'a first part')
  assert.deepEqual([set.out, set.code], ['imports: on -> 25%, on every process within a second.', 0])
  await heard
  assert.equal((await flag('set', 'imports', '25.0%')).out, 'imports was 25% already.')
  const reset = await flag('set', 'imports', 'default', '--by', 'Ben', '--json')
  assert.deepEqual(JSON.parse(reset.out), { name: 'imports', old: '25%', value: 'on', changed: true, by: 'Ben' })
  const lines = (await flag('history', 'imports')).out.split('\n')
  assert.match(lines[0]!, /^2  \S+Z  imports  25% -> default \(on\)  by Ben$/)
  assert.match(lines[1]!, /^1  \S+Z  imports  default \(on\) -> 25%  by Ana: a first part$/)
  const { changes } = JSON.parse((await flag('history', '--limit', '1', '--json')).out) as { changes: Record<string, unknown>[] }
  assert.deepEqual(changes, [{ number: 2, name: 'imports', old: '25%', new: null, by: 'Ben', reason: null, at: changes[0]!['at'] }])
  assert.equal((await flag('history', '--before', '2')).out, lines[1])
  const shown = await flag('show', 'imports')
  assert.match(shown.out, /^imports is on \(default on\)\.\n.+\nTakes: on, off, or a percentage .+\nChanged at \S+ by Ben\.$/)
})

test('who changes it is the user of the system unless said', async () => {
  const { out } = await flag('set', 'exports', 'off', '--json')
  const { by } = JSON.parse(out) as { by: string }
  assert.ok(by.length > 0)
  assert.equal((JSON.parse((await flag('show', 'exports', '--json')).out) as { changedBy: string }).changedBy, by)
})

test('a name or a value that there is none of is one line that lists what there is, and exit 1', async () => {
  const name = await flag('set', 'import', 'on')
  assert.deepEqual([name.code, name.out], [1, ''])
  assert.equal(name.errors, `djinn: There is no flag "import". There are: ${flagNames.join(', ')}.`)
  const value = await flag('set', 'registration', 'shut')
  assert.deepEqual([value.code, value.errors], [1, 'djinn: registration takes open, invite, closed, or default (open), not "shut".'])
  assert.equal((await flag('show', 'nothing')).code, 1)
  assert.equal((await flag('history', 'nothing')).code, 1)
  for (const args of [['history', '--limit', '0'], ['history', '--before', 'x'], ['set', 'imports'], ['sing']])
    assert.equal((await flag(...args)).code, 1)
  assert.equal((await flag('history', 'registration')).out, 'No flag was changed.')
})

test('help has an example and the exit codes', async () => {
  for (const args of [[], ['list'], ['show'], ['set'], ['history']]) {
    const { out, code } = await flag(...args, '--help')
    assert.equal(code, 0)
    assert.match(out, /Exit: 0 done, 1/)
    assert.match(out, /Example:\n {2}djinn flag/)
  }
})
