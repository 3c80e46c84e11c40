#!/usr/bin/env node
// Starts djinn, from its sources in a checkout or built in a package, on a Node that runs it: this one, or the one that came with the dependencies.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import module from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const path = (relative) => fileURLToPath(new URL(relative, import.meta.url))
// Node strips types everywhere but under node_modules, so a package holds JavaScript. A checkout may hold both, and means its sources.
const entry = existsSync(path('../src/djinn.ts')) ? '../src/djinn.ts' : '../dist/djinn.js'

/** A package's dependencies lie beside it or above it. */
function installedNode(from = path('..')) {
  const node = join(from, 'node_modules', `node-linux-${process.arch}`, 'bin', 'node')
  if (existsSync(node)) return node
  return dirname(from) === from ? undefined : installedNode(dirname(from))
}

if (Number(process.versions.node.split('.')[0]) >= 26) {
  // Kept JavaScript spares later starts the compiler: 25 MB and a quarter of a second from sources.
  module.enableCompileCache(path('../node_modules/.cache/djinn'))
  await import(entry)
} else {
  const installed = installedNode()
  if (installed === undefined) {
    console.error(
      `djinn needs Node 26; this is ${process.version}, and no other came with the dependencies. Run "npm ci" first, or install Node 26.`,
    )
    process.exit(1)
  }
  const child = spawn(installed, [path('djinn.js'), ...process.argv.slice(2)], { stdio: 'inherit' })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 1)))
}
