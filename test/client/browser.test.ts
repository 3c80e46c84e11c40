// The client in a real browser: its IndexedDB, its streams, its network that goes away.
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { after, before, test } from 'node:test'
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core'
import { open, type Djinn, type Person } from '../harness.ts'
import { appFile, serveApp, type App } from './app-page.ts'

/** Within the page. */
declare const app: App

const executablePath = '/usr/bin/chromium'
const skip = existsSync(executablePath) ? false : `SKIPPED: the client was not run in a browser, since there is no ${executablePath}`
if (skip) console.warn(skip)

let djinn: Djinn
let browser: Browser
let served: Awaited<ReturnType<typeof serveApp>>
before(async () => {
  if (skip) return
  djinn = await open()
  served = await serveApp(djinn.url)
  browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] })
})
after(async () => {
  if (skip) return
  await browser.close()
  served.server.closeAllConnections()
  await new Promise((resolve) => served.server.close(resolve))
  await djinn.close()
})

type Tab = { context: BrowserContext; page: Page; person: Person; account: string; failures: string[] }

/** A browser profile with the app open, signed in and synced. */
async function tab(): Promise<Tab> {
  const person = await djinn.person()
  const account = await person.account({ openingBalance: 10_000 })
  const context = await browser.newContext()
  // What a service worker does for an app: its own files are there without a network.
  await context.route(
    (url) => appFile(url.pathname) !== null,
    async (route) => await route.fulfill(appFile(new URL(route.request().url()).pathname)!),
  )
  const page = await context.newPage()
  const failures: string[] = []
  page.on('pageerror', (error) => failures.push(String(error)))
  await load(page, () => page.goto(served.url))
  const credentials = { email: person.email, password: person.password }
  await page.evaluate(async (body) => {
    await app.api.call('auth.login', { body })
    await app.client.sync()
  }, credentials)
  return { context, page, person, account, failures }
}

async function load(page: Page, go: () => Promise<unknown>) {
  await go()
  await page.waitForFunction(() => 'app' in globalThis)
}

test('what was written offline survives a reload, is sent once online, and is on the server', { skip }, async () => {
  const { context, page, person, account, failures } = await tab()
  await context.setOffline(true)
  const written = await page.evaluate(async (accountId) => {
    const id = await app.client.create('transactions', { accountId, date: '2026-03-01', amount: -1_250, payee: 'In the tunnel' })
    const error = await app.client.sync().catch((thrown: Error) => thrown.name)
    return { id, error, waiting: app.client.waiting }
  }, account)
  assert.deepEqual([written.error, written.waiting], ['OfflineError', 1])

  await load(page, () => page.reload())
  const shown = await page.evaluate(
    ({ id, accountId }) => ({
      payee: app.client.row('transactions', id)!.payee,
      balance: app.client.row('accounts', accountId)!.balance,
      waiting: app.client.waiting,
    }),
    { id: written.id, accountId: account },
  )
  assert.deepEqual(shown, { payee: 'In the tunnel', balance: 8_750, waiting: 1 })
  assert.equal((await person.get(`/api/transactions/${written.id}`)).status, 404)

  await context.setOffline(false)
  await page.evaluate(async () => await app.client.sync())
  const { body } = await person.get('/api/transactions')
  assert.deepEqual(
    body.data.map((row: { id: string; amount: number }) => [row.id, row.amount]),
    [[written.id, -1_250]],
  )
  assert.deepEqual(await page.evaluate(() => [app.client.waiting, app.rejected.length]), [0, 0])
  assert.deepEqual(failures, [])
  await context.close()
})

test('the replica is on the device: after a reload it is there at once and needs no new snapshot', { skip }, async () => {
  const { context, page, account, failures } = await tab()
  const cursors: (string | null)[] = []
  page.on('request', (request) => {
    const url = new URL(request.url())
    if (url.pathname === '/api/sync') cursors.push(url.searchParams.get('cursor'))
  })
  await load(page, () => page.reload())
  assert.equal(await page.evaluate((id) => app.client.row('accounts', id)!.balance, account), 10_000)
  assert.deepEqual(await page.evaluate(async () => await app.client.sync()), { changed: false, repaired: [] })
  assert.equal(cursors.length, 1)
  assert.notEqual(cursors[0], null)
  assert.deepEqual(failures, [])
  await context.close()
})

test('an open page hears of writes of other devices, also after its network was gone', { skip }, async () => {
  const { context, page, person, account, failures } = await tab()
  await page.evaluate(() => app.client.start())
  const arrives = async (payee: string) => {
    await person.post('/api/transactions', { accountId: account, date: '2026-03-01', amount: -1, payee })
    await page.waitForFunction((wanted) => app.client.rows('transactions').some((row) => row.payee === wanted), payee)
  }
  await arrives('by event')
  await context.setOffline(true)
  await person.post('/api/transactions', { accountId: account, date: '2026-03-01', amount: -1, payee: 'meanwhile' })
  await context.setOffline(false)
  await arrives('after')
  assert.deepEqual(
    await page.evaluate(() =>
      app.client
        .rows('transactions')
        .map((row) => row.payee)
        .toSorted(),
    ),
    ['after', 'by event', 'meanwhile'],
  )
  await page.evaluate(() => app.client.stop())
  assert.deepEqual(failures, [])
  await context.close()
})
