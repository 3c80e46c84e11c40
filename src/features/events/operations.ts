// Live events: a stream that pokes with each new revision, so that an open app need not ask.
import { z } from 'zod'
import { operation, type Operation } from '../../http/operation.ts'
import { limits } from '../../values/limits.ts'
import type { EventHub } from './hub.ts'

export function eventOperations(hub: EventHub): Operation[] {
  return [
    operation({
      name: 'events',
      feature: 'liveEvents',
      summary: 'A stream of new revisions (server-sent events)',
      description:
        `\`revision\` ({householdId, revision}): sync now. \`lost\` ({householdId}): you are no longer a member. \`end\` ({reason}): signedOut, replaced (at most ${limits.eventStreamsPerUserMax} streams a user, the oldest ends), off (the operator switched live events off) or restart. ` +
        `A comment every ${limits.eventBeatMs / 1000} s keeps the connection open. Send Last-Event-ID when you come back: you are poked at once for what you missed.`,
      tag: 'Sync',
      method: 'GET',
      path: '/api/events',
      access: 'user',
      criticality: 'sync',
      effect: 'stream',
      query: z.strictObject({}),
      answerType: 'text/event-stream',
      run: (context) =>
        Promise.resolve({
          stream: (sink) => hub.add(context.principal!.userId, context.principal!.sessionId, sink, context.call.headers.lastEventId),
        }),
    }),
  ]
}
