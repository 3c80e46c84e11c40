// The package as npm makes it, and a folder that has it installed.
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

export const checkout = fileURLToPath(new URL('../../', import.meta.url))

type Manifest = { version: string; dependencies: Record<string, string>; optionalDependencies: Record<string, string> }
export const manifest = JSON.parse(readFileSync(join(checkout, 'package.json'), 'utf8')) as Manifest

/** The PATH without the programs of any dependencies: the Node of the machine, as whoever installs the package has it. */
export const machinePath = process.env['PATH']!.split(delimiter)
  .filter((each) => !each.endsWith('node_modules/.bin'))
  .join(delimiter)

/** Runs `npm pack`, which builds, and answers the path of the package. */
export function pack(folder: string): string {
  const [file] = execFileSync('npm', ['pack', '--silent', '--pack-destination', folder], { cwd: checkout, encoding: 'utf8' })
    .trim()
    .split('\n')
    .slice(-1)
  return join(folder, file!)
}

export function unpack(file: string, folder: string) {
  mkdirSync(folder, { recursive: true })
  execFileSync('tar', ['-xzf', file, '-C', folder, '--strip-components=1'])
}

/** Links what a package of the project depends on, and nothing else: what is missing among them is missing. */
export function linkDependencies(modules: string) {
  for (const name of Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies })) {
    const from = resolve(checkout, 'node_modules', name)
    if (!readdirSync(dirname(from)).includes(name.split('/').at(-1)!)) continue
    mkdirSync(dirname(join(modules, name)), { recursive: true })
    symlinkSync(from, join(modules, name))
  }
}

/** A folder like that which `npm install djinn-x.y.z.tgz` leaves: the package itself is unpacked, its dependencies are the checkout's. */
export function install(file: string, folder: string) {
  const modules = join(folder, 'node_modules')
  unpack(file, join(modules, 'djinn'))
  linkDependencies(modules)
  mkdirSync(join(modules, '.bin'))
  symlinkSync('../djinn/bin/djinn.js', join(modules, '.bin', 'djinn'))
  writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }\n')
}

/** The same package as another release: `change` gets the folder that it is unpacked in. */
export function repack(file: string, version: string, change: (folder: string) => void = () => {}): string {
  const folder = join(dirname(file), version)
  const repacked = join(dirname(file), `djinn-${version}.tgz`)
  unpack(file, join(folder, 'package'))
  const path = join(folder, 'package', 'package.json')
  writeFileSync(path, readFileSync(path, 'utf8').replace(/^ {2}"version": ".*"/m, `  "version": "${version}"`))
  change(join(folder, 'package'))
  execFileSync('tar', ['-czf', repacked, '-C', folder, 'package'])
  return repacked
}
