#!/usr/bin/env node
// Starts djinn on a Node that runs TypeScript: this one, or the one that was installed beside the dependencies.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const entry = fileURLToPath(new URL('../src/djinn.ts', import.meta.url))
const installed = fileURLToPath(new URL('../node_modules/.bin/node', import.meta.url))

if (Number(process.versions.node.split('.')[0]) >= 26) {
  process.argv[1] = entry
  await import('../src/djinn.ts')
} else if (existsSync(installed)) {
  const child = spawn(installed, [entry, ...process.argv.slice(2)], { stdio: 'inherit' })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 1)))
} else {
  console.error(
    `djinn needs Node 26; this is ${process.version}, and no other came with the dependencies. Run "npm ci" first, or install Node 26.`,
  )
  process.exit(1)
}
