// An sshd of the tests on a port of its own, as test/tools/get-debian.sh unpacks it; it lets in by a key made here.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, copyFileSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '../pgbouncer.ts'
import { started } from '../started.ts'

const asRoot = process.getuid?.() === 0
const tools = process.env['DJINN_TEST_TOOLS'] ?? (asRoot ? '/var/cache/djinn' : join(homedir(), '.cache/djinn'))
const program = (name: string) => join(tools, 'openssh', name)

/** For a test's `skip`: false when it can be had, else why not. */
export function missingSshd(): string | false {
  if (!existsSync(program('sshd'))) return `no sshd under ${tools}/openssh: test/tools/get-debian.sh brings it`
  // Whoever signs in gets a home and a shell of the test's: a session reads the files of its home, and must never run those of whoever tests.
  if (!asRoot || spawnSync('unshare', ['-m', 'true']).status !== 0)
    return 'sshd is given users of the test by a mount of its own, which only root can make'
  return false
}

export type SshServer = { host: string; words: string[]; folder: string; close: () => Promise<void> }

/** `path` is where its users find programs. */
export async function openSshServer(path: string): Promise<SshServer> {
  const folder = mkdtempSync(join(tmpdir(), 'djinn-sshd-'))
  chmodSync(folder, 0o755)
  const at = (name: string) => join(folder, name)
  const port = await freePort()
  for (const name of ['host', 'user']) {
    const { status, stderr } = spawnSync(program('ssh-keygen'), ['-q', '-t', 'ed25519', '-N', '', '-f', at(name)], { encoding: 'utf8' })
    if (status !== 0) throw new Error(stderr)
  }
  copyFileSync(at('user.pub'), at('authorized'))
  const settings = {
    Port: port,
    ListenAddress: '127.0.0.1',
    HostKey: at('host'),
    PidFile: 'none',
    AuthorizedKeysFile: at('authorized'),
    StrictModes: 'no',
    UsePAM: 'no',
    PasswordAuthentication: 'no',
    KbdInteractiveAuthentication: 'no',
    SetEnv: `PATH=${path}`,
  }
  writeFileSync(
    at('config'),
    Object.entries(settings)
      .map((pair) => `${pair.join(' ')}\n`)
      .join(''),
  )
  writeFileSync(at('passwd'), `root:x:0:0:root:${folder}:/bin/sh\nsshd:x:65533:65534::/nonexistent:/usr/sbin/nologin\n`)
  const serve = [program('sshd'), '-r', '-D', '-e', '-f', at('config')]
  const mounts = `mount --bind ${at('passwd')} /etc/passwd && mount -t tmpfs none /run && mkdir -p /run/sshd && exec "$@"`
  const child = spawn('unshare', ['-m', 'sh', '-c', mounts, 'sh', ...serve], { stdio: ['ignore', 'ignore', 'pipe'] })
  await started(child, child.stderr, 'sshd', 'Server listening on')
  const known = [`UserKnownHostsFile=${at('known')}`, 'StrictHostKeyChecking=accept-new', 'LogLevel=ERROR']
  return {
    host: 'root@127.0.0.1',
    words: ['-F', 'none', '-i', at('user'), '-p', String(port), ...known.flatMap((each) => ['-o', each])],
    folder,
    close: async () => {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill('SIGTERM')
        await once(child, 'exit')
      }
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
