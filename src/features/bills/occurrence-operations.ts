// Occurrences of bills over the API: lists, skipping, and payments that are matched or taken off by hand.
import { z } from 'zod'
import { Failure } from '../../values/failure.ts'
import { finite } from '../../http/collection.ts'
import { baseRevision, changedSince, refuseConflicts } from '../../http/merge.ts'
import { operation, type Context, type Operation } from '../../http/operation.ts'
import { page } from '../../http/page.ts'
import { day, id, idParams, listOf, pageQuery } from '../../http/parameters.ts'
import { occurrenceId, occurrenceShape, presentOccurrence } from './occurrence.ts'
import {
  forgetMismatch,
  listOccurrences,
  occurrenceFilters,
  payByHand,
  payingCurrency,
  readOccurrence,
  rememberMismatch,
  setSkipped,
  takeOff,
  type OccurrenceFilter,
} from './occurrence-store.ts'
import { billRows } from './store.ts'

const filters = {
  ...pageQuery,
  from: day.optional(),
  to: day.optional(),
  status: z.enum(['open', 'due', 'overdue', 'paid', 'skipped']).optional().meta({ description: 'Open ones are due or overdue.' }),
}
const listQuery = z.strictObject({ ...filters, bill: id.optional() })
const essential = ['id', 'billId', 'date', 'status', 'currency', 'amountMin', 'amountMax', 'remaining', 'revision'] as const
const keyParams = z.strictObject({ id, date: day })
const paymentParams = z.strictObject({ id, date: day, transactionId: id })
type Key = z.infer<typeof keyParams>

const shared = {
  tag: 'Bills',
  row: occurrenceShape,
  answer: occurrenceShape,
  access: 'editor',
  criticality: 'write',
  effect: 'write',
} as const
const listed = {
  tag: 'Bills',
  row: occurrenceShape,
  method: 'GET',
  access: 'viewer',
  criticality: 'list',
  effect: 'read',
  conditional: true,
  daily: true,
  essential,
  description: 'Ordered by date, then bill.',
  answer: listOf(occurrenceShape),
} as const

/** The list of the whole household. */
export function occurrenceLists(): Operation[] {
  return [
    operation({
      ...listed,
      name: 'bills.allOccurrences',
      summary: 'Occurrences of all bills, oldest first',
      path: '/api/bills/occurrences',
      query: listQuery,
      related: [{ name: 'bills', rows: billRows, ids: (row) => [row['billId'] as string] }],
      run: async (context, { query }) => ({ body: await list(context, query) }),
    }),
  ]
}

export function occurrenceWrites(): Operation[] {
  return [
    operation({
      ...listed,
      name: 'bills.occurrences',
      summary: 'Occurrences of a bill, oldest first',
      path: '/api/bills/{id}/occurrences',
      params: idParams,
      query: z.strictObject(filters),
      run: async (context, { params, query }) => {
        const [bill, body] = await Promise.all([context.load(billRows, params.id), list(context, { ...query, bill: params.id })])
        if (!bill) throw new Failure('not-found', 'There is no such bill in this household.')
        return { body }
      },
    }),
    operation({
      ...shared,
      name: 'bills.skip',
      summary: 'Skip an occurrence, or take that back',
      description: 'A paid one is neither skipped nor due: take its payments off first.',
      method: 'PATCH',
      path: '/api/bills/{id}/occurrences/{date}',
      params: keyParams,
      body: z.strictObject({ baseRevision, status: z.enum(['skipped', 'due']) }),
      refusals: ['conflict', 'precondition-failed', 'occurrence-paid'],
      readAhead: (context, { params, body }) => readBase(context, params, body.baseRevision),
      run: async (context, { params, body, ahead }) => {
        const key = keyOf(context, params)
        const skipped = body.status === 'skipped'
        if (ahead) checkBase(context, ahead, body.baseRevision!, skipped)
        const [row] = await context.db.run(setSkipped, { ...key, skipped, ifRevision: finite(context.ifMatchRevision) })
        if (row) return { body: presentOccurrence(row, context.today) }
        const found = await read(context, params)
        if (found.paid) throw new Failure('occurrence-paid', 'It is paid; take its payments off first.', { at: '/status' })
        throw new Failure('precondition-failed', `It changed since; its revision is ${found.revision}.`, { at: 'If-Match:' })
      },
    }),
    operation({
      ...shared,
      name: 'bills.pay',
      summary: 'Say that a transaction pays an occurrence',
      description:
        'Several make partial payments. The transaction is taken off whatever else it paid, and stays with this one whatever becomes of its amount, date or payee.',
      method: 'POST',
      path: '/api/bills/{id}/occurrences/{date}/payments',
      params: keyParams,
      body: z.strictObject({ transactionId: id }),
      status: 200,
      refusals: ['transaction-not-found', 'currency-mismatch', 'limit-reached', 'amount-out-of-range'],
      run: async (context, { params, body }) => {
        const key = keyOf(context, params)
        const transaction = body.transactionId
        const [, [paid], [row]] = await Promise.all([
          context.db.run(forgetMismatch, { household: key.household, bill: key.bill, transaction }),
          context.db.run(payByHand, { ...key, transaction }),
          context.db.run(readOccurrence, key),
        ])
        if (!row) throw missing()
        if (paid) return { body: presentOccurrence(row, context.today) }
        const [found] = await context.db.run(payingCurrency, { household: key.household, transaction })
        if (!found) throw new Failure('transaction-not-found', 'There is no such transaction in this household.', { at: '/transactionId' })
        throw new Failure('currency-mismatch', `The bill is in ${row.currency}, the transaction in ${found.currency}.`, {
          at: '/transactionId',
        })
      },
    }),
    operation({
      ...shared,
      name: 'bills.unpay',
      summary: 'Take a transaction off an occurrence',
      description: 'It is not matched with this bill by itself again. Taking off what is not there succeeds.',
      method: 'DELETE',
      path: '/api/bills/{id}/occurrences/{date}/payments/{transactionId}',
      params: paymentParams,
      run: async (context, { params }) => {
        const key = keyOf(context, params)
        const payment = { ...key, transaction: params.transactionId }
        const [, , [row]] = await Promise.all([
          context.db.run(rememberMismatch, payment),
          context.db.run(takeOff, payment),
          context.db.run(readOccurrence, key),
        ])
        if (!row) throw missing()
        return { body: presentOccurrence(row, context.today) }
      },
    }),
  ]
}

function keyOf(context: Context, params: Key) {
  return { household: context.household!.id, bill: params.id, date: params.date }
}

function missing() {
  return new Failure('not-found', 'There is no such occurrence in this household.')
}

async function read(context: Context, params: Key) {
  const [row] = await context.db.run(readOccurrence, keyOf(context, params))
  if (!row) throw missing()
  return row
}

/** What a phone that skips has to be held against. */
async function readBase(context: Context, params: Key, base: number | undefined) {
  if (base === undefined) return null
  const [[row], since] = await Promise.all([
    context.db.run(readOccurrence, keyOf(context, params)),
    changedSince(context, base, [occurrenceId(params.id, params.date)]),
  ])
  if (!row) throw missing()
  return { row, since }
}

/** A phone that skips what was paid or skipped meanwhile is told. */
function checkBase(context: Context, { row, since }: NonNullable<Awaited<ReturnType<typeof readBase>>>, base: number, skipped: boolean) {
  const current = presentOccurrence(row, context.today)
  const comparable = { status: row.paid ? 'paid' : row.skipped ? 'skipped' : 'due' }
  const changes = { status: skipped ? 'skipped' : 'due' }
  refuseConflicts(base, since, { current, comparable, changes, columns: { status: ['skipped', 'paid'] } })
}

async function list(context: Context, query: z.infer<typeof listQuery>) {
  const { limit = context.pageRows, cursor, status, ...given } = query
  const household = context.household!.id
  const wanted = (Object.keys(occurrenceFilters) as OccurrenceFilter[]).filter((name) => given[name] !== undefined)
  const binding = `occurrences ${household} ${JSON.stringify([status, wanted.map((name) => [name, given[name]])])}`
  const position =
    cursor === undefined ? {} : (([afterDate, afterBill]) => ({ afterDate, afterBill }))(context.cursors.decode(binding, cursor))
  const rows = await context.db.run(listOccurrences(wanted, status, cursor !== undefined), {
    household,
    rows: limit + 1,
    ...Object.fromEntries(wanted.map((name) => [name, given[name]])),
    ...(status === 'due' || status === 'overdue' ? { today: context.today } : {}),
    ...position,
  })
  const { data, nextCursor } = page(context.cursors, binding, rows, limit, (row) => [row.date, row.billId])
  return { data: data.map((row) => presentOccurrence(row, context.today)), nextCursor }
}
