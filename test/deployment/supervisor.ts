// In the place of systemd: starts processes of the release that is current, restarts them when it is asked to over HTTP, ends them all.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'

export type Supervisor = Awaited<ReturnType<typeof openSupervisor>>

/** `restart` is the command for deploy.sh; `restarted` lists the ports in the order of their restarts. */
export async function openSupervisor(root: string, environment: Record<string, string>) {
  const processes = new Map<string, ChildProcess>()
  const restarted: string[] = []
  const seen: { onRestart?: () => Promise<void> } = {}
  const end = async (port: string) => {
    const child = processes.get(port)
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    child.kill('SIGTERM')
    await ended
  }
  const restart = async (port: string) => {
    restarted.push(port)
    await seen.onRestart?.()
    await end(port)
    const child = spawn(join(root, 'current/node_modules/.bin/node'), [join(root, 'current/bin/djinn.js'), 'serve'], {
      cwd: root,
      env: { ...environment, PATH: '/usr/bin:/bin', PORT: port, OPS_PORT: '0', LOG_LEVEL: 'silent' },
      stdio: 'ignore',
    })
    processes.set(port, child)
  }
  const server = createServer((request, response) => {
    restart(request.url!.slice(1)).then(
      () => response.end(),
      () => response.writeHead(500).end(),
    )
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    restart: `curl -fsS http://127.0.0.1:${(server.address() as AddressInfo).port}/{port}`,
    restarted,
    seen,
    close: async () => {
      server.close()
      await Promise.all([...processes.keys()].map(end))
    },
  }
}

/** Asks without a pause, as a balancer does that tries the other process when one takes no connection; tells what nobody answered. */
export function visit(ports: string[]) {
  const told = { answered: 0, unanswered: 0 }
  let going = true
  const ask = async (port: string) =>
    await fetch(`http://127.0.0.1:${port}/api/system/currencies`, { headers: { connection: 'close' } })
      .then(async (answer) => (await answer.text(), answer.status === 200))
      .catch(() => false)
  const done = (async () => {
    for (let turn = 0; going; turn++) {
      const order = turn % 2 === 0 ? ports : ports.toReversed()
      let answered = false
      for (const port of order) answered ||= await ask(port)
      told[answered ? 'answered' : 'unanswered']++
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  })()
  return async () => {
    going = false
    await done
    return told
  }
}
