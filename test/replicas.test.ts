// Reads on a real streaming replica: which server answers, and that nobody reads less than they were told of.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { open, type Djinn, type Person } from './harness.ts'
import { caughtUp, openPair, type Pair } from './replica-server.ts'

let pair: Pair
let djinn: Djinn
let person: Person
let account: string
let database: string

before(async () => {
  pair = await openPair()
  djinn = await open({}, undefined, pair)
  database = new URL(djinn.adminUrl).pathname.slice(1)
  person = await djinn.person()
  account = await person.account()
})
after(async () => {
  await djinn?.close()
  await pair?.close()
})

test('it starts', async () => {
  await caughtUp(pair)
  await djinn.resources.replicas!.look()
  console.log(djinn.resources.replicas!.standing)
  const list = await person.get('/api/accounts')
  assert.equal(list.body.data.length, 1)
  console.log((await djinn.resources.metrics.text()).split('\n').filter((l) => /replica|household_reads/.test(l)))
  console.log(await pair.replica.sql(database, 'select query, calls from watching.pg_stat_statements'))
})
