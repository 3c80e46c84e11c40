// The table of contents: every operation of the service, feature by feature, and where features meet.
import { makeChargeLogin, type ChargeSteps } from '../http/charge.ts'
import type { Operation } from '../http/operation.ts'
import type { Service } from '../http/perform.ts'
import { makeFindRoute, type FindRoute } from '../http/routes.ts'
import type { Windows } from '../http/shared-limit.ts'
import { accountOperations } from '../features/accounts/operations.ts'
import { accountRows } from '../features/accounts/store.ts'
import { auditOperations } from '../features/audit/operations.ts'
import { batchOperations } from '../features/batch/operations.ts'
import { billOperations } from '../features/bills/operations.ts'
import { occurrenceRows } from '../features/bills/occurrence-store.ts'
import { billRows } from '../features/bills/store.ts'
import { budgetOperations } from '../features/budgets/operations.ts'
import { budgetRows } from '../features/budgets/store.ts'
import { categoryOperations, copyDefaults, type DefaultCategory } from '../features/categories/operations.ts'
import { categoryRows } from '../features/categories/store.ts'
import { EventHub } from '../features/events/hub.ts'
import { eventOperations } from '../features/events/operations.ts'
import type { ReadDocument } from '../features/exports/document-reader.ts'
import { exportOperations } from '../features/exports/operations.ts'
import { readDocumentApart, restoredTransactions, restoreHousehold } from '../features/exports/restore.ts'
import { feedOperations } from '../features/feeds/operations.ts'
import { flagOperations } from '../features/flags/operations.ts'
import { foundHousehold, householdOperations } from '../features/households/operations.ts'
import { signUpInvitations } from '../features/households/sign-up-invitations.ts'
import { email, keyOf } from '../features/identity/credentials.ts'
import { openMailedLinks } from '../features/identity/mailed-links.ts'
import { identityOperations } from '../features/identity/operations.ts'
import { importOperations } from '../features/imports/operations.ts'
import { pushOperations } from '../features/push/operations.ts'
import { Pokes } from '../features/push/pokes.ts'
import { rateOperations } from '../features/rates/operations.ts'
import { applyRules } from '../features/rules/apply.ts'
import { ruleOperations } from '../features/rules/operations.ts'
import { ruleRows } from '../features/rules/store.ts'
import { readRatesBetween, readRatesOn } from '../features/rates/store.ts'
import { reportOperations } from '../features/reports/operations.ts'
import { syncOperations } from '../features/sync/operations.ts'
import { Catalog } from '../features/system/catalog.ts'
import { isTimeZone } from '../features/system/data/timezones.ts'
import { systemOperations } from '../features/system/operations.ts'
import { transactionOperations } from '../features/transactions/operations.ts'
import { transactionRows } from '../features/transactions/store.ts'
import { categoriesOf, rateOf, transactionShape } from '../features/transactions/transaction.ts'
import { transferOperations } from '../features/transfers/operations.ts'
import type { Runner } from '../resources/transaction.ts'
import { featureNames } from '../values/flags.ts'
import { limits } from '../values/limits.ts'
import type { Resources } from './resources.ts'

export type Features = {
  operations: Operation[]
  catalog: Catalog
  streamsOpen: () => number
  endStreams: () => void
  close: () => Promise<void>
}

/** What the operations that call other operations need of the API. */
export type Entrance = {
  service: Service
  /** A shared window of that length, or one of this process; see api.ts. */
  windows: (windowMs: number) => Windows
  chargeSteps: ChargeSteps
  shed: (operation: Operation) => void
}

export async function makeFeatures(resources: Resources, entrance: Entrance): Promise<Features> {
  const { config, database, notifications, mailer, log } = resources
  const { flags } = resources
  const catalog = new Catalog(database, notifications, (hit) => resources.metrics.cacheRead('system', hit), {
    'config/mobile': () => ({
      registration: flags.registration,
      readOnly: flags.readOnly,
      features: Object.fromEntries(featureNames.map((name) => [name, flags.isOnForAny(name)])),
    }),
  })
  const readDefaults = async () => (await catalog.read('categories')).entry.content as DefaultCategory[]
  // Kept at hand, because the transaction of a sign-up must not wait for another read.
  let defaultCategories = await readDefaults()
  const renewDefaults = () => {
    readDefaults().then(
      (renewed) => {
        defaultCategories = renewed
      },
      (error: unknown) => log.error({ err: error }, 'the default categories cannot be read'),
    )
  }
  notifications.on('djinn_system', (name) => name === 'categories' && renewDefaults())
  notifications.onGap(renewDefaults)
  const furnish = (tx: Runner, household: string) => copyDefaults(tx, household, defaultCategories)
  const mailedLinks = openMailedLinks(database, mailer, config.appUrl, log)

  const applyRulesWhereOn: typeof applyRules = async (...wanted) => {
    if (flags.isOnForAny('rules')) await applyRules(...wanted)
  }

  const hub = new EventHub(resources)
  flags.onChange(() => {
    catalog.forget('config/mobile')
    hub.endUnless((user) => flags.isOn('liveEvents', user))
  })
  const pokes = resources.pushGateway === null ? null : new Pokes(resources)
  let findRoute: FindRoute | undefined
  const operations: Operation[] = [
    ...identityOperations({
      foundHome: async (tx, home) => {
        await foundHousehold(tx, { id: home.householdId, ...home }, furnish)
        return { id: home.householdId, name: home.name, baseCurrency: home.currency, timeZone: home.timeZone, role: 'owner' }
      },
      registration: () => flags.registration,
      invitations: signUpInvitations,
      isTimeZone,
      mailConfigured: mailer !== null,
      mailedLinks,
      chargeLogin: makeChargeLogin(config.rate, entrance.windows(limits.loginWindowMs)),
      vault: resources.vault,
    }),
    ...householdOperations({
      furnish,
      isTimeZone,
      email,
      emailKey: keyOf,
      mailConfigured: mailer !== null,
      appUrl: config.appUrl,
    }),
    ...accountOperations({
      isInstitution: async (id) =>
        ((await catalog.read('institutions')).entry.content as { id: string }[]).some((institution) => institution.id === id),
    }),
    ...categoryOperations(),
    ...transactionOperations({
      related: [
        { name: 'accounts', rows: accountRows, ids: (row) => [row['accountId'] as string] },
        { name: 'categories', rows: categoryRows, ids: categoriesOf },
      ],
    }),
    ...transferOperations(transactionShape),
    ...budgetOperations({ related: [{ name: 'categories', rows: categoryRows, ids: (row) => [row['categoryId'] as string] }] }),
    ...importOperations({
      applyRules: applyRulesWhereOn,
      readDocument: readDocumentApart,
      restore: (context, document) => restoreHousehold(context, document as ReadDocument),
      restoredTransactions,
    }),
    ...ruleOperations(),
    ...exportOperations(),
    ...billOperations({
      related: [
        { name: 'accounts', rows: accountRows, ids: (row) => [row['accountId'] as string | null] },
        { name: 'categories', rows: categoryRows, ids: (row) => [row['categoryId'] as string | null] },
      ],
    }),
    ...feedOperations({ database, vault: resources.vault, rateOf, applyRules: applyRulesWhereOn }),
    ...reportOperations({ ratesOn: readRatesOn, ratesBetween: readRatesBetween }),
    ...auditOperations(),
    ...systemOperations(catalog),
    ...rateOperations(),
    ...syncOperations({
      epoch: resources.installation.epoch,
      kinds: [
        { name: 'accounts', rows: accountRows },
        { name: 'categories', rows: categoryRows },
        { name: 'transactions', rows: transactionRows },
        { name: 'budgets', rows: budgetRows },
        { name: 'rules', rows: ruleRows },
        { name: 'bills', rows: billRows },
        { name: 'occurrences', rows: occurrenceRows },
      ],
    }),
    ...flagOperations(flags),
    ...eventOperations(hub),
    ...pushOperations({ isTimeZone }),
    ...batchOperations({
      service: entrance.service,
      findRoute: (method, url) => {
        findRoute ??= makeFindRoute(operations)
        return findRoute(method, url)
      },
      shed: entrance.shed,
      charge: entrance.chargeSteps,
      onError: (error, operation) => log.error({ err: error, operation }, 'a step of a batch failed'),
    }),
  ]
  return {
    operations,
    catalog,
    streamsOpen: () => hub.open,
    endStreams: () => hub.close(),
    close: async () => {
      await Promise.all([mailedLinks.close(), pokes?.close()])
    },
  }
}
