// Rules and rows that tests of rules begin with.
import assert from 'node:assert/strict'
import type { Person } from '../harness.ts'

export type Draft = Record<string, unknown>

/** A rule that takes the bakery for food. */
export function draftOf(draft: Draft = {}): Draft {
  return {
    name: 'Bakery',
    match: 'all',
    conditions: [{ field: 'payee', operator: 'contains', value: 'bakery' }],
    actions: { payee: 'The bakery' },
    ...draft,
  }
}

async function made(person: Person, path: string, draft: Draft): Promise<string> {
  const { status, body, text } = await person.post(path, draft)
  assert.equal(status, 201, text)
  return body.id
}

export const addRule = (person: Person, draft: Draft = {}) => made(person, '/api/rules', draftOf(draft))

export const addCategory = (person: Person, draft: Draft = {}) =>
  made(person, '/api/categories', { name: 'Food out', kind: 'expense', ...draft })

export type Read = { id: string; payee: string; note: string; categoryId: string | null; amount: number; revision: number }

export async function readTransaction(person: Person, id: string): Promise<Read> {
  return (await person.get(`/api/transactions/${id}`)).body
}

/** Rows as a bank's file brings them, without anything that a person set: `[date, amount, payee]`. */
export async function importRows(person: Person, account: string, rows: readonly (readonly [string, string, string])[]): Promise<string[]> {
  const lines = rows.map((row) => row.map((cell) => `"${cell.replaceAll('"', '""')}"`).join(','))
  const preview = await person.upload(`/api/imports?accountId=${account}`, `Date,Amount,Payee\n${lines.join('\n')}\n`)
  assert.equal(preview.status, 201, preview.text)
  const commit = await person.post(`/api/imports/${preview.body.id}/commit`, {})
  assert.equal(commit.status, 200, commit.text)
  return preview.body.rows.map((row: { transaction: { id: string } }) => row.transaction.id)
}
