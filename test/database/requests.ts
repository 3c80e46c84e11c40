// What phones ask and write all day, of a household that has something of every noun.
import assert from 'node:assert/strict'
import type { Djinn, Person, Reply } from '../harness.ts'
import { push, row as pushedRow, type Feed } from '../routes/feed-pushes.ts'
import { password } from './volume.ts'

export type Nouns = {
  account: string
  other: string
  expense: string
  transaction: string
  bill: string
  rule: string
  budget: string
  feed: Feed
  import: string
  transfer: string
  device: string
}

const today = () => new Date().toISOString().slice(0, 10)

async function made(sent: Promise<Reply>): Promise<Reply['body']> {
  const reply = await sent
  assert.ok(reply.status < 300, `${reply.status} ${reply.text}`)
  return reply.body
}

/** Something of every noun. */
export async function makeNouns(djinn: Djinn, person: Person): Promise<Nouns> {
  const { baseCurrency: currency } = await made(person.get(`/api/households/${person.householdId}`))
  const account = await person.account({ currency })
  const other = await person.account({ name: 'Savings', currency })
  const categories = await made(person.get('/api/categories?limit=100'))
  const expense = categories.data.find((row: { kind: string }) => row.kind === 'expense').id
  const bill = await made(
    person.post('/api/bills', {
      payee: 'Rent',
      amountMin: -100,
      amountMax: -100,
      reminderDays: [1],
      schedule: { startsOn: today(), rule: 'FREQ=MONTHLY' },
    }),
  )
  const transaction = await made(
    person.post('/api/transactions', { accountId: account, date: today(), amount: -700, payee: 'Bakery' }, { 'idempotency-key': 'first' }),
  )
  const transfer = await made(person.post('/api/transfers', { fromAccountId: account, toAccountId: other, date: today(), amount: 5 }))
  const days = await made(person.get(`/api/bills/${bill.id}/occurrences`))
  const payments = `/api/bills/${bill.id}/occurrences/${days.data[0].date}/payments`
  await made(person.post(payments, { transactionId: transaction.id }))
  await made(person.delete(`${payments}/${transaction.id}`))
  const rent = await made(person.post('/api/transactions', { accountId: account, date: today(), amount: -50, payee: 'Owner' }))
  await made(person.post(payments, { transactionId: rent.id }))
  const conditions = [{ field: 'payee', operator: 'is', value: 'Bakery' }]
  const rule = await made(person.post('/api/rules', { name: 'Bread', match: 'all', conditions, actions: { note: 'Bread' } }))
  const budget = await made(person.post('/api/budgets', { categoryId: expense, amount: 100, period: 'monthly', startsOn: '2026-01-01' }))
  const feed = await made(person.post('/api/feeds', { accountId: account, name: 'Bank' }))
  await push(djinn, feed, [pushedRow('a')])
  const file = await made(person.upload(`/api/imports?accountId=${account}`, 'Date;Amount;Payee\n2026-02-27;-3.50;Bakery\n'))
  await made(person.post(`/api/households/${person.householdId}/invitations`, { role: 'viewer' }))
  const device = await made(person.post('/api/devices', { platform: 'ios', name: 'Phone', pushToken: 'token-of-a-phone' }))
  await made(person.patch('/api/notifications/settings', { budgetExceeded: true }))
  await made(person.post('/api/rules/run', { accountId: account }))
  await djinn.sql(`select tell_members($1, 'billReminder', 'bill', '{}', null)`, [person.householdId])
  return {
    account,
    other,
    expense,
    bill: bill.id,
    transaction: transaction.id,
    transfer: transfer.id,
    rule: rule.id,
    budget: budget.id,
    feed,
    import: file.id,
    device: device.id,
  }
}

/** Asks for every list, with each filter, from its start and behind a cursor. */
export async function readAll(person: Person, nouns: Nouns) {
  const lists = [
    'accounts',
    'bills',
    'budgets',
    'categories',
    'feeds',
    'imports',
    'rules',
    'rules/runs',
    'transactions',
    'transfers',
    'audit',
    'notifications',
    'bills/occurrences',
    `bills/${nouns.bill}/occurrences`,
    'devices',
    'households',
    'me/sessions',
    `households/${person.householdId}/members`,
    `households/${person.householdId}/invitations`,
  ]
  const wanted = [...lists]
  for (const filter of [
    `account=${nouns.account}`,
    `category=${nouns.expense}`,
    `from=${today()}`,
    'to=2025-01-01',
    'status=pending',
    'amountMin=100000',
    'amountMax=-5000',
    'q=coffee',
  ])
    wanted.push(`transactions?${filter}`)
  for (const kind of ['transaction', 'account']) wanted.push(`audit?kind=${kind}`)
  wanted.push(
    'notifications?unread=true',
    `audit?actor=${person.userId}`,
    `audit?from=${today()}T00:00:00Z`,
    `rates?on=${today()}`,
    `audit?entity=${nouns.transaction}`,
  )
  for (const path of wanted) {
    const first = await person.get(`/api/${path}`)
    assert.ok(first.status === 200, `${path}: ${first.text}`)
    if (!lists.includes(path) || !Array.isArray(first.body.data)) continue
    const page = await person.get(`/api/${path}?limit=2`)
    if (page.status === 200 && page.body.nextCursor)
      await made(person.get(`/api/${path}?limit=2&cursor=${encodeURIComponent(page.body.nextCursor)}`))
  }
  for (const kind of ['accounts', 'bills', 'budgets', 'categories', 'feeds', 'imports', 'rules', 'transactions', 'transfers']) {
    await made(person.get(`/api/${kind}?updatedSince=${encodeURIComponent(new Date(Date.now() - 60_000).toISOString())}`))
  }
  for (const path of [
    `accounts/${nouns.account}`,
    `categories/${nouns.expense}`,
    `transactions/${nouns.transaction}`,
    `transfers/${nouns.transfer}`,
    `bills/${nouns.bill}`,
    `rules/${nouns.rule}`,
    `budgets/${nouns.budget}`,
    `feeds/${nouns.feed.id}`,
    `imports/${nouns.import}`,
    `devices/${nouns.device}`,
    'me',
    `households/${person.householdId}`,
    'notifications/settings',
    'reports/spending',
    `reports/spending?account=${nouns.account}`,
    'reports/cash-flow',
    'reports/net-worth',
    'reports/balance',
    `reports/balance?knownAt=${today()}T00:00:00Z`,
    'bills/forecast',
  ]) {
    await made(person.get(`/api/${path}`))
  }
}

/** A phone that takes the household from nothing, then what has changed since, with what it writes meanwhile. */
export async function syncAndWrite(djinn: Djinn, person: Person, nouns: Nouns) {
  let page = await made(person.get('/api/sync'))
  while (page.hasMore) page = await made(person.get(`/api/sync?cursor=${page.nextCursor}`))
  const base = await made(person.get(`/api/transactions/${nouns.transaction}`))
  const draft = { accountId: nouns.account, date: today(), amount: -100, payee: 'Bakery' }
  const row = await made(
    person.post(
      '/api/transactions',
      { ...draft, splits: [{ amount: -60 }, { amount: -40, categoryId: nouns.expense }] },
      { 'idempotency-key': 'once' },
    ),
  )
  await made(
    person.post(
      '/api/transactions',
      { ...draft, splits: [{ amount: -60 }, { amount: -40, categoryId: nouns.expense }] },
      { 'idempotency-key': 'once' },
    ),
  )
  await made(person.patch(`/api/transactions/${nouns.transaction}`, { note: 'late', amount: -90, baseRevision: base.revision }))
  await made(person.patch(`/api/transactions/${row.id}`, { date: '2026-01-31', categoryId: nouns.expense, splits: null }))
  const transfer = await made(
    person.post('/api/transfers', { fromAccountId: nouns.other, toAccountId: nouns.account, date: today(), amount: 7 }),
  )
  await made(person.patch(`/api/transfers/${transfer.id}`, { amount: 8 }))
  const days = await made(person.get(`/api/bills/${nouns.bill}/occurrences`))
  const payments = `/api/bills/${nouns.bill}/occurrences/${days.data[0].date}/payments`
  const paying = await made(person.post('/api/transactions', { ...draft, payee: 'Landlord' }))
  await made(person.post(payments, { transactionId: paying.id }))
  await made(person.delete(`${payments}/${paying.id}`))
  await made(person.patch(`/api/accounts/${nouns.account}`, { name: 'Daily', openingBalance: 5 }))
  const patches = {
    categories: { name: 'Food' },
    bills: { payee: 'Landlord' },
    rules: { name: 'Loaf' },
    budgets: { amount: 200 },
    feeds: { name: 'My bank' },
  }
  const ids = { categories: nouns.expense, bills: nouns.bill, rules: nouns.rule, budgets: nouns.budget, feeds: nouns.feed.id }
  for (const [kind, changes] of Object.entries(patches)) await made(person.patch(`/api/${kind}/${ids[kind as keyof typeof ids]}`, changes))
  const account = await person.account({ name: 'Spare' })
  const category = await made(person.post('/api/categories', { name: 'Spare', kind: 'expense' }))
  for (const path of [
    `accounts/${account}`,
    `categories/${category.id}`,
    `transactions/${row.id}`,
    `transfers/${transfer.id}`,
    `bills/${nouns.bill}`,
    `rules/${nouns.rule}`,
    `budgets/${nouns.budget}`,
  ]) {
    await made(person.delete(`/api/${path}`))
    await made(person.post(`/api/${path}/restore`))
  }
  await push(djinn, nouns.feed, [pushedRow(`b${Date.now()}`), pushedRow('a', { payee: 'Bar' })])
  await made(
    person.post('/api/batch', {
      operations: [
        { id: 'a', method: 'GET', path: `/api/transactions/${row.id}` },
        { id: 'b', method: 'GET', path: `/api/accounts/${nouns.account}` },
        { id: 'c', method: 'POST', path: '/api/transactions', body: { ...draft, amount: -3 } },
      ],
    }),
  )
  page = await made(person.get(`/api/sync?cursor=${page.nextCursor}`))
  while (page.hasMore) page = await made(person.get(`/api/sync?cursor=${page.nextCursor}`))
  const notification = (await made(person.get('/api/notifications'))).data[0]
  await made(person.patch(`/api/notifications/${notification.id}`, { read: true }))
  await made(person.get(`/api/notifications/${notification.id}`))
  await made(person.post('/api/notifications/read', {}))
  await made(person.patch(`/api/bills/${nouns.bill}/occurrences/${days.data.at(-1).date}`, { status: 'skipped' }))
  await made(person.patch('/api/notifications/settings', { budgetExceeded: false }))
  await made(person.patch(`/api/devices/${nouns.device}`, { name: 'Telephone' }))
}

/** Signing in, going on with a session, and out. */
export async function signIn(djinn: Djinn, person: Person) {
  const session = await made(djinn.call('POST', '/api/auth/login', { body: { email: person.email, password } }))
  const next = await made(djinn.call('POST', '/api/auth/refresh', { body: { refreshToken: session.refreshToken } }))
  const headers = { authorization: `Bearer ${next.accessToken}` }
  await made(djinn.call('GET', '/api/me', { headers }))
  await made(djinn.call('POST', '/api/auth/logout', { headers, body: {} }))
}
