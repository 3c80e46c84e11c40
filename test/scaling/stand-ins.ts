// Programs that a host is asked by, as scripts in a folder that goes first in PATH; what they say lies in files beside them.
import { appendFileSync, chmodSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

const sizes = { CX22: [2, 4], CX32: [4, 8], CX42: [8, 16] } as const

export class StandIns {
  readonly folder = mkdtempSync(join(tmpdir(), 'djinn-host-'))
  readonly path = `${join(this.folder)}:${dirname(process.execPath)}:/usr/local/bin:/usr/bin:/bin`
  #boots = 0

  constructor(name: keyof typeof sizes) {
    chmodSync(this.folder, 0o755)
    this.write('ran', '')
    this.become(name)
    this.#script('getconf', '/bin/cat cpus')
    this.#script('cat', '/bin/cat meminfo boot_id')
    this.#script(
      'df',
      'echo Filesystem 1-blocks Used Available Capacity Mounted on; echo /dev/sda1 38000000000 9000000000 29000000000 24% /',
    )
    this.#script(
      'systemctl',
      'case $1 in stop) rm -f active;; is-active) [ -e active ] && s=active || s=inactive; for u in $2 $3; do echo $s; done; [ -e active ];; *) : >active; cp written in-effect;; esac',
    )
    this.#script(
      'djinn',
      `case "$1 $6" in
      inspect*) echo '{"ok":true,"complete":true,"checks":[]}';;
      backup*) [ -e drop ] && rm drop && kill -9 $PPID; date -u '+{"ok":true,"finishedAt":"%FT%TZ"}';;
      tune\\ --apply) echo "$3 $5" >written; echo '{}';;
      tune\\ --check) [ "$(/bin/cat in-effect)" = "$3 $5" ] && s=equal || { [ "$(/bin/cat written)" = "$3 $5" ] && s=waiting || s=differs; }
        echo "{\\"settings\\":[{\\"name\\":\\"shared_buffers\\",\\"wanted\\":\\"x\\",\\"actual\\":\\"y\\",\\"standing\\":\\"$s\\",\\"overriddenBy\\":null}]}";;
      advise*) echo '{"advice":[{"trigger":"server-cpu","verdict":"now","cheaperFix":"an index"}],"capacity":{"why":null,"registered":9,"busiestHour":{},"resources":{"cpu":{"used":0.2}}}}';;
      *) echo "no $*" >&2; exit 1;; esac`,
    )
    this.write('active', '')
    this.write('written', '4GB 2\n')
    this.write('in-effect', '4GB 2\n')
  }

  #script(name: string, text: string) {
    const script = `#!/bin/sh\ncd ${this.folder} || exit 1\necho "${name} $*" >>ran\n${text}\n`
    writeFileSync(join(this.folder, name), script, { mode: 0o755 })
  }

  write(name: string, text: string) {
    writeFileSync(join(this.folder, name), text)
  }

  /** The server is another one from its next start on, which is now. */
  become(name: keyof typeof sizes) {
    const [cpus, gigabytes] = sizes[name]
    const kilobytes = Math.floor(gigabytes * 1024 ** 2 * 0.95)
    this.write('cpus', `${cpus}\n`)
    this.write('meminfo', `MemTotal: ${kilobytes} kB\nMemAvailable: ${kilobytes - 1024 ** 2} kB\nShmem: 9 kB\n`)
    this.write('boot_id', `00000000-0000-4000-8000-${String(++this.#boots).padStart(12, '0')}\n`)
    if (existsSync(join(this.folder, 'written'))) {
      appendFileSync(join(this.folder, 'active'), '')
      this.write('in-effect', readFileSync(join(this.folder, 'written'), 'utf8'))
    }
  }

  /** What was run since the last time. */
  ran(): string[] {
    const lines = readFileSync(join(this.folder, 'ran'), 'utf8').trim().split('\n')
    this.write('ran', '')
    return lines.filter((line) => line !== '')
  }

  /** All files but the list of what was run. */
  state(): Record<string, string> {
    const names = readdirSync(this.folder).filter((name) => name !== 'ran')
    return Object.fromEntries(names.map((name) => [name, readFileSync(join(this.folder, name), 'utf8')]))
  }

  close() {
    rmSync(this.folder, { recursive: true, force: true })
  }
}
