// Mailed invitations: sent once what made them is committed, with a token of their own, tried again, and bounded.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { makeTasks } from '../../src/app/tasks.ts'
import { assertRefused, makePerson, open, type Person } from '../harness.ts'
import { openMailbox } from './mailbox.ts'
import { accept, invite } from './members.ts'

const mailbox = await openMailbox()
const djinn = await open({ SMTP_URL: mailbox.url, MAIL_FROM: 'djinn@example.org', APP_URL: 'https://app.example.org' })
after(async () => {
  await djinn.close()
  await mailbox.close()
})

const work = () => djinn.resources.queue.runOnce(makeTasks(djinn.resources))
const queued = async () =>
  (
    await djinn.sql<{ count: number }>(`select count(*)::int as count from graphile_worker.jobs where task_identifier = 'mailInvitation'`)
  )[0]!.count

/** Signs somebody up by the mailed link. */
async function newcomer(email: string, displayName = ''): Promise<Person> {
  const password = 'walnut ferry 3958 amber socket'
  assert.equal((await djinn.call('POST', '/api/auth/register', { body: { email, password, displayName } })).status, 202)
  const { token } = await mailbox.letter(email)
  const { status, body, text } = await djinn.call('POST', '/api/auth/register/confirm', { body: { token, password } })
  assert.equal(status, 201, text)
  const { accessToken, refreshToken } = body
  return makePerson(djinn.call, { email, password, userId: body.user.id, householdId: body.household.id, accessToken, refreshToken })
}

const ana = await newcomer('ana@example.org', 'Ana\n\nMaria')
const path = `/api/households/${ana.householdId}/invitations`

test('the mail has a link of its own by which its reader joins; the token that the owner was told is then used up too', async () => {
  const ben = await newcomer('ben@example.org')
  const invitation = await invite(ana, { role: 'editor', email: 'Ben@example.org' })
  assert.equal(invitation.mailed, true)
  assert.equal(await queued(), 1)
  const [job] = await djinn.sql<{ payload: object }>(`select payload from graphile_worker._private_jobs`)
  assert.deepEqual(job!.payload, { household: ana.householdId, invitation: invitation.id }, 'no token waits in the queue')
  await work()
  assert.equal(await queued(), 0)
  const letter = await mailbox.letter('Ben@example.org')
  assert.equal(letter.subject, 'Ana Maria shares a household with you')
  assert.ok(letter.text.includes('https://app.example.org/join#token='), letter.text)
  assert.notEqual(letter.token, invitation.token)
  assert.equal((await accept(ben, letter.token!)).status, 200)
  const cleo = await newcomer('cleo@example.org')
  for (const token of [letter.token!, invitation.token]) assertRefused(await accept(cleo, token), 422, 'link-expired')
  assert.equal((await accept(ben, invitation.token)).status, 200, 'it is the same invitation')
})

test('nothing is mailed without an address, for what was refused, undone or revoked', async () => {
  const letters = mailbox.letters.length
  assert.equal((await invite(ana, { role: 'viewer' })).mailed, false)
  assertRefused(await ana.post(path, { role: 'admin', email: 'x@example.org' }), 400, 'invalid-request')
  const operations = [
    { id: 'invite', method: 'POST', path, body: { role: 'viewer', email: 'undone@example.org' } },
    { id: 'fail', method: 'PATCH', path: `/api/households/${ana.householdId}`, body: { name: '' } },
  ]
  const batch = await ana.post('/api/batch', { atomic: true, operations })
  assert.deepEqual(
    batch.body.results.map((result: { status: number }) => result.status),
    [424, 400],
    batch.text,
  )
  assert.equal(await queued(), 0)
  const revoked = await invite(ana, { role: 'viewer', email: 'revoked@example.org' })
  assert.equal((await ana.delete(`${path}/${revoked.id}`)).status, 204)
  await work()
  assert.equal(await queued(), 0)
  assert.equal(mailbox.letters.length, letters)
})

test('a mail server that puts us off gets it later; the address that it refuses is let be', async () => {
  await invite(ana, { role: 'viewer', email: 'later@example.org' })
  mailbox.busy = true
  await work()
  assert.equal(await queued(), 1, 'it waits')
  mailbox.busy = false
  await djinn.sql('update graphile_worker._private_jobs set run_at = now()')
  await work()
  assert.equal((await mailbox.letter('later@example.org')).subject, 'Ana Maria shares a household with you')
  mailbox.refused.add('gone@example.org')
  await invite(ana, { role: 'viewer', email: 'gone@example.org' })
  await work()
  assert.equal(await queued(), 0)
})

test('a job that runs twice sends two links, and both work until one is used', async () => {
  const dora = await newcomer('dora@example.org')
  const { id } = await invite(ana, { role: 'viewer', email: 'dora@example.org' })
  const letters = () => mailbox.letters.filter((letter) => letter.to === 'dora@example.org')
  const before = letters().length
  await work()
  await djinn.sql(`select enqueue('mailInvitation', jsonb_build_object('household', $1::text, 'invitation', $2::text), 'again')`, [
    ana.householdId,
    id,
  ])
  await work()
  const [first, second] = letters().slice(before)
  assert.equal((await accept(dora, first!.token!)).status, 200)
  assert.equal((await accept(dora, second!.token!)).status, 200)
})

test('a user has at most 50 invitations a day mailed, whatever is revoked in between', async () => {
  const eva = await newcomer('eva@example.org')
  const own = `/api/households/${eva.householdId}/invitations`
  for (let nth = 1; nth <= 50; nth++) {
    const { id } = await invite(eva, { role: 'viewer', email: `guest${nth}@example.org` })
    await eva.delete(`${own}/${id}`)
  }
  assertRefused(await eva.post(own, { role: 'viewer', email: 'one-more@example.org' }), 409, 'limit-reached', '/email')
  assert.equal((await eva.post(own, { role: 'viewer' })).status, 201)
})

test('invitations that ended a month ago are swept out with their tokens; the trail keeps that they were', async () => {
  const count = async (table: string) =>
    (await djinn.sql<{ count: number }>(`select count(*)::int as count from ${table} where household_id = $1`, [ana.householdId]))[0]!.count
  const [invitations, journal] = [await count('invitations'), await count('journal')]
  assert.ok(invitations > 3)
  const { sweepInvitations } = makeTasks(djinn.resources)
  await sweepInvitations!({})
  assert.equal(await count('invitations'), invitations, 'none is that old')
  await djinn.sql(`alter table invitations disable trigger a_stamp`)
  await djinn.sql(`alter table invitations disable trigger journal_update`)
  await djinn.sql(
    `update invitations set created_at = created_at - interval '40 days', expires_at = expires_at - interval '40 days',
      accepted_at = accepted_at - interval '40 days', deleted_at = deleted_at - interval '40 days' where household_id = $1`,
    [ana.householdId],
  )
  await djinn.sql(`alter table invitations enable trigger a_stamp`)
  await djinn.sql(`alter table invitations enable trigger journal_update`)
  await sweepInvitations!({})
  assert.deepEqual([await count('invitations'), await count('invitation_tokens'), await count('journal')], [0, 0, journal])
  await djinn.verify()
})
