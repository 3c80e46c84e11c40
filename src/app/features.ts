// The table of contents: every operation of the service, feature by feature, and where features meet.
import { makeChargeLogin } from '../http/charge.ts'
import type { Operation } from '../http/operation.ts'
import { accountOperations } from '../features/accounts/operations.ts'
import { auditOperations } from '../features/audit/operations.ts'
import { categoryOperations, copyDefaults, type DefaultCategory } from '../features/categories/operations.ts'
import { foundHousehold, householdOperations } from '../features/households/operations.ts'
import { openMailedLinks } from '../features/identity/mailed-links.ts'
import { identityOperations } from '../features/identity/operations.ts'
import { importOperations } from '../features/imports/operations.ts'
import { Catalog } from '../features/system/catalog.ts'
import { isTimeZone } from '../features/system/data/timezones.ts'
import { systemOperations } from '../features/system/operations.ts'
import { transactionOperations } from '../features/transactions/operations.ts'
import { transactionShape } from '../features/transactions/transaction.ts'
import { transferOperations } from '../features/transfers/operations.ts'
import type { Runner } from '../resources/transaction.ts'
import type { Resources } from './resources.ts'

export type Features = { operations: Operation[]; catalog: Catalog; close: () => Promise<void> }

export async function makeFeatures(resources: Resources): Promise<Features> {
  const { config, database, notifications, mailer, log } = resources
  const catalog = new Catalog(database, notifications)
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

  const operations = [
    ...identityOperations({
      foundHome: async (tx, home) => {
        await foundHousehold(tx, { id: home.householdId, ...home }, furnish)
        return { id: home.householdId, name: home.name, baseCurrency: home.currency, timeZone: home.timeZone, role: 'owner' }
      },
      isTimeZone,
      mailConfigured: mailer !== null,
      mailedLinks,
      chargeLogin: makeChargeLogin(config.rate),
    }),
    ...householdOperations(furnish, isTimeZone),
    ...accountOperations({
      isInstitution: async (id) =>
        ((await catalog.read('institutions')).entry.content as { id: string }[]).some((institution) => institution.id === id),
    }),
    ...categoryOperations(),
    ...transactionOperations(),
    ...transferOperations(transactionShape),
    ...importOperations(),
    ...auditOperations(),
    ...systemOperations(catalog),
  ]
  return { operations, catalog, close: () => mailedLinks.close() }
}
