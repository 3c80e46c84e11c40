// Exports: transactions as CSV, or the whole household as JSON that can be read back with nothing lost.
import { z } from 'zod'
import { operation, type Operation } from '../../http/operation.ts'
import { day, id } from '../../http/parameters.ts'
import { transactionsCsv } from './csv.ts'
import { downloadOf } from './downloads.ts'
import { householdDocument } from './household-document.ts'
import { ownData } from './own-data.ts'

const body = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('household') }),
  z.strictObject({ kind: z.literal('transactions'), accountId: id.optional(), from: day.optional(), to: day.optional() }),
])

export function exportOperations(): Operation[] {
  return [
    operation({
      name: 'exports.create',
      feature: 'exports',
      goesOnReadOnly: true,
      summary: 'Take your data with you',
      description:
        '`household`: everything as one JSON document, a row a line, deleted rows that can still be restored included; ' +
        '`POST /api/imports?format=djinn` reads it into an empty household. `transactions`: CSV, oldest first, a split a line. ' +
        'Sent while it is made, as of one moment; nothing is kept here, so a repeat makes it anew. A connection that breaks off means that it is not whole.',
      tag: 'Exports',
      method: 'POST',
      path: '/api/exports',
      access: 'viewer',
      criticality: 'report',
      effect: 'stream',
      body,
      answerType: 'application/json',
      noStore: true,
      refusals: ['account-not-found'],
      run: async (context, { body: wanted }) => {
        const household = context.household!.id
        if (wanted.kind === 'household') {
          const file = { mediaType: 'application/json; charset=utf-8', fileName: `djinn-household-${context.today}.json` }
          return downloadOf(context, file, (reads) => householdDocument(reads, household))
        }
        const file = { mediaType: 'text/csv; charset=utf-8; header=present', fileName: `djinn-transactions-${context.today}.csv` }
        const query = { account: wanted.accountId, from: wanted.from, to: wanted.to }
        return downloadOf(context, file, (reads) => transactionsCsv(reads, household, query))
      },
    }),
    operation({
      name: 'me.export',
      summary: 'All that is held of you',
      description:
        'One JSON document: profile, sessions, devices, settings, memberships, notifications, and the document of each household that you own. ' +
        'Households of others are named only. Sent while it is made.',
      tag: 'Me',
      method: 'GET',
      path: '/api/me/export',
      access: 'user',
      criticality: 'report',
      effect: 'stream',
      answerType: 'application/json',
      noStore: true,
      run: async (context) => {
        const { userId, memberships } = context.principal!
        const owned = [...memberships].filter(([, { role }]) => role === 'owner').map(([household]) => household)
        const file = { mediaType: 'application/json; charset=utf-8', fileName: `djinn-own-data-${context.today}.json` }
        return downloadOf(context, file, (reads) => ownData(reads, userId, owned))
      },
    }),
  ]
}
