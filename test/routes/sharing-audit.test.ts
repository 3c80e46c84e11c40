// Who did what to whom: the audit trail of a shared household, by person and by time.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { newId } from '../../src/values/id.ts'
import { assertRefused, open, type Person, type Reply } from '../harness.ts'
import { accept, inside, invite, member, memberPath } from './members.ts'

const djinn = await open()
after(() => djinn.close())

type Entry = {
  number: number
  kind: string
  operation: string
  entityId: string
  entityName: string | null
  changes: Record<string, unknown>
  actorId: string
  actorName: string | null
  at: string
}

let ana: Person
let ben: Person
before(async () => {
  ana = await djinn.person({ displayName: 'Ana' })
  ben = await member(djinn, ana, 'editor', { displayName: 'Ben' })
})

async function trail(query: string, person = ana): Promise<Entry[]> {
  const { status, body, text } = await person.get(`/api/audit?${query}`, inside(ana))
  assert.equal(status, 200, text)
  return body.data
}

/** The entries that the work leaves, oldest first. */
async function left(work: () => Promise<unknown>): Promise<Entry[]> {
  const [last] = await trail('limit=1')
  await work()
  return (await trail('limit=100')).filter((entry) => entry.number > last!.number).toReversed()
}

const brief = (entries: Entry[]) => entries.map((entry) => [entry.actorName, entry.operation, entry.kind, entry.entityName, entry.changes])

test('an invitation, its acceptance, a change of role and a removal are told with who did it to whom', async () => {
  const cleo = await djinn.person({ displayName: 'Cleo' })
  let invitation: Reply['body']
  const told = await left(async () => {
    invitation = await invite(ana, { role: 'viewer', email: cleo.email })
    await accept(cleo, invitation.token)
    await ana.patch(memberPath(ana, cleo), { role: 'editor' })
    await ana.delete(memberPath(ana, cleo))
  })
  const expires = told[0]!.changes['expires_at']
  assert.deepEqual(brief(told), [
    ['Ana', 'create', 'invitation', cleo.email, { role: 'viewer', expires_at: expires }],
    ['Cleo', 'create', 'member', 'Cleo', { user_id: cleo.userId, role: 'viewer' }],
    ['Cleo', 'update', 'invitation', cleo.email, { accepted_by: [null, cleo.userId] }],
    ['Ana', 'update', 'member', 'Cleo', { role: ['viewer', 'editor'] }],
    ['Ana', 'delete', 'member', 'Cleo', { user_id: cleo.userId, role: 'editor' }],
  ])
  assert.deepEqual(
    told.map((entry) => [entry.entityId, entry.actorId]),
    [
      [invitation.id, ana.userId],
      [cleo.userId, cleo.userId],
      [invitation.id, cleo.userId],
      [cleo.userId, ana.userId],
      [cleo.userId, ana.userId],
    ],
  )
  assert.deepEqual(
    (await trail(`kind=member&entity=${cleo.userId}`)).map((entry) => entry.operation),
    ['delete', 'update', 'create'],
  )
})

test('who leaves, and who revokes, is told as well; without a name an address stands for it', async () => {
  const dora = await member(djinn, ana, 'owner')
  const told = await left(async () => {
    const { id } = await invite(ana, { role: 'viewer' })
    await dora.delete(`/api/households/${ana.householdId}/invitations/${id}`)
    await dora.delete(memberPath(ana, dora))
  })
  assert.deepEqual(
    told.map((entry) => [entry.actorName, entry.operation, entry.kind, entry.entityName]),
    [
      ['Ana', 'create', 'invitation', null],
      [dora.email, 'delete', 'invitation', null],
      [dora.email, 'delete', 'member', dora.email],
    ],
  )
})

test('a user who is erased has no name any more, and their entries stay', async () => {
  const eva = await member(djinn, ana, 'editor', { displayName: 'Eva' })
  await eva.post('/api/accounts', { name: 'Jar', kind: 'cash', currency: 'EUR' }, inside(ana))
  await eva.delete(memberPath(ana, eva))
  assert.equal((await eva.delete(`/api/households/${eva.householdId}`)).status, 204)
  await djinn.sql(
    `with scope as (select set_config('djinn.household', $1::text, true))
     delete from memberships m using scope where m.household_id = $1::uuid`,
    [eva.householdId],
  )
  await djinn.sql('delete from users where id = $1', [eva.userId])
  const entries = await trail(`actor=${eva.userId}`)
  assert.deepEqual(
    entries.map((entry) => [entry.actorId, entry.actorName, entry.kind]),
    [
      [eva.userId, null, 'member'],
      [eva.userId, null, 'account'],
      [eva.userId, null, 'invitation'],
      [eva.userId, null, 'member'],
    ],
  )
  for (const entry of entries.filter((each) => each.kind === 'member')) assert.equal(entry.entityName, null)
})

test('the trail of one member is that member’s, walked to its end in any page size', async () => {
  const made: string[] = []
  for (let nth = 0; nth < 7; nth++) {
    const { body } = await (nth % 2 === 0 ? ben : ana).post(
      '/api/accounts',
      { name: `No. ${nth}`, kind: 'cash', currency: 'EUR' },
      inside(ana),
    )
    if (nth % 2 === 0) made.unshift(body.id)
  }
  for (const limit of [1, 2, 100]) {
    const met: Entry[] = []
    let cursor = ''
    do {
      const { body } = await ana.get(`/api/audit?actor=${ben.userId}&kind=account&limit=${limit}${cursor}`)
      met.push(...body.data)
      cursor = body.nextCursor === null ? '' : `&cursor=${body.nextCursor}`
    } while (cursor !== '')
    assert.deepEqual(
      met.map((entry) => [entry.entityId, entry.actorName]),
      made.map((id) => [id, 'Ben']),
    )
  }
  assert.deepEqual(await trail(`actor=${newId()}`), [])
})

test('from is included, to is not, and together they cut the trail without a gap', async () => {
  const all = (await trail('limit=100')).toReversed()
  const middle = all[Math.floor(all.length / 2)]!
  const at = encodeURIComponent(middle.at)
  const [since, before_] = [await trail(`from=${at}&limit=100`), await trail(`to=${at}&limit=100`)]
  assert.ok(since.some((entry) => entry.number === middle.number))
  assert.deepEqual(new Set([...since, ...before_].map((entry) => entry.number)), new Set(all.map((entry) => entry.number)))
  assert.equal(since.length + before_.length, all.length)
  for (const entry of before_) assert.ok(entry.at < middle.at)
  const inOrder = (entries: Entry[]) => entries.toSorted((a, b) => (a.at === b.at ? b.number - a.number : a.at < b.at ? 1 : -1))
  assert.deepEqual(since, inOrder(since))
  const window = await trail(`from=${encodeURIComponent(all[2]!.at)}&to=${at}&actor=${ana.userId}&limit=100`)
  assert.deepEqual(
    new Set(window.map((entry) => entry.number)),
    new Set(
      all.filter((entry) => entry.at >= all[2]!.at && entry.at < middle.at && entry.actorId === ana.userId).map((entry) => entry.number),
    ),
  )
  assert.deepEqual(await trail(`from=${at}&to=${at}`), [])
  // An instant may be said in any zone.
  const shifted = new Date(Date.parse(middle.at) + 2 * 3_600_000).toISOString().replace('Z', '+02:00')
  assert.ok((await trail(`from=${encodeURIComponent(shifted)}&limit=100`)).length >= since.length)
})

test('the founding, many entries of one instant, is paged in the order of numbers', async () => {
  const founded = (await djinn.sql<{ at: Date }>('select at from journal where household_id = $1 and number = 1', [ben.householdId]))[0]!.at
  const numbers: number[] = []
  let cursor = ''
  do {
    const from = encodeURIComponent(new Date(founded.getTime() - 1_000).toISOString())
    const { body } = await ben.get(`/api/audit?from=${from}&limit=7${cursor}`)
    numbers.push(...body.data.map((entry: Entry) => entry.number))
    cursor = body.nextCursor === null ? '' : `&cursor=${body.nextCursor}`
  } while (cursor !== '')
  assert.ok(numbers.length > 20)
  assert.deepEqual(
    numbers,
    numbers.map((_, index) => numbers.length - index),
  )
})

test('the trail is the owners’, its filters are checked, and a cursor is of its filters', async () => {
  assertRefused(await ben.get(`/api/audit?actor=${ben.userId}`, inside(ana)), 403, 'forbidden')
  for (const [query, pointer] of [
    ['actor=x', '?actor'],
    ['from=yesterday', '?from'],
    ['to=2026-01-31', '?to'],
    ['since=2026-01-31T00:00:00Z', '?since'],
  ] as const) {
    assertRefused(await ana.get(`/api/audit?${query}`), 400, 'invalid-request', pointer)
  }
  const { nextCursor } = (await ana.get(`/api/audit?actor=${ana.userId}&limit=2`)).body
  for (const query of [`limit=2`, `actor=${ben.userId}&limit=2`, `actor=${ana.userId}&from=2020-01-01T00:00:00Z&limit=2`]) {
    assertRefused(await ana.get(`/api/audit?${query}&cursor=${nextCursor}`), 400, 'invalid-cursor', '?cursor')
  }
})

test('the books hold after all of this, the chain of the trail included', () => djinn.verify())
