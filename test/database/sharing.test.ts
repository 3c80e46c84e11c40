// What PostgreSQL itself holds of sharing, whatever code runs: an owner in each household, members only by those who may, single use.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import fc from 'fast-check'
import pg from 'pg'
import { newId } from '../../src/values/id.ts'
import { hashInvitationToken, newInvitationToken, readInvitationToken } from '../../src/features/households/invitation-token.ts'
import { withClient } from '../cluster.ts'
import { open, type Person } from '../harness.ts'
import { asRole, refusalOf, type AppScope, type Run } from './app-role.ts'

const djinn = await open()
after(() => djinn.close())

const rolesOf = async (id: string) =>
  (await djinn.sql<{ role: string }>('select role from memberships where household_id = $1 order by role', [id])).map((row) => row.role)

/** A household with members of these roles beside its founder. */
async function household(...roles: string[]): Promise<{ owner: Person; people: Person[] }> {
  const owner = await djinn.person()
  const people: Person[] = []
  for (const role of roles) {
    const person = await djinn.person()
    people.push(person)
    await asRole(djinn, { household: owner.householdId, user: owner.userId }, (run) =>
      run('insert into memberships (household_id, user_id, role) values ($1, $2, $3)', [owner.householdId, person.userId, role]),
    )
  }
  return { owner, people }
}

async function assertRefused(constraint: string, scope: AppScope, work: (run: Run) => Promise<unknown>) {
  const state = () => djinn.sql('select head, entries, revision from revisions where household_id = $1', [scope.household])
  const was = await state()
  const refusal = await refusalOf(asRole(djinn, scope, work))
  assert.deepEqual([refusal?.code, refusal?.constraint], ['23514', constraint], refusal?.message ?? 'done')
  assert.deepEqual(await state(), was, 'nothing is written')
}

async function assertDenied(scope: AppScope, text: string, values: unknown[] = []) {
  const refusal = await refusalOf(asRole(djinn, scope, (run) => run(text, values)))
  assert.equal(refusal?.code, '42501', `${text}: ${refusal?.message ?? 'done'}`)
}

test('raw SQL leaves no household in use without an owner', async () => {
  const { owner, people } = await household('editor')
  const scope = { household: owner.householdId, user: owner.userId }
  for (const text of [
    `update memberships set role = 'editor' where role = 'owner'`,
    `update memberships set role = 'viewer'`,
    `delete from memberships where role = 'owner'`,
    'delete from memberships',
  ]) {
    await assertRefused('household_has_owner', { household: owner.householdId }, (run) => run(text))
    await assertRefused('household_has_owner', scope, (run) =>
      run(`${text} ${text.includes('where') ? 'and' : 'where'} user_id = current_actor()`),
    )
  }
  assert.deepEqual(await rolesOf(owner.householdId), ['editor', 'owner'])
  const founding = newId()
  await assertRefused('household_has_owner', { household: founding, user: owner.userId }, (run) =>
    run(`insert into households (household_id, name, base_currency, time_zone) values ($1, 'Nobody', 'EUR', 'UTC')`, [founding]),
  )
  // Handing over takes no order within a transaction.
  await asRole(djinn, scope, async (run) => {
    await run(`update memberships set role = 'owner' where user_id = $1`, [people[0]!.userId])
    await run(`update memberships set role = 'viewer' where user_id = $1`, [owner.userId])
  })
  assert.deepEqual(await rolesOf(owner.householdId), ['owner', 'viewer'])
})

test('a household that is deleted may lose its owners, and comes back only with one', async () => {
  const { owner } = await household()
  const scope = { household: owner.householdId, user: owner.userId }
  await asRole(djinn, scope, async (run) => {
    await run('delete from memberships')
    await run('update households set deleted_at = now()')
  })
  await assertRefused('household_has_owner', scope, (run) => run('update households set deleted_at = null'))
  assert.deepEqual(await djinn.broken(), [])
})

test('transactions that each take an owner away, all open at once, leave one: whatever they do and in whichever order they end', async () => {
  const steps = fc.array(fc.constantFrom('delete from memberships', `update memberships set role = 'editor'`), {
    minLength: 2,
    maxLength: 4,
  })
  await fc.assert(
    fc.asyncProperty(steps, fc.constantFrom('read committed', 'repeatable read', 'serializable'), async (texts, isolation) => {
      const { owner, people } = await household(...texts.slice(1).map(() => 'owner'))
      const owners = [owner, ...people]
      const outcomes = await Promise.all(
        texts.map((text, index) =>
          withClient(djinn.resources.config.databaseUrl!, async (client) => {
            await client.query(`begin isolation level ${isolation}`)
            await client.query(
              `select set_config('djinn.household', $1, true), set_config('djinn.user', $2, true), set_config('role', 'djinn_app', true)`,
              [owner.householdId, owners[index]!.userId],
            )
            const outcome = await refusalOf(
              client.query(`${text} where user_id = $1`, [owners[index]!.userId]).then(() => client.query('commit')),
            )
            return outcome?.constraint ?? outcome?.code ?? 'done'
          }),
        ),
      )
      assert.ok((await rolesOf(owner.householdId)).includes('owner'), outcomes.join())
      for (const outcome of outcomes) assert.ok(['done', 'household_has_owner', '40001'].includes(outcome), outcome)
      if (isolation === 'read committed') assert.equal(outcomes.filter((outcome) => outcome !== 'done').length, 1, outcomes.join())
    }),
    { numRuns: 10 },
  )
  assert.deepEqual(await djinn.broken(), [])
})

test('whoever acts as the app makes nobody a member, themself least of all, without being an owner; leaving is everybody’s', async () => {
  const { owner, people } = await household('editor', 'viewer', 'owner')
  const stranger = await djinn.person()
  const [editor, viewer, second] = people as [Person, Person, Person]
  const { householdId } = owner
  const insert = 'insert into memberships (household_id, user_id, role) values ($1, $2, $3)'
  for (const { userId } of [editor, viewer, stranger]) {
    const scope = { household: householdId, user: userId }
    for (const role of ['owner', 'viewer']) await assertDenied(scope, insert, [householdId, stranger.userId, role])
    await assertDenied(scope, `update memberships set role = 'owner' where user_id = $1`, [editor.userId])
    await assertDenied(scope, 'delete from memberships where user_id = $1', [owner.userId])
  }
  // In another household than the transaction's not even an owner.
  await assertDenied({ household: stranger.householdId, user: stranger.userId }, insert, [householdId, stranger.userId, 'owner'])
  await assertDenied({ household: stranger.householdId, user: owner.userId }, insert, [stranger.householdId, owner.userId, 'owner'])
  assert.deepEqual(await rolesOf(householdId), ['editor', 'owner', 'owner', 'viewer'])
  await asRole(djinn, { household: householdId, user: second.userId }, (run) => run(insert, [householdId, stranger.userId, 'editor']))
  for (const { userId } of [stranger, viewer]) {
    await asRole(djinn, { household: householdId, user: userId }, (run) => run('delete from memberships where user_id = $1', [userId]))
  }
  assert.deepEqual(await rolesOf(householdId), ['editor', 'owner', 'owner'])
})

test('a delete of a membership raises the revision and is told in the trail at it', async () => {
  const { owner, people } = await household('viewer')
  const read = async () =>
    (
      await djinn.sql<{ revision: number; told: number }>(
        `select r.revision::int, (select revision::int from journal j where j.household_id = r.household_id order by number desc limit 1) as told
         from revisions r where household_id = $1`,
        [owner.householdId],
      )
    )[0]!
  const was = await read()
  await asRole(djinn, { household: owner.householdId, user: owner.userId }, (run) =>
    run('delete from memberships where user_id = $1', [people[0]!.userId]),
  )
  assert.deepEqual(await read(), { revision: was.revision + 1, told: was.revision + 1 })
})

test('the app writes of an invitation only what is its own to say, and never that it was accepted', async () => {
  const { owner } = await household()
  const scope = { household: owner.householdId, user: owner.userId }
  const [id, hash] = [newId(), hashInvitationToken(newInvitationToken(owner.householdId))]
  const insert = `insert into invitations (household_id, id, role, expires_at) values ($1, $2, 'viewer', now() + interval '1 hour')`
  await asRole(djinn, scope, async (run) => {
    await run(insert, [owner.householdId, id])
    await run('insert into invitation_tokens (household_id, hash, invitation_id) values ($1, $2, $3)', [owner.householdId, hash, id])
  })
  const [made] = await djinn.sql<{ by: string }>('select invited_by as by from invitations where id = $1', [id])
  assert.equal(made!.by, owner.userId, 'who invites is the transaction’s user')
  for (const text of [
    `insert into invitations (household_id, id, role, expires_at, invited_by) values ('${owner.householdId}', '${newId()}', 'viewer', now(), '${newId()}')`,
    `update invitations set role = 'owner'`,
    `update invitations set expires_at = expires_at + interval '1 day'`,
    'update invitations set accepted_by = invited_by, accepted_at = now()',
    'update invitations set email = null',
    'delete from invitations',
    'update invitation_tokens set invitation_id = invitation_id',
    'delete from invitation_tokens',
    `select enqueue('mailInvitation', '{}', 'x')`,
  ]) {
    await assertDenied(scope, text)
  }
  for (const hours of [-1, 31 * 24]) {
    const refusal = await refusalOf(
      asRole(djinn, scope, (run) =>
        run(`insert into invitations (household_id, id, role, expires_at) values ($1, $2, 'viewer', now() + make_interval(hours => $3))`, [
          owner.householdId,
          newId(),
          hours,
        ]),
      ),
    )
    assert.equal(refusal?.code, '23514', 'it lasts up to 30 days')
  }
  const foreign = await djinn.person()
  await assertDenied({ household: foreign.householdId, user: foreign.userId }, insert, [owner.householdId, newId()])
  const crossed = await refusalOf(
    asRole(djinn, { household: foreign.householdId, user: foreign.userId }, (run) =>
      run('insert into invitation_tokens (household_id, hash, invitation_id) values ($1, $2, $3)', [foreign.householdId, hash, id]),
    ),
  )
  assert.equal(crossed?.code, '23503', 'a token is of an invitation of its own household')
})

test('without the token nobody accepts, and the household of the look-up must be the one that the token is of', async () => {
  const { owner } = await household()
  const [stranger, other] = [await djinn.person(), await djinn.person()]
  const token = newInvitationToken(owner.householdId)
  await asRole(djinn, { household: owner.householdId, user: owner.userId }, async (run) => {
    const id = newId()
    await run(`insert into invitations (household_id, id, role, expires_at) values ($1, $2, 'owner', now() + interval '1 hour')`, [
      owner.householdId,
      id,
    ])
    await run('insert into invitation_tokens (household_id, hash, invitation_id) values ($1, $2, $3)', [
      owner.householdId,
      hashInvitationToken(token),
      id,
    ])
  })
  const accept = (user: string | undefined, household_: string, hash: Buffer) =>
    asRole(djinn, user === undefined ? {} : { user }, (run) =>
      run<{ joined: boolean | null }>('select accept_invitation($1, $2) as joined', [household_, hash]),
    )
  const hash = hashInvitationToken(token)
  assert.deepEqual(await accept(stranger.userId, owner.householdId, hashInvitationToken('guess')), [{ joined: null }])
  assert.deepEqual(await accept(stranger.userId, other.householdId, hash), [{ joined: null }])
  assert.deepEqual(await accept(undefined, owner.householdId, hash), [{ joined: null }])
  assert.deepEqual(await accept(stranger.userId, owner.householdId, hash), [{ joined: true }])
  assert.deepEqual(await accept(stranger.userId, owner.householdId, hash), [{ joined: false }])
  assert.deepEqual(await accept(other.userId, owner.householdId, hash), [{ joined: null }])
  assert.deepEqual(await rolesOf(owner.householdId), ['owner', 'owner'])
})

test('a token names its household and nothing else can be read as one', () => {
  fc.assert(
    fc.property(fc.uuid(), (household_) => {
      const token = newInvitationToken(household_)
      assert.match(token, /^[A-Za-z0-9_-]{64}$/)
      assert.deepEqual(readInvitationToken(token), { household: household_, hash: hashInvitationToken(token) })
      assert.notEqual(newInvitationToken(household_), token)
    }),
  )
  fc.assert(
    fc.property(fc.string({ maxLength: 200 }), (text) => {
      const read = readInvitationToken(text)
      assert.equal(read !== null, /^[A-Za-z0-9_-]{64}$/.test(text))
    }),
  )
})

test('the trail of one person, of a time or of a rare kind is read from its index in its order, at a page a time, in 200,000 entries', async () => {
  const { owner, people } = await household('editor')
  const [editor] = people as [Person]
  await withClient(djinn.adminUrl, async (client: pg.Client) => {
    await client.query(
      `insert into journal (household_id, number, revision, kind, entity_id, operation, changes_digest, actor_id, at, previous_hash, hash)
       select $1::uuid, 1000 + n, 1000 + n, 'transaction', gen_random_uuid(), 'create', '', case when n % 50000 = 0 then $3::uuid else $2::uuid end,
         now() - interval '1 year' + n * interval '2 minutes', '', '' from generate_series(1, 200000) n`,
      [owner.householdId, owner.userId, editor.userId],
    )
    await client.query('vacuum analyze journal')
  })
  const { listAudit } = await import('../../src/features/audit/store.ts')
  type Plan = { 'Node Type': string; 'Index Name'?: string; 'Actual Rows': number; 'Actual Loops': number; Plans?: Plan[] }
  const nodes = (plan: Plan): Plan[] => [plan, ...(plan.Plans ?? []).flatMap(nodes)]
  const at = (months: number) => new Date(Date.now() - months * 30 * 86_400_000).toISOString()
  const given: Record<string, unknown> = {
    household: owner.householdId,
    rows: 21,
    actor: editor.userId,
    from: at(11),
    to: at(4),
    after: 150_000,
    rareKind: 'member',
    afterAt: at(5),
  }
  const index = { kind: 'journal_by_rare_kind', actor: 'journal_by_actor', from: 'journal_by_time', to: 'journal_by_time' }
  for (const [filters, behind, wanted] of [
    [['rareKind'], false, index.kind],
    [['rareKind'], true, index.kind],
    [['actor'], false, index.actor],
    [['actor'], true, index.actor],
    [['from'], false, index.from],
    [['to'], true, index.to],
    [['from', 'to'], false, index.from],
    [['from', 'to'], true, index.from],
    [['actor', 'from', 'to'], false, index.actor],
  ] as const) {
    const statement = listAudit(filters, behind)
    const rows = await asRole(djinn, { household: owner.householdId, user: owner.userId }, async (run) => {
      // As the service has it after a while: one plan for all values.
      await run('set local plan_cache_mode = force_generic_plan')
      await run(`prepare asked as ${statement.text}`)
      const values = statement.order.map((name) =>
        typeof given[name] === 'number' ? String(given[name]) : pg.escapeLiteral(String(given[name])),
      )
      return await run<{ 'QUERY PLAN': [{ Plan: Plan }] }>(`explain (analyze, format json) execute asked(${values.join(', ')})`)
    })
    const plan = nodes(rows[0]!['QUERY PLAN'][0].Plan)
    const onJournal = plan.filter((node) => node['Index Name']?.startsWith('journal'))
    assert.deepEqual(
      onJournal.map((node) => node['Index Name']),
      [wanted],
      `${filters.join()}: ${JSON.stringify(plan.map((node) => [node['Node Type'], node['Index Name']]))}`,
    )
    assert.ok(onJournal[0]!['Actual Rows'] <= 21, 'a page is all that is read')
    assert.ok(!plan.some((node) => node['Node Type'].includes('Sort')), 'in the order of the index')
  }
})
