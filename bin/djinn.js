#!/usr/bin/env node
// Starts djinn on a Node that runs TypeScript: this one, or the one that was installed beside the dependencies.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import module from 'node:module'
import { fileURLToPath } from 'node:url'

const path = (relative) => fileURLToPath(new URL(relative, import.meta.url))
const installed = path('../node_modules/.bin/node')

if (Number(process.versions.node.split('.')[0]) >= 26) {
  // Kept JavaScript spares later starts the TypeScript compiler: 25 MB and a quarter of a second.
  module.enableCompileCache(path('../node_modules/.cache/djinn'))
  await import('../src/djinn.ts')
} else if (existsSync(installed)) {
  const child = spawn(installed, [path('djinn.js'), ...process.argv.slice(2)], { stdio: 'inherit' })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 1)))
} else {
  console.error(
    `djinn needs Node 26; this is ${process.version}, and no other came with the dependencies. Run "npm ci" first, or install Node 26.`,
  )
  process.exit(1)
}
