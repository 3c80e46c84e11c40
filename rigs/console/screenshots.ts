// The console's pictures in docs/images: a service of its own under a small load, looked at after some minutes (the first argument, 5 unless given).
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { chromium, type Browser } from 'playwright-core'
import { freePort } from '../../test/pgbouncer.ts'
import { startService } from '../bench/service.ts'

const minutes = Number(process.argv[2] ?? 5)
/** While they are made, the service is still called. */
const picturesMs = 30_000
const folder = process.argv[3] ?? 'docs/images'
const sizes = [
  { width: 1280, height: 960 },
  { width: 375, height: 812 },
]

/** A day in minutes: more calls, fewer, more again. */
async function load(url: string, demo: { email: string; password: string }, until: number) {
  const signIn = await fetch(`${url}/api/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(demo),
  })
  const { accessToken } = (await signIn.json()) as { accessToken: string }
  const get = async (path: string) => await (await fetch(url + path, { headers: { authorization: `Bearer ${accessToken}` } })).arrayBuffer()
  const paths = [
    '/api/accounts',
    '/api/transactions',
    '/api/transactions?limit=50',
    '/api/sync',
    '/api/budgets',
    '/api/bills',
    '/api/accounts?limit=0',
  ]
  const started = Date.now()
  for (let call = 0; Date.now() < until; call++) {
    await get(paths[call % paths.length]!)
    if (call % 40 === 0) await get('/api/reports/cash-flow?from=2026-01&to=2026-06')
    await setTimeout(25 + 18 * Math.sin((Date.now() - started) / 30_000))
  }
}

async function picture(browser: Browser, url: string, size: { width: number; height: number }) {
  const page = await browser.newPage({ viewport: size })
  await page.goto(`${url}/console/`)
  await page.getByText('Live', { exact: true }).waitFor()
  await page.getByRole('img').first().waitFor()
  await page.mouse.move(0, 0)
  await page.screenshot({ path: join(folder, `console-${size.width}.png`) })
  await page.close()
}

const dataDir = mkdtempSync(join(tmpdir(), 'djinn-console-'))
const port = await freePort()
const service = await startService(dataDir, { OPS_PORT: String(port), RATE_LIMIT_AUTHENTICATED: '1000000' })
try {
  const loading = load(service.url, service.demo, Date.now() + minutes * 60_000 + picturesMs)
  await setTimeout(minutes * 60_000)
  mkdirSync(folder, { recursive: true })
  const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] })
  for (const size of sizes) await picture(browser, `http://127.0.0.1:${port}`, size)
  await browser.close()
  await loading
} finally {
  await service.stop()
  rmSync(dataDir, { recursive: true, force: true })
}
