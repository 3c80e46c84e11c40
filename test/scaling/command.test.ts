// djinn scale from a process of its own, on this machine and over ssh, with programs of a host that stand in for its own.
import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { hostOf, local } from '../../src/features/scaling/executor.ts'
import { alone, newProgress, readProgress, writeProgress } from '../../src/features/scaling/progress.ts'
import { shellText } from '../../src/features/scaling/quoting.ts'
import { Machine } from './machine.ts'
import { missingSshd, openSshServer } from './ssh-server.ts'
import { StandIns } from './stand-ins.ts'

const executable = fileURLToPath(new URL('../../bin/djinn.js', import.meta.url))
const dataDir = mkdtempSync(join(tmpdir(), 'djinn-scale-'))
const service = createServer((_, answer) => void answer.end('djinn_requests_total{operation="a",status="200"} 500\n')).listen(
  0,
  '127.0.0.1',
)
await once(service, 'listening')
const url = `http://127.0.0.1:${(service.address() as AddressInfo).port}`
after(() => {
  service.close()
  rmSync(dataDir, { recursive: true, force: true })
})

async function scale(path: string, ...args: string[]) {
  const child = spawn(process.execPath, [executable, 'scale', ...args], {
    env: { PATH: path, LOG_LEVEL: 'silent', DJINN_DATA_DIR: dataDir },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const [out, errors, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit') as Promise<[number]>])
  return {
    out,
    errors,
    code,
    said: out.startsWith('{')
      ? (JSON.parse(out) as { outcome: string; step?: string; steps: { name: string; tookMs: number | null }[] })
      : null,
  }
}
const asked = ['--djinn', 'djinn', '--url', url, '--ops-url', url]

test('words reach a program through a shell as they are', () => {
  const shells = ['/bin/sh', '/bin/bash'].filter((shell) => existsSync(shell))
  const word = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.string({ unit: fc.constantFrom("'", '"', '\\', '$', '`', '\n', ' ', '!', '*', '~', '-', ';', '&', '#', 'a', '=') }),
  )
  fc.assert(
    fc.property(fc.constantFrom(...shells), fc.array(word, { minLength: 1, maxLength: 60 }), (shell, given) => {
      // What has no form as UTF-8, or ends a string in C, is no word of any program.
      const words = given.map((each) => each.replaceAll('\0', '').toWellFormed())
      const out = execFileSync(shell, ['-c', `printf '%s\\0' ${shellText(words)}`], { encoding: 'utf8' })
      assert.deepEqual(out.split('\0').slice(0, -1), words)
    }),
    { numRuns: 10 },
  )
  assert.throws(() => shellText(['a\0b']), /NUL/)
})

test('a host is never an option of ssh, and nothing else but a host', () => {
  for (const good of ['host', 'root@203.0.113.5', 'djinn@a-b.example.org', 'root@[2001:db8::1]'])
    assert.equal(hostOf(good), good.replaceAll(/[[\]]/g, ''))
  for (const bad of ['-oProxyCommand=x', 'a b', 'root@', 'root@-x', '$(x)', 'a;b', '', "a'b", '-x@host'])
    assert.throws(() => hostOf(bad), /--host must be/, bad)
})

test('a program that is not there, fails, or does not come to an end is told apart', async () => {
  const run = (...argv: string[]) => local.run({ argv, timeoutMs: argv[0] === 'sleep' ? 50 : 10_000 })
  assert.deepEqual(await run('sh', '-c', 'echo out; echo err >&2; exit 7'), { code: 7, out: 'out\n', errors: 'err\n', lost: false })
  const none = await run('/nowhere/program')
  assert.deepEqual([none.code, none.lost], [null, false])
  const late = await run('sleep', '60')
  assert.deepEqual([late.code, late.lost], [null, true])
})

test('progress is whole on the disk, one run at a time', async () => {
  const file = join(dataDir, 'one', 'progress.json')
  assert.equal(readProgress(file), null)
  const progress = newProgress('a machine', new Machine('CX22').wish('CX32'))
  await alone(file, async () => {
    writeProgress(file, progress)
    await assert.rejects(
      alone(file, async () => {}),
      /another djinn scale is under way/,
    )
  })
  assert.deepEqual(readProgress(file), progress)
  assert.deepEqual(readdirSync(join(dataDir, 'one')), ['progress.json'])
})

test('help has examples and exit codes; what is not enough, or nobody agrees to, is one line', async () => {
  const host = new StandIns('CX22')
  const help = await scale(host.path, '--help')
  assert.match(help.out, /\nExit: 0 done; [^]*\nExample:\n {2}djinn scale --plan\n/)
  for (const [args, message] of [
    [[], /^djinn: say which server with --to/],
    [['--resume'], /^djinn: nothing was begun for this machine/],
    [['--to', 'CX22', '--host', '-oProxyCommand=x'], /--host must be a host/],
    [['--to', 'CX32'], /^djinn: there is nobody to ask: --yes agrees beforehand/],
    [['--to', 'CX99'], /Allowed choices are CX22, CX32, CX42/],
  ] as const) {
    const { out, errors, code } = await scale(host.path, ...args)
    assert.deepEqual([out, code], ['', 1], args.join(' '))
    assert.match(errors, message)
  }
  const same = await scale(host.path, '--to', 'CX22', '--yes')
  assert.deepEqual([same.code, /is a CX22 already/.test(same.out)], [0, true])
  host.close()
})

test('a dry run only looks: no program that changes something, no file, the same host after it', async () => {
  const host = new StandIns('CX22')
  const before = host.state()
  const files = readdirSync(dataDir, { recursive: true })
  const { out, code } = await scale(host.path, '--to', 'CX32', '--dry-run', ...asked)
  assert.equal(code, 0, out)
  assert.match(out, /EUR 3\.79 a month now \(CX22\), EUR 7\.59 after \(CX32\)/)
  assert.match(out, /Nobody is answered for about 4 minutes/)
  assert.match(out, /you +Power the server off/)
  assert.deepEqual(
    host.ran().map((line) => line.split(' ').slice(0, 2).join(' ')),
    ['getconf _NPROCESSORS_ONLN', 'cat /proc/meminfo', 'df -P', 'djinn inspect'],
  )
  assert.deepEqual([host.state(), readdirSync(dataDir, { recursive: true })], [before, files])
  host.close()
})

test('the path is printed with its costs, where this server stands, and the step that the advisor takes next', async () => {
  const host = new StandIns('CX22')
  const { out, code } = await scale(host.path, '--plan', ...asked)
  assert.equal(code, 0)
  for (const cost of ['3.79', '7.59', '15.49', '11.38', '15.17', '24.35'])
    assert.match(out, new RegExp(`^ +${cost.replace('.', '\\.')} {2}`, 'm'))
  assert.match(
    out,
    /CX22 {2}<- this server\n[^]*CX32 \(\+3\.80\) {2}<- next, now\n[^]*would take: one server: CX32 \(now: server-cpu\)\.\n {2}first: an index/,
  )
  host.close()
})

/** Up to the hand at the provider, there, and to the end. */
async function upAndDown(host: StandIns, ...where: string[]) {
  const words = [...asked, ...where, '--yes', '--json']
  const first = await scale(host.path, '--to', 'CX32', ...words)
  assert.deepEqual([first.code, first.said!.outcome, first.said!.step], [3, 'waits', 'resize'], first.errors)
  assert.match(first.errors, /by hand +resize/)
  assert.ok(host.ran().includes('systemctl stop djinn.service postgresql.service'))
  const again = await scale(host.path, '--to', 'CX32', ...words)
  assert.deepEqual([again.code, again.out], [1, ''])
  assert.match(again.errors, /a run to CX32 is not finished .*--resume goes on with it/)
  const still = await scale(host.path, '--resume', ...words)
  assert.equal(still.code, 3)
  assert.deepEqual(
    host.ran().filter((line) => /^(systemctl|djinn)/.test(line)),
    [],
    'nothing is done twice while it waits',
  )
  host.become('CX32')
  const done = await scale(host.path, '--resume', ...words)
  assert.deepEqual([done.code, done.said!.outcome], [0, 'done'], done.errors + done.out)
  assert.ok(
    done.said!.steps.every(({ tookMs }) => tookMs !== null),
    'each step says how long it took',
  )
  assert.equal(host.state()['in-effect'], '8GB 4\n')
  const down = await scale(host.path, '--to', 'CX22', ...words)
  assert.equal(down.code, 3, down.errors)
  host.become('CX22')
  assert.equal((await scale(host.path, '--resume', ...words)).code, 0)
  assert.equal(host.state()['in-effect'], '4GB 2\n')
}

test('on this machine, without a terminal, it waits for the hand and goes on to the end, up and down again', async () => {
  const host = new StandIns('CX22')
  await upAndDown(host)
  host.close()
})

test('over ssh likewise, and a connection that breaks is gone on with', { skip: missingSshd() }, async () => {
  const host = new StandIns('CX22')
  const server = await openSshServer(host.path)
  try {
    const where = ['--host', server.host, ...server.words.flatMap((word) => [`--ssh-option=${word}`])]
    host.write('drop', '')
    const lost = await scale(host.path, '--to', 'CX32', ...asked, ...where, '--yes', '--json')
    assert.deepEqual([lost.code, lost.said!.outcome, lost.said!.step], [4, 'lost', 'backup'], lost.errors)
    const waits = await scale(host.path, '--resume', ...where, '--yes', '--json')
    assert.deepEqual([waits.code, waits.said!.step], [3, 'resize'], waits.errors)
    assert.equal(host.ran().filter((line) => line.startsWith('djinn backup')).length, 2)
    host.become('CX32')
    assert.equal((await scale(host.path, '--resume', ...where, '--yes')).code, 0)
    assert.match(readFileSync(join(server.folder, 'known'), 'utf8'), /ed25519/, 'it was this sshd')
  } finally {
    await server.close()
  }
  const away = await scale(host.path, '--plan', '--host', server.host, ...server.words.flatMap((word) => [`--ssh-option=${word}`]))
  assert.equal(away.code, 4)
  host.close()
})
