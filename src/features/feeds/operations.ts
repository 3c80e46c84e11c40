// Feeds: per account a credential with which a bank's connector pushes transactions that it signed.
import { randomBytes } from 'node:crypto'
import { z } from 'zod'
import { limits } from '../../values/limits.ts'
import { createRow, finite, idListQuery, listRows, patchRow, readRow, removeRow, whyNot } from '../../http/collection.ts'
import { entityTag, namesTag, variantOf } from '../../http/conditional.ts'
import { operation, type Context, type Operation } from '../../http/operation.ts'
import { id, idParams, listOf } from '../../http/parameters.ts'
import { isId } from '../../values/id.ts'
import type { Database } from '../../resources/database.ts'
import type { Vault } from '../../resources/vault.ts'
import { takePush, type IntakeNeeds } from './intake.ts'
import { credentialShape, feedChanges, feedDraft, feedShape, pushAnswer, pushBody, rotation } from './shapes.ts'
import { endKeys, endKeysLater, feedRows, insertKey, listFeeds, nameKey, sealedSecret } from './store.ts'

export type FeedNeeds = IntakeNeeds & { database: Database; vault: Vault }

export function feedOperations(needs: FeedNeeds): Operation[] {
  const shared = { tag: 'Feeds' } as const
  const { vault } = needs
  return [
    operation({
      ...shared,
      name: 'feeds.list',
      summary: 'All feeds of the household',
      description: 'Ordered by id. When they were last pushed to is told of now, whatever the household’s revision.',
      method: 'GET',
      path: '/api/feeds',
      access: 'viewer',
      criticality: 'list',
      effect: 'read',
      query: z.strictObject(idListQuery),
      answer: listOf(feedShape),
      row: feedShape,
      run: async (context, { query }) => ({ body: await listRows(context, 'feeds', listFeeds, query) }),
    }),
    operation({
      ...shared,
      name: 'feeds.create',
      feature: 'feeds',
      summary: 'Make a feed into an account',
      description: `The answer carries the secret, which is never shown again: a repeat with the same Idempotency-Key answers the same, a repeat with the same id only does not have it. Rotate the feed when it got lost.`,
      method: 'POST',
      path: '/api/feeds',
      access: 'editor',
      criticality: 'write',
      effect: 'write',
      noStore: true,
      body: feedDraft,
      answer: credentialShape,
      row: credentialShape,
      status: 201,
      refusals: ['already-exists', 'limit-reached', 'account-not-found', 'account-closed'],
      run: async (context, { body }) => {
        const credential = newCredential()
        const answer = await createRow(context, feedRows, '/api/feeds', body, {}, (draft) =>
          context.db.run(feedRows.insert!, { draft: { ...draft, key_id: credential.keyId } }),
        )
        if (answer.status !== 201) return answer
        const feed = answer.body as { id: string }
        await keepSecret(context, vault, feed.id, credential)
        return { ...answer, body: { ...feed, secret: credential.secret } }
      },
    }),
    operation({
      ...shared,
      name: 'feeds.read',
      summary: 'One feed, without its secret',
      method: 'GET',
      path: '/api/feeds/{id}',
      access: 'viewer',
      criticality: 'list',
      effect: 'read',
      params: idParams,
      answer: feedShape,
      row: feedShape,
      alsoStatuses: { 304: 'Nothing changed since If-None-Match' },
      run: async (context, { params }) => {
        const body = await readRow(context, feedRows, params.id)
        // A push with nothing new moves what is answered and not the revision.
        const etag = entityTag(body.revision, variantOf(context.call.url, JSON.stringify(body)))
        return namesTag(context.ifNoneMatch, etag) ? { status: 304, headers: { etag } } : { body, headers: { etag } }
      },
    }),
    operation({
      ...shared,
      name: 'feeds.patch',
      summary: 'Rename a feed, pause it or let it go on',
      method: 'PATCH',
      path: '/api/feeds/{id}',
      access: 'editor',
      criticality: 'write',
      effect: 'write',
      params: idParams,
      body: feedChanges,
      answer: feedShape,
      row: feedShape,
      refusals: ['conflict', 'deleted', 'precondition-failed'],
      run: (context, { params, body }) => patchRow(context, feedRows, params.id, body),
    }),
    operation({
      ...shared,
      name: 'feeds.delete',
      summary: 'End a feed at once',
      description: 'Its secrets are gone; what it brought stays. Another feed into the account goes on where it ended.',
      method: 'DELETE',
      path: '/api/feeds/{id}',
      access: 'editor',
      criticality: 'write',
      effect: 'write',
      params: idParams,
      status: 204,
      refusals: ['precondition-failed'],
      run: async (context, { params }) => {
        const answer = await removeRow(context, feedRows, params.id)
        await context.db.run(endKeys, { household: context.household!.id, id: params.id })
        return answer
      },
    }),
    operation({
      ...shared,
      name: 'feeds.rotate',
      feature: 'feeds',
      summary: 'Give a feed a new secret',
      description: `The one before works for ${limits.feedOverlapHours} more hours, so that the connector can be switched over without a gap; with \`immediately\`, nothing but the new one works from now on.`,
      method: 'POST',
      path: '/api/feeds/{id}/rotate',
      access: 'editor',
      criticality: 'write',
      effect: 'write',
      noStore: true,
      params: idParams,
      body: rotation,
      answer: credentialShape,
      row: credentialShape,
      refusals: ['deleted', 'precondition-failed'],
      run: async (context, { params, body }) => {
        const key = { household: context.household!.id, id: params.id }
        const credential = newCredential()
        const [named] = await context.db.run(nameKey, { ...key, keyId: credential.keyId, ifRevision: finite(context.ifMatchRevision) })
        if (!named) throw await whyNot(context, feedRows, params.id)
        await (body.immediately ? context.db.run(endKeys, key) : context.db.run(endKeysLater, { ...key, hours: limits.feedOverlapHours }))
        await keepSecret(context, vault, params.id, credential)
        const feed = await readRow(context, feedRows, params.id)
        return { body: { ...feed, secret: credential.secret } }
      },
    }),
    operation({
      ...shared,
      name: 'feeds.push',
      feature: 'feeds',
      summary: "Push a bank's transactions, signed",
      description: `Signed with the feed's secret instead of a session: HMAC-SHA256 over \`<Djinn-Timestamp>.<body>\`. The same signature goes through once; whoever lost an answer signs anew, and the rows that are there add nothing. All rows are taken or none. The limit is the feed's own; wrong signatures are charged to the address. No Idempotency-Key, and no step of a batch.`,
      method: 'POST',
      path: '/api/feeds/{id}/transactions',
      access: 'signed',
      signed: {
        refusal: 'feed-refused',
        credentialOf: async ({ id: feed = '' }, keyId) => await findCredential(needs, feed, keyId),
      },
      criticality: 'write',
      effect: 'own',
      params: z.strictObject({ id }),
      body: pushBody,
      answer: pushAnswer,
      refusals: ['feed-replayed', 'feed-paused', 'account-not-found', 'account-closed', 'currency-mismatch', 'amount-out-of-range'],
      run: async (context, { body }) => ({ body: await takePush(context, body, needs) }),
    }),
  ]
}

type NewCredential = { keyId: string; secret: string }

function newCredential(): NewCredential {
  return { keyId: randomBytes(12).toString('base64url'), secret: randomBytes(limits.feedKeyBytes).toString('base64url') }
}

function purposeOf(keyId: string): string {
  return `feed ${keyId}`
}

async function keepSecret(context: Context, vault: Vault, feed: string, { keyId, secret }: NewCredential) {
  await context.db.run(insertKey, {
    household: context.household!.id,
    id: feed,
    keyId,
    secret: vault.seal(secret, purposeOf(keyId)),
  })
}

async function findCredential({ database, vault }: FeedNeeds, feed: string, keyId: string) {
  if (!isId(feed)) return null
  const [found] = await database.reader({}).run(sealedSecret, { feed, keyId })
  // What is not there takes as long as what is.
  const purpose = purposeOf(found ? keyId : 'none')
  const sealed = found?.secret ?? vault.seal('none', purpose)
  try {
    const secret = vault.open(sealed, purpose)
    return found ? { household: found.household, id: feed, secret } : null
  } catch {
    // Sealed under a SECRETS_KEY that is no more: it takes a rotation.
    return null
  }
}
