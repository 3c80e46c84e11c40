// A worker that serves nobody is watched as well.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { open, type Djinn } from '../harness.ts'
import { freePort } from '../pgbouncer.ts'

/** `djinn work` once it works the queue, and what it logged by then. */
async function startWorker(djinn: Djinn, opsPort: number) {
  const child = spawn(process.execPath, [fileURLToPath(new URL('../../bin/djinn.js', import.meta.url)), 'work'], {
    env: {
      PATH: process.env['PATH'],
      DATABASE_URL: djinn.resources.config.databaseUrl!,
      DATABASE_DIRECT_URL: djinn.adminUrl,
      OPS_PORT: String(opsPort),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let log = ''
  child.stderr.on('data', (chunk) => (log += String(chunk)))
  await Promise.race([once(child.stdout, 'data'), once(child, 'exit').then(() => assert.fail(`the worker ended: ${log}`))])
  return {
    log: () => log,
    stop: async () => {
      child.kill('SIGTERM')
      const [code] = (await once(child, 'exit')) as [number]
      assert.equal(code, 0)
    },
  }
}

test('djinn work serves its metrics on the operators’ port, and works without when that is taken', async () => {
  await using djinn = await open()
  const port = await freePort()
  const worker = await startWorker(djinn, port)
  const answer = await fetch(`http://127.0.0.1:${port}/metrics`)
  assert.match(await answer.text(), /^djinn_pushes_total\{outcome="sent"\} 0$/m)
  assert.match(await (await fetch(`http://127.0.0.1:${port}/`)).text(), /Djinn console/)
  const live = (await (await fetch(`http://127.0.0.1:${port}/console/live`)).json()) as { service: { api: string | null } }
  assert.equal(live.service.api, null, 'it serves no API')
  await worker.stop()
  const taken = createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  const second = await startWorker(djinn, (taken.address() as AddressInfo).port)
  assert.match(second.log(), /OPS_PORT of its own/)
  await second.stop()
  taken.close()
})
