// The rules of a push by themselves: amounts shared over splits, and every order of messages ends at the same books.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { settle, type Columns, type Found, type Known } from '../src/features/feeds/settlement.ts'
import type { Push, Pushed } from '../src/features/feeds/shapes.ts'
import { rescaleSplits } from '../src/features/feeds/splits.ts'
import { amountMinorMax } from '../src/values/money.ts'

const split = (amount: number) => ({ amount, categoryId: null, note: '' })
const sum = (parts: readonly { amount: number }[]) => parts.reduce((total, part) => total + BigInt(part.amount), 0n)
const amount = fc.integer({ min: -amountMinorMax, max: amountMinorMax })

test('splits of any amounts sum to any new amount, or the change is refused; a split is neither lost nor added', () => {
  fc.assert(
    fc.property(fc.array(amount, { minLength: 2, maxLength: 50 }), amount, (amounts, after) => {
      const total = sum(amounts.map(split))
      fc.pre(total >= -BigInt(amountMinorMax) && total <= BigInt(amountMinorMax))
      const splits = amounts.map(split)
      try {
        const rescaled = rescaleSplits(splits, Number(total), after, '/amount')
        assert.equal(sum(rescaled), BigInt(after))
        assert.equal(rescaled.length, splits.length)
        for (const part of rescaled) assert.ok(Number.isSafeInteger(part.amount) && !Object.is(part.amount, -0))
      } catch (error) {
        assert.equal((error as { code: string }).code, 'amount-out-of-range', String(error))
      }
    }),
  )
})

test('splits of one sign keep their shares to the last minor unit', () => {
  const part = fc.integer({ min: 1, max: 1_000_000 })
  fc.assert(
    fc.property(fc.array(part, { minLength: 2, maxLength: 20 }), part, (amounts, after) => {
      const total = amounts.reduce((a, b) => a + b, 0)
      const rescaled = rescaleSplits(amounts.map(split), total, after, '/amount')
      for (const [index, { amount: share }] of rescaled.entries()) {
        assert.ok(Math.abs(share * total - amounts[index]! * after) < total, 'less than one unit from its share')
      }
    }),
  )
})

const means = () => {
  let made = 0
  return { newId: () => `t${++made}`, rateOf: () => null }
}

/** A ledger of one account in memory: what the statements of a push do, in a few lines. */
class Ledger {
  readonly rows = new Map<string, Known>()
  readonly names = new Map<string, string>()
  readonly means = means()

  found(push: Push): Found {
    const wanted = [...push.transactions.flatMap((each) => [each.externalId, each.pendingExternalId ?? '']), ...(push.removed ?? [])]
    const byIds = [...new Set(wanted)].flatMap((namedBy) => {
      const known = this.rows.get(this.names.get(namedBy) ?? '')
      return known ? [{ ...known, namedBy }] : []
    })
    return { byIds, equal: [], byHand: [] }
  }

  push(push: Push) {
    const settlement = settle(push, this.found(push), this.means)
    for (const id of settlement.withdrawn) Object.assign(this.rows.get(id)!, { isDeleted: true, isWithdrawn: true })
    for (const columns of settlement.created) this.rows.set(columns['id'] as string, fresh(columns))
    for (const { id, ...columns } of settlement.updated) {
      Object.assign(this.rows.get(id as string)!, named(columns), { isDeleted: false, isWithdrawn: false })
    }
    for (const { external_id: name, transaction_id: id, origin, status, payee, note } of settlement.remembered) {
      this.names.set(name as string, id as string)
      const known = this.rows.get(id as string)!
      Object.assign(known, {
        origin,
        saidStatus: status,
        saidPayee: payee,
        saidNote: note,
        ids: [...new Set([...known.ids, name as string])],
      })
    }
    const ids = settlement.remembered.map((each) => each['external_id'])
    assert.equal(new Set(ids).size, ids.length, 'one statement remembers an id once')
    assert.equal(settlement.results.length, push.transactions.length + (push.removed?.length ?? 0))
    return settlement
  }

  /** Live rows as a person sees them, whatever their ids are. */
  books() {
    return [...this.rows.values()]
      .filter((known) => !known.isDeleted)
      .map((known) => `${known.amount} ${known.status} ${known.date} ${known.payee}`)
      .toSorted()
  }
}

function named(columns: Columns): Partial<Known> {
  return Object.fromEntries(
    Object.entries(columns).map(([name, value]) => [name.replaceAll(/_(\w)/g, (_, letter: string) => letter.toUpperCase()), value]),
  )
}

function fresh(columns: Columns): Known {
  const nothing = { splits: null, editedFields: [], isTransfer: false, isDeleted: false, isWithdrawn: false, isElsewhere: false, ids: [] }
  return {
    ...nothing,
    ...named(columns),
    sourceDate: columns['date'],
    sourceAmount: columns['amount'],
    origin: 'made',
  } as unknown as Known
}

const pushed = (externalId: string, changes: object): Pushed => ({
  externalId,
  date: '2026-02-03',
  amount: -320,
  payee: 'Bar',
  status: 'posted',
  ...changes,
})

/** The life of an entry at a bank: pending for a while, then posted under the same id or another, or taken back. */
const life = fc.record({
  amounts: fc.array(fc.integer({ min: -9_999, max: -1 }), { minLength: 1, maxLength: 3 }),
  end: fc.constantFrom('sameId', 'otherId', 'removed', 'stillPending'),
})

test('whatever is sent twice, together or late, the books are those of the last word of the bank', () => {
  fc.assert(
    fc.property(fc.array(life, { minLength: 1, maxLength: 6 }), fc.infiniteStream(fc.nat({ max: 1_000 })), (lives, chances) => {
      const chance = (most: number) => (chances.next().value as number) % most
      const expected: string[] = []
      const messages: { pushes: Push[]; late: Push[] }[] = lives.map(({ amounts, end }, index) => {
        const name = `p${index}`
        const pushes: Push[] = amounts.map((each) => ({ transactions: [pushed(name, { status: 'pending', amount: each })] }))
        const last = amounts.at(-1)! - 1
        if (end === 'sameId') pushes.push({ transactions: [pushed(name, { amount: last })] })
        if (end === 'otherId') pushes.push({ transactions: [pushed(`e${index}`, { amount: last, pendingExternalId: name })] })
        if (end === 'removed') pushes.push({ transactions: [], removed: [name] })
        if (end !== 'removed')
          expected.push(
            `${end === 'stillPending' ? amounts.at(-1)! : last} ${end === 'stillPending' ? 'pending' : 'posted'} 2026-02-03 Bar`,
          )
        const isPosted = end === 'sameId' || end === 'otherId'
        return { pushes, late: isPosted ? [...pushes, { transactions: [], removed: [name] }] : [pushes.at(-1)!] }
      })
      const ledger = new Ledger()
      const waiting = messages.map(({ pushes }) => [...pushes])
      const done: Push[][] = messages.map(() => [])
      while (waiting.some((pushes) => pushes.length > 0)) {
        const index = chance(waiting.length)
        const next = waiting[index]!.shift()
        if (!next) continue
        ledger.push(next)
        done[index]!.push(next)
        // The last word again, and once the bank has posted it anything it ever said.
        if (chance(3) === 0) ledger.push(next)
        if (waiting[index]!.length === 0 && chance(2) === 0) {
          const { late } = messages[index]!
          ledger.push(late[chance(late.length)]!)
        }
      }
      assert.deepEqual(ledger.books(), expected.toSorted())
      const known = ledger.rows.size
      for (const { pushes } of messages) ledger.push(pushes.at(-1)!)
      assert.equal(ledger.rows.size, known, 'the last words add nothing')
    }),
    { numRuns: 300 },
  )
})

test('any push at all is settled: each row answered once, no transaction written twice', () => {
  const name = fc.constantFrom('a', 'b', 'c', 'd', 'e')
  const row = fc.record({
    externalId: name,
    pendingExternalId: fc.option(name, { nil: undefined }),
    status: fc.constantFrom('pending', 'posted'),
    amount: fc.integer({ min: -3, max: 3 }),
  })
  const push = fc
    .record({
      rows: fc.uniqueArray(row, { selector: ({ externalId }) => externalId, maxLength: 5 }),
      removed: fc.uniqueArray(name, { maxLength: 5 }),
    })
    .map(({ rows, removed }): Push => ({
      transactions: rows.map(({ externalId, ...rest }) => pushed(externalId, rest)),
      removed: removed.filter((each) => !rows.some(({ externalId }) => externalId === each)),
    }))
  fc.assert(
    fc.property(fc.array(push, { minLength: 1, maxLength: 6 }), (pushes) => {
      const ledger = new Ledger()
      for (const each of pushes) {
        const { updated, withdrawn, results } = ledger.push(each)
        const written = [...updated.map(({ id }) => id as string), ...withdrawn]
        assert.equal(new Set(written).size, written.length, 'no transaction is written twice')
        for (const { outcome, transactionId } of results) assert.ok(transactionId !== null || outcome === 'unchanged')
        // Once more: what a push made, it finds again.
        const again = ledger.push({ ...each, removed: [] })
        assert.deepEqual(again.created, [])
      }
    }),
    { numRuns: 1_000 },
  )
})
