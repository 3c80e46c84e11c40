// The demo household of an embedded database: made once, on the first start.
import { accountRows } from '../features/accounts/store.ts'
import { hashPassword } from '../features/identity/hashing.ts'
import { insertUser, userByEmail } from '../features/identity/store.ts'
import { copyDefaults } from '../features/categories/operations.ts'
import { categoriesByKey } from '../features/categories/store.ts'
import { foundHousehold } from '../features/households/operations.ts'
import { defaultCategories } from '../features/system/data/categories.ts'
import { addDemoRates } from '../features/rates/rate-import.ts'
import { insertTransactions } from '../features/transactions/store.ts'
import { legId } from '../features/transfers/transfer.ts'
import { insertLegs, insertTransfer } from '../features/transfers/store.ts'
import { dayOf } from '../values/day.ts'
import { newId } from '../values/id.ts'
import { demoAccounts, demoHistory, demoRates } from './demo-history.ts'
import type { Resources } from './resources.ts'

export const demoSignIn = { email: 'demo@djinn.example', password: 'a lamp full of coins' }

export async function ensureDemo({ database, directDatabase, log }: Pick<Resources, 'database' | 'directDatabase' | 'log'>) {
  // At each start, for the days since the last one.
  await addDemoRates(directDatabase, demoRates(dayOf(Date.now(), 'UTC')))
  const [known] = await database.reader({}).run(userByEmail, { emailKey: demoSignIn.email })
  if (known) return
  const passwordHash = await hashPassword(demoSignIn.password)
  const user = newId()
  const household = newId()
  const zone = 'Europe/Lisbon'
  const { transactions, transfers } = demoHistory(dayOf(Date.now(), zone))
  await database.write({ household, user, request: 'demo' }, async (tx) => {
    await tx.run(insertUser, { id: user, email: demoSignIn.email, emailKey: demoSignIn.email, passwordHash, displayName: 'Demo' })
    await foundHousehold(tx, { id: household, userId: user, name: 'Demo household', currency: 'EUR', timeZone: zone }, (inner) =>
      copyDefaults(inner, household, defaultCategories),
    )
    const categories = new Map((await tx.run(categoriesByKey, { household })).map((row) => [row.key, row.id]))
    const category = (key: string) => {
      const found = categories.get(key)
      if (found === undefined) throw new Error(`The demo names a category that is not there: ${key}`)
      return found
    }
    const accounts = new Map(demoAccounts.map((account) => [account.key, { id: newId(), currency: account.currency }]))
    for (const account of demoAccounts) {
      await tx.run(accountRows.insert!, {
        draft: {
          household_id: household,
          id: accounts.get(account.key)!.id,
          name: account.name,
          kind: account.kind,
          currency: account.currency,
          opening_balance: account.openingBalance,
          note: '',
          institution_id: null,
          closed_at: null,
        },
      })
    }
    await tx.run(insertTransactions, {
      drafts: transactions.map((made) => ({
        household_id: household,
        id: newId(),
        account_id: accounts.get(made.account)!.id,
        currency: accounts.get(made.account)!.currency,
        date: made.date,
        amount: made.amount,
        payee: made.payee,
        note: made.note,
        category_id: category(made.category),
        status: made.status,
        splits: made.splits?.map((split) => ({ amount: split.amount, categoryId: category(split.category), note: split.note })) ?? null,
      })),
    })
    for (const transfer of transfers) {
      const id = newId()
      await Promise.all([
        tx.run(insertTransfer, { household, id }),
        tx.run(insertLegs, {
          household,
          id,
          fromId: legId(id, 'from'),
          toId: legId(id, 'to'),
          fromAccount: accounts.get(transfer.from)!.id,
          toAccount: accounts.get(transfer.to)!.id,
          date: transfer.date,
          amount: transfer.amount,
          toAmount: transfer.toAmount ?? null,
          note: transfer.note,
        }),
      ])
    }
  })
  log.info({ transactions: transactions.length, transfers: transfers.length }, 'made a demo household')
}
