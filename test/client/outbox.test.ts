// The outbox: what is sent when the user wrote, edited and removed without a network.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Outbox, type Entry } from '../../src/client/outbox.ts'

let keys = 0
function entry(action: Entry['action'], body: Record<string, unknown> = {}, more: Partial<Entry> = {}): Entry {
  return {
    key: `key ${++keys}`,
    kind: 'transactions',
    action,
    id: 'a',
    householdId: 'home',
    body,
    baseRevision: action === 'update' ? 5 : null,
    seen: {},
    sent: false,
    ...more,
  }
}

function filled(...entries: Entry[]): Outbox {
  const outbox = new Outbox()
  for (const one of entries) outbox.add(one)
  return outbox
}

const actions = (outbox: Outbox) => outbox.entries.map((one) => `${one.action} ${one.id}`)

test('an edit of what was never sent becomes part of its create', () => {
  const create = entry('create', { payee: 'Shop', amount: -100 })
  const outbox = filled(create, entry('update', { payee: 'Bakery', note: 'bread' }))
  assert.deepEqual(actions(outbox), ['create a'])
  assert.deepEqual(outbox.entries[0]!.body, { payee: 'Bakery', amount: -100, note: 'bread' })
  assert.equal(outbox.entries[0]!.key, create.key)
})

test('two edits become one, on the older revision, and remember what was seen first', () => {
  const outbox = filled(
    entry('update', { payee: 'Bakery' }, { baseRevision: 5, seen: { payee: 'Shop' } }),
    entry('update', { payee: 'Baker', note: 'bread' }, { baseRevision: 7, seen: { payee: 'Bakery', note: '' } }),
  )
  assert.equal(outbox.size, 1)
  const [{ body, seen, baseRevision }] = outbox.entries as [Entry]
  assert.deepEqual(
    { body, seen, baseRevision },
    { body: { payee: 'Baker', note: 'bread' }, seen: { payee: 'Shop', note: '' }, baseRevision: 5 },
  )
})

test('what was made and removed again is never sent', () => {
  const outbox = filled(entry('create'), entry('update', { note: 'x' }), entry('delete'))
  assert.deepEqual(actions(outbox), [])
})

test('removing an edited row sends the removal alone', () => {
  const outbox = filled(entry('update', { note: 'x' }), entry('delete'))
  assert.deepEqual(actions(outbox), ['delete a'])
})

test('an entry that was sent stays as it is under its key', () => {
  const create = entry('create', { payee: 'Shop' }, { sent: true })
  const update = entry('update', { payee: 'Bakery' }, { baseRevision: null })
  const outbox = filled(create, update)
  assert.deepEqual(actions(outbox), ['create a', 'update a'])
  assert.deepEqual(create.body, { payee: 'Shop' })

  const removed = filled(entry('create', {}, { sent: true }), entry('delete'))
  assert.deepEqual(actions(removed), ['create a', 'delete a'], 'the server may have it already')
})

test('rows of different kinds with one id are different rows', () => {
  const outbox = filled(entry('create'), entry('update', { name: 'x' }, { kind: 'accounts' }))
  assert.deepEqual(actions(outbox), ['create a', 'update a'])
})

test('at most the wanted number is sent at once, in order, and each row once', () => {
  const rows = Array.from({ length: 12 }, (_, index) => entry('create', {}, { id: `row ${index}` }))
  assert.deepEqual(filled(...rows).next(10), rows.slice(0, 10))

  const first = entry('create', {}, { id: 'one', sent: true })
  const other = entry('create', {}, { id: 'two' })
  const again = entry('update', {}, { id: 'one' })
  const last = entry('create', {}, { id: 'three' })
  const outbox = filled(first, other, again, last)
  assert.deepEqual(outbox.next(10), [first, other], 'nothing overtakes the second write of a row')
})

test('after an answer the next edit of the row goes on from its revision when the row is as the user saw it', () => {
  const first = entry('update', { payee: 'Bakery' }, { sent: true })
  const second = entry('update', { payee: 'Baker' }, { seen: { payee: 'Bakery' } })
  const outbox = filled(first, second)
  outbox.rebase(first, { revision: 9, payee: 'Bakery' })
  assert.equal(second.baseRevision, 9)
})

test('after an answer with other content the next edit keeps its revision, so that the server finds the conflict', () => {
  const first = entry('update', { note: 'mine' }, { sent: true })
  const second = entry('update', { payee: 'Baker' }, { seen: { payee: 'Bakery' } })
  const outbox = filled(first, second)
  outbox.rebase(first, { revision: 9, payee: 'Changed by another' })
  assert.equal(second.baseRevision, 5)
})

test('edits of a row that only this device had go on from the revision of its create', () => {
  const create = entry('create', { payee: 'Shop' }, { sent: true })
  const update = entry('update', { payee: 'Bakery' }, { baseRevision: null, seen: { payee: 'Shop' } })
  const outbox = filled(create, update)
  outbox.rebase(create, { revision: 3, payee: 'Shop' })
  assert.equal(update.baseRevision, 3)
})

test('what was sent is never rebased, since its body belongs to its key', () => {
  const first = entry('update', { payee: 'Bakery' }, { sent: true })
  const sent = entry('update', { payee: 'Baker' }, { seen: { payee: 'Bakery' }, sent: true })
  const outbox = new Outbox([first, sent])
  outbox.rebase(first, { revision: 9, payee: 'Bakery' })
  assert.equal(sent.baseRevision, 5)
})

test('an edit that names a row made after its own is sent after that row', () => {
  const outbox = filled(entry('create', { payee: 'Shop' }), entry('create', {}, { kind: 'categories', id: 'food' }))
  outbox.add(entry('update', { categoryId: 'food' }, { baseRevision: null }))
  assert.deepEqual(actions(outbox), ['create a', 'create food', 'update a'])
  outbox.add(entry('update', { note: 'bread' }, { baseRevision: null }))
  assert.deepEqual(actions(outbox), ['create a', 'create food', 'update a'])
  assert.deepEqual(outbox.entries[2]!.body, { categoryId: 'food', note: 'bread' })
})

test('removing a row that a waiting write names leaves it to the server to refuse', () => {
  const outbox = filled(entry('create', {}, { kind: 'categories', id: 'food' }), entry('create', { categoryId: 'food' }))
  outbox.add(entry('delete', {}, { kind: 'categories', id: 'food' }))
  assert.deepEqual(actions(outbox), ['create food', 'create a', 'delete food'])
})
