// What pgbench runs beside each endpoint: the statements of its operation, with values of the same households and rows.
import type pg from 'pg'
import { transactionRows, insertTransaction, listTransactions } from '../../../src/features/transactions/store.ts'
import { writingScope } from '../../../src/resources/scope.ts'
import { declaredStatements, type Statement } from '../../../src/resources/statement.ts'
import { asCommand, scriptOf, writeScript, type Script, type Value } from './pgbench.ts'
import { createPath, pageRows, type Phone, type Phones } from './phones.ts'
import { asOwner, type World } from './world.ts'

/** Reads are the owner's, past row-level security; the write is sent by the login of the API, in the scope that the API sets. */
export type Limit = {
  script: Script
  url: string
  /** As the API has it: its short reads are planned once for any values, which a list of a large table needs (1.6 times the rate). */
  planning: 'force_generic_plan' | 'auto'
  statements: string[]
}
type Limits = Record<'list' | 'row' | 'create' | 'sync', Limit>

const today = new Date().toISOString().slice(0, 10)
const drawsMax = 1_000
const readSlots = 20
const writeSlots = 5

/** A statement as a command; `values` by the names of its parameters. */
function command(statement: Statement<never, never> | Statement, values: Record<string, Value>): string {
  const { text, order } = statement
  return asCommand(
    text,
    order.map((name) => values[name]!),
  )
}

function declared(name: string): Statement {
  const found = declaredStatements().get(name)
  if (!found) throw new Error(`the service has no statement ${name} any more`)
  return found
}

export async function makeLimits(world: World, phones: Phones): Promise<Limits> {
  // They declare what every write and every look at a revision sends.
  await Promise.all([import('../../../src/http/replay.ts'), import('../../../src/resources/database.ts')])
  return await asOwner(world, async (client) => {
    await client.query('create schema saturation; grant usage on schema saturation to public')
    return await scriptAll(client, world, phones)
  })
}

async function scriptAll(client: pg.Client, world: World, { readers, writers }: Phones): Promise<Limits> {
  const draw = async (name: string, slots: number, columns: string[], pick: (index: number) => string[]) => {
    const named = Array.from({ length: slots }, (_, slot) => columns.map((column) => `${column}_${slot + 1}`)).flat()
    await client.query(`create table saturation.${name} (draw integer primary key, ${named.map((column) => `${column} text`).join(', ')})`)
    for (let from = 0; from < drawsMax; from += 100) {
      const rows = Array.from({ length: 100 }, (_, row) => [
        from + row + 1,
        ...Array.from({ length: slots }, (_each, slot) => pick((from + row) * slots + slot)).flat(),
      ])
      const placeholders = rows.map((row, at) => `(${row.map((_, column) => `$${at * row.length + column + 1}`).join(', ')})`)
      await client.query(`insert into saturation.${name} values ${placeholders.join(', ')}`, rows.flat())
    }
    await client.query(`grant select on saturation.${name} to public; analyze saturation.${name}`)
    return { select: `select ${named.join(', ')} from saturation.${name} where draw = :draw`, rows: drawsMax, slots }
  }
  const at = <T>(list: readonly T[], index: number) => list[index % list.length]!
  const script = (name: string, text: string, slots: number, variables: Record<string, string> = {}) =>
    writeScript(world.folder, name, text, slots, variables)

  const households = await draw('households', readSlots, ['household'], (index) => [at(readers, index).householdId])
  const list = scriptOf(households, (slot) => [command(listTransactions([], false), { household: `household_${slot}`, rows: 'rows' })])
  const rows = await draw('rows', readSlots, ['household', 'ids'], (index) => {
    const phone = at(readers, index)
    return [phone.householdId, `{${at(phone.rows, Math.floor(index / readers.length))}}`]
  })
  const row = scriptOf(rows, (slot) => [command(transactionRows.byIds, { household: `household_${slot}`, ids: `ids_${slot}` })])
  const keys = await draw('keys', readSlots, ['households'], (index) => [`{${at(readers, index).householdId}}`])
  const sync = scriptOf(keys, (slot) => [command(declared('revisions.read'), { households: `households_${slot}` })])
  const drafts = await draw('drafts', writeSlots, ['household', 'actor', 'device', 'draft'], (index) => {
    const phone = at(writers, index)
    return [phone.householdId, phone.userId, phone.sessionId, JSON.stringify(draftOf(phone, index))]
  })
  const fresh = Array.from(
    { length: writeSlots },
    (_, slot) =>
      `replace(draft_${slot + 1}, 'NEW-ID', uuidv7()::text) as fresh_${slot + 1}, uuidv7() as request_${slot + 1}, uuidv7() as key_${slot + 1}`,
  )
  const create = scriptOf({ ...drafts, select: drafts.select.replace('select ', `select ${fresh.join(', ')}, '' as push, `) }, (slot) => {
    const known = { household: `household_${slot}`, user: `actor_${slot}`, method: 'method', path: 'path', key: `key_${slot}` }
    const scope = { household: `household_${slot}`, user: `actor_${slot}`, device: `device_${slot}`, request: `request_${slot}` }
    // The waits are those of the API: what it sends in one go is sent in one go.
    return [
      '\\startpipeline',
      'begin;',
      command(declared('scope.write'), { ...scope, push: 'push', statementTimeout: 'statement_ms', lockTimeout: 'lock_ms', role: 'role' }),
      command(declared('replay.begin'), { ...known, leastRole: 'least_role' }),
      '\\endpipeline',
      command(insertTransaction, { draft: `fresh_${slot}` }),
      '\\startpipeline',
      command(declared('replay.keep'), { ...known, hash: 'hash', status: 'status', headers: 'headers', body: 'body' }),
      'commit;',
      '\\endpipeline',
    ]
  })
  const [, , , , , statementMs, lockMs, role] = writingScope({}, false, 'djinn_app').values
  return {
    list: {
      script: script('list', list, readSlots, { rows: String(pageRows + 1) }),
      url: world.ownerUrl,
      planning: 'force_generic_plan',
      statements: [listTransactions([], false).text],
    },
    row: {
      script: script('row', row, readSlots),
      url: world.ownerUrl,
      planning: 'force_generic_plan',
      statements: [transactionRows.byIds.text],
    },
    sync: {
      script: script('sync', sync, readSlots),
      url: world.ownerUrl,
      planning: 'force_generic_plan',
      statements: [declared('revisions.read').text],
    },
    create: {
      script: script('create', create, writeSlots, {
        statement_ms: statementMs!,
        lock_ms: lockMs!,
        role: role!,
        method: 'POST',
        path: createPath,
        least_role: 'editor',
        status: '201',
        hash: `\\x${'5e'.repeat(32)}`,
        headers: JSON.stringify({
          location: `${createPath}/${writers[0]!.rows[0]!}`,
          etag: '"1a.AbCdEfGhIjK"',
          'content-type': 'application/json; charset=utf-8',
        }),
        body: JSON.stringify({
          ...draftOf(writers[0]!, 0),
          currency: 'EUR',
          createdAt: '2026-01-31T10:00:00.000000Z',
          padding: 'x'.repeat(150),
        }),
      }),
      url: world.loginUrl,
      planning: 'auto',
      statements: [...['scope.write', 'replay.begin', 'replay.keep'].map((name) => declared(name).text), insertTransaction.text],
    },
  }
}

/** As `createRow` sends it to the statement. */
function draftOf(phone: Phone, index: number) {
  return {
    payee: `Shop ${index % 700}`,
    note: '',
    category_id: phone.categoryId,
    status: 'posted',
    external_id: null,
    edited_fields: ['payee', 'category_id', 'date', 'amount'],
    account_id: phone.accountId,
    date: today,
    amount: -(100 + (index % 9_000)),
    splits: null,
    original: null,
    id: 'NEW-ID',
    household_id: phone.householdId,
  }
}
