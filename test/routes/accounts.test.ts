// Accounts over HTTP.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { open } from '../harness.ts'

test('a list of accounts takes one round trip to the database', async () => {
  await using djinn = await open()
  const ana = await djinn.person()
  await ana.account()
  await ana.get('/api/accounts')
  const { statements, roundTrips } = await djinn.count(() => ana.get('/api/accounts'))
  assert.deepEqual(statements, ['revisions.read', 'accounts.list'])
  assert.equal(roundTrips, 1)
})
