// The console in a real browser, beside a service that is called: what it shows, what it does, and whether everybody can use it.
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { after, before, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import axe from 'axe-core'
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core'
import { makeOps } from '../../src/app/ops.ts'
import { open, type Djinn, type Person } from '../harness.ts'
import { openOps, send, type Ops } from './visitor.ts'

const executablePath = '/usr/bin/chromium'
const skip = existsSync(executablePath) ? false : `SKIPPED: the console was not looked at in a browser, since there is no ${executablePath}`
if (skip) console.warn(skip)

const views = ['overview', 'requests', 'database', 'jobs', 'flags', 'advice']
const password = 'turnip-lantern-gravel'

let djinn: Djinn
let ops: Ops
let browser: Browser
let calling = true
let caller: Promise<void>
before(async () => {
  if (skip) return
  djinn = await open({ OPS_PASSWORD: password })
  djinn.resources.watch.start()
  ops = await openOps(djinn)
  const person = await djinn.person()
  await person.account()
  // The harness may close the service before this file's own hook: then the last call fails.
  caller = callSteadily(person).catch(() => {})
  browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] })
})
after(async () => {
  if (skip) return
  calling = false
  await caller
  await browser.close()
  await ops.close()
})

/** A small load: some dozen calls a second, one of them refused. */
async function callSteadily(person: Person) {
  const paths = ['/api/accounts', '/api/transactions', '/api/accounts?limit=0']
  while (calling) {
    for (const path of paths) await person.get(path)
    await setTimeout(100)
  }
}

/** A page that must not complain, and must not call anybody else. */
async function visit(view: string, options: BrowserContextOptions = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options })
  const page = await context.newPage()
  const complaints: string[] = []
  page.on('pageerror', (error) => complaints.push(String(error)))
  page.on('console', (message) => message.type() !== 'info' && message.type() !== 'log' && complaints.push(message.text()))
  context.on('request', (request) => new URL(request.url()).origin !== ops.url && complaints.push(`asks ${request.url()}`))
  await page.goto(`${ops.url}/console/#${view}`)
  return { page, context, complaints }
}

/** The view is filled: nothing says that it is still loading. */
async function filled(page: Page) {
  await page.getByText('Live', { exact: true }).waitFor()
  await page.waitForFunction(() => !/Loading…|Waiting for/.test(document.body.innerText))
}

const tile = (page: Page, label: string) => page.locator('.tile', { has: page.getByText(label, { exact: true }) }).locator('.value')

test('figures move while the service is called', { skip }, async () => {
  const { page, context, complaints } = await visit('overview')
  await filled(page)
  await page.waitForFunction(() => {
    const shown = /Requests\s*([\d.,]+)\/s/.exec(document.querySelector('.tiles')?.textContent?.replaceAll(/\s+/g, ' ') ?? '')
    return shown !== null && Number(shown[1]!.replaceAll(',', '')) > 0
  })
  assert.match(await tile(page, 'Users').innerText(), /^\d+$/)
  assert.match(
    (await page.getByRole('img', { name: /^Requests a second\. all: [\d.,]+ now/ }).getAttribute('aria-label')) ?? '',
    /refused: [\d.]+ now/,
  )
  const said = await page.getByRole('img', { name: /^Answer time/ }).getAttribute('aria-label')
  await page.waitForFunction((known) => document.querySelector('[aria-label^="Answer time"]')!.getAttribute('aria-label') !== known, said)
  await page.getByText('As a table').first().click()
  assert.ok((await page.locator('.plot table').first().locator('tbody tr').count()) > 0)
  await page.getByRole('link', { name: 'Requests', exact: true }).first().click()
  await page.getByRole('rowheader', { name: 'accounts.list' }).first().waitFor()
  assert.equal(await page.evaluate(() => document.activeElement?.tagName), 'H1')
  assert.match(await page.title(), /^Requests/)
  assert.deepEqual(complaints, [])
  await context.close()
})

test('a dead letter is retried and done, another is discarded, by keyboard alone, and both ask first', { skip }, async () => {
  const { queue } = djinn.resources
  for (const key of ['first', 'second']) await djinn.sql('select enqueue($1, $2, $3)', ['poison', { key }, key])
  await djinn.sql(`update graphile_worker._private_jobs set attempts = max_attempts, last_error = 'the cup is poisoned'`)
  const { page, context, complaints } = await visit('jobs')
  await filled(page)
  const jobs = async () => await djinn.sql<{ key: string; attempts: number }>('select key, attempts from graphile_worker.jobs order by key')
  const press = async (name: string) => {
    await page.getByRole('button', { name, exact: true }).focus()
    await page.keyboard.press('Enter')
    await page.getByRole('dialog').waitFor()
  }
  await press('Discard poison first')
  assert.equal(await page.evaluate(() => document.activeElement?.textContent), 'Cancel')
  await page.keyboard.press('Escape')
  await page.getByRole('dialog').waitFor({ state: 'detached' })
  assert.equal((await jobs()).length, 2)

  await press('Retry poison first')
  await page.keyboard.press('Tab')
  await page.keyboard.press('Enter')
  await page.getByText('1 dead letter queued again.').waitFor()
  await press('Discard poison second')
  await page.keyboard.press('Tab')
  await page.keyboard.press('Enter')
  await page.getByText('1 dead letter discarded.').waitFor()
  await page.getByText('There is none.').waitFor()
  assert.deepEqual(await jobs(), [{ key: 'first', attempts: 0 }])
  const seen: unknown[] = []
  await queue.runOnce({ poison: async (payload) => void seen.push(payload) })
  assert.deepEqual(seen, [{ key: 'first' }])
  assert.deepEqual(complaints, [])
  await context.close()
})

test('a flag that is switched takes effect on the API, and the trail has the operator’s name and reason', { skip }, async () => {
  const { page, context, complaints } = await visit('flags')
  await filled(page)
  await page.getByRole('button', { name: 'Give a name' }).click()
  await page.getByLabel('Your name').fill('Cleo')
  await page.keyboard.press('Enter')
  const set = async (wanted: 'on' | 'off') => {
    await page.getByRole('switch', { name: /^readOnly/ }).click()
    await page.getByLabel(/^Why/).fill(`${wanted}, to see`)
    await page.getByRole('button', { name: `Set to ${wanted}`, exact: true }).click()
    await page.getByText(`readOnly is ${wanted} now.`).waitFor()
  }
  const changed = () => new Promise<void>((resolve) => djinn.resources.flags.onChange(resolve))
  const person = await djinn.person()
  const account = { name: 'Purse', kind: 'cash', currency: 'EUR' }
  const followed = changed()
  await set('on')
  await followed
  assert.equal((await person.post('/api/accounts', account)).body.code, 'read-only')
  await page.getByRole('link', { name: 'Overview' }).click()
  await page.getByText('Read-only mode is on').waitFor()
  await page.getByRole('link', { name: 'Flags' }).first().click()
  const back = changed()
  await set('off')
  await back
  assert.equal((await person.post('/api/accounts', account)).status, 201)
  await page.getByLabel('imports', { exact: false }).fill('25')
  await page.getByRole('button', { name: 'Set imports' }).click()
  await page.getByRole('button', { name: 'Set to 25%' }).click()
  await page.getByText('imports is 25% now.').waitFor()
  await page.getByLabel(/^registration/).selectOption('invite')
  await page.getByRole('button', { name: 'Set registration' }).click()
  await page.getByRole('button', { name: 'Set to invite' }).click()
  await page.getByText('registration is invite now.').waitFor()
  const trail = await djinn.sql('select name, old_value, new_value, changed_by, reason from flag_changes order by number')
  assert.deepEqual(
    trail.map((row) => Object.values(row)),
    [
      ['readOnly', null, 'on', 'Cleo', 'on, to see'],
      ['readOnly', 'on', 'off', 'Cleo', 'off, to see'],
      ['imports', null, '25%', 'Cleo', null],
      ['registration', null, 'invite', 'Cleo', null],
    ],
  )
  assert.deepEqual(complaints, [])
  await context.close()
  await djinn.sql('delete from flags')
})

test('a stranger signs in, is greeted by name, and is out after signing out', { skip }, async () => {
  const { page, context, complaints } = await visit('overview', { extraHTTPHeaders: { 'x-forwarded-for': '198.51.100.7' } })
  await page.getByRole('heading', { name: 'Sign in' }).waitFor()
  await page.getByLabel('Your name').fill('Ana')
  await page.getByLabel('Password').fill('not this one')
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByRole('alert').getByText('The password is another one.').waitFor()
  assert.deepEqual(await problems(page), [])
  await page.getByLabel('Password').fill(password)
  await page.keyboard.press('Enter')
  await page.getByText('Acting as Ana').waitFor()
  await filled(page)
  await page.getByRole('button', { name: 'Sign out' }).click()
  await page.getByRole('heading', { name: 'Sign in' }).waitFor()
  // The browser reports each refusal that it was sent; nothing else.
  assert.deepEqual(
    complaints.filter((complaint) => !/status of 401/.test(complaint)),
    [],
  )
  await context.close()
})

test('a page outlives a restart of the server: it says that it is stale, comes back, and may act again', { skip }, async () => {
  const { page, context, complaints } = await visit('jobs')
  await filled(page)
  await ops.close()
  await page.getByText(/^No answer: these figures are of/).waitFor()
  const again = makeOps(djinn.resources, () => djinn.url)
  await again.listen({ host: '127.0.0.1', port: ops.port })
  ops = { ...ops, app: again, close: () => again.close() }
  await filled(page)
  await page.getByRole('button', { name: 'Give a name' }).click()
  await page.getByLabel('Your name').fill('Ben')
  await page.keyboard.press('Enter')
  await page.getByText('Acting as Ben').waitFor()
  assert.deepEqual(
    complaints.filter((complaint) => !/ERR_CONNECTION|status of 403/.test(complaint)),
    [],
  )
  await context.close()
})

test('a tab whose network was away says so, and is told in one answer what it missed', { skip }, async () => {
  const { page, context, complaints } = await visit('overview')
  await filled(page)
  await context.setOffline(true)
  await page.getByText(/^No answer: these figures are of/).waitFor()
  const from = Date.now()
  // Two rows of the history come every ten seconds.
  const missed = async () => ((await send(ops.port, 'GET', `/console/live?since=${from}`)).body['rows'] as unknown[]).length
  while ((await missed()) < 2) await setTimeout(200)
  const answered = page.waitForResponse((response) => response.url().includes('/console/live'))
  await context.setOffline(false)
  const { rows } = (await (await answered).json()) as { rows: unknown[] }
  assert.ok(rows.length >= 2, `${rows.length} rows`)
  await page.getByText('Live', { exact: true }).waitFor()
  assert.deepEqual(
    complaints.filter((complaint) => !/ERR_INTERNET_DISCONNECTED/.test(complaint)),
    [],
  )
  await context.close()
})

test('the first stop of the keyboard leads past the navigation', { skip }, async () => {
  const { page, context } = await visit('overview')
  await filled(page)
  await page.keyboard.press('Tab')
  assert.equal(await page.evaluate(() => document.activeElement?.textContent), 'Skip to the figures')
  await page.keyboard.press('Enter')
  assert.equal(await page.evaluate(() => document.activeElement?.id), 'main')
  assert.equal(await page.getByRole('heading', { level: 1 }).innerText(), 'Overview')
  await context.close()
})

/** Serious and critical violations, by their rule and where they are. */
async function problems(page: Page): Promise<string[]> {
  // Over the protocol of the debugger: the page's own policy lets no script in.
  await page.evaluate(axe.source)
  const { violations } = await page.evaluate(async () => await (globalThis as unknown as { axe: typeof axe }).axe.run())
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.target.join(' ')} ${node.failureSummary}`))
}

for (const colorScheme of ['light', 'dark'] as const) {
  for (const width of [1280, 375]) {
    test(`everybody can use every view, ${colorScheme} at ${width} px`, { skip }, async () => {
      await djinn.sql('select enqueue($1, $2, $3)', ['poison', {}, 'shown'])
      await djinn.sql(`update graphile_worker._private_jobs set attempts = max_attempts, last_error = 'the cup is poisoned'`)
      djinn.resources.watch.slow.note('accounts.list', 250, 'djinn_app')
      await djinn.resources.watch.slow.settled()
      const { page, context, complaints } = await visit('overview', {
        colorScheme,
        viewport: { width, height: 800 },
        reducedMotion: 'reduce',
      })
      for (const view of views) {
        await page.goto(`${ops.url}/console/#${view}`)
        await filled(page)
        for (const details of await page.locator('details').all())
          await details.evaluate((element: HTMLDetailsElement) => (element.open = true))
        assert.deepEqual(await problems(page), [], view)
        assert.ok(
          await page.evaluate(() => document.documentElement.scrollWidth <= document.documentElement.clientWidth),
          `${view} scrolls sideways`,
        )
      }
      await page.goto(`${ops.url}/console/#jobs`)
      await page.getByRole('button', { name: 'Discard poison shown' }).click()
      await page.getByRole('dialog').waitFor()
      assert.deepEqual(await problems(page), [], 'the dialog')
      await page.keyboard.press('Escape')
      assert.deepEqual(complaints, [])
      await context.close()
      await djinn.sql('delete from graphile_worker._private_jobs')
    })
  }
}
