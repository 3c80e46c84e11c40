// What the API takes and says of an import: its statements, its rows and how a CSV file's columns are taken.
import { z } from 'zod'
import { amount, day, id, instant } from '../../http/parameters.ts'
import { formats } from './reading.ts'

const column = z.int().min(0).max(199)
export const mappingShape = z
  .strictObject({
    delimiter: z.enum([',', ';', '\t', '|']),
    skipRows: z.int().min(0).max(1_000),
    date: column,
    dateOrder: z.enum(['ymd', 'dmy', 'mdy']),
    decimal: z.enum(['.', ',']),
    amount: z.union([z.strictObject({ column, invert: z.boolean() }), z.strictObject({ debit: column, credit: column })]),
    direction: column.nullable(),
    payee: column.nullable(),
    note: column.nullable(),
    currency: column.nullable(),
    externalId: column.nullable(),
  })
  .meta({ description: 'How the columns of a CSV file are taken; columns count from 0.' })

const summaryShape = z.strictObject({ new: z.int(), duplicate: z.int(), matched: z.int(), error: z.int() })
const statementShape = z.strictObject({
  key: z.string(),
  currency: z.string().nullable(),
  label: z.string().nullable(),
  accountId: id.nullable(),
})
const rowShape = z.strictObject({
  row: z.int(),
  line: z.int(),
  statement: z.string(),
  status: z.enum(['new', 'duplicate', 'matched', 'error']),
  reason: z.string().nullable(),
  transaction: z
    .strictObject({
      id: id.nullable(),
      accountId: id.nullable(),
      date: day,
      amount,
      payee: z.string(),
      rawPayee: z.string().nullable(),
      note: z.string(),
      externalId: z.string().nullable(),
      status: z.enum(['pending', 'posted']),
      original: z.strictObject({ amount, currency: z.string() }).nullable(),
    })
    .nullable(),
})
export const importShape = z.strictObject({
  id,
  format: z.string(),
  fileName: z.string().nullable(),
  fileDigest: z.string().meta({ description: 'SHA-256 of the file, hexadecimal.' }),
  status: z.enum(['previewed', 'committed', 'undone']),
  mapping: mappingShape.nullable(),
  statements: z.array(statementShape),
  warnings: z.array(z.string()),
  summary: summaryShape,
  result: z.strictObject({ created: z.int(), duplicate: z.int(), matched: z.int() }).nullable(),
  committedAt: instant.nullable(),
  undoneAt: instant.nullable(),
  createdAt: instant,
  updatedAt: instant,
  revision: z.int(),
})
export const previewShape = importShape.extend({ rows: z.array(rowShape) })

export const fileQuery = z.strictObject({
  accountId: id.optional().meta({ description: 'The account of the only statement, or of the only one that no earlier import knows.' }),
  format: z
    .enum([...formats, 'djinn'])
    .optional()
    .meta({
      description: '`djinn` is the JSON document of a household (`POST /api/exports`), plain or gzip, and takes an empty household.',
    }),
  dateOrder: z.enum(['dmy', 'mdy']).optional().meta({ description: 'For files that leave it open.' }),
})

export const commitBody = z.strictObject({ accounts: z.record(z.string().max(200), id).optional(), skipErrors: z.boolean().optional() })
