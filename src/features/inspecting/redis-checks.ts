// The first look at Redis, where there is one. Pure.
import type { RedisLook } from '../../resources/redis-look.ts'
import { judged, share, thresholds, type Check } from './check.ts'

const mb = (bytes: number) => `${Math.round(bytes / 1024 / 1024)} MB`

/** Without Redis limits hold by process: it is red, and still no outage. */
export function redisChecks(look: RedisLook): Check[] {
  if ('trouble' in look) {
    const details = [look.trouble, 'each process keeps limits in its own memory meanwhile']
    return [judged({ section: 'redis', check: 'answers', value: 0, unit: 'of 1', threshold: 1, over: 'below', details })]
  }
  const { answerMs, version, usedBytes, maxBytes, policy, clients } = look
  const evicts = policy !== null && policy !== 'noeviction'
  return [
    judged({
      section: 'redis',
      check: 'time of an answer',
      value: answerMs,
      unit: 'ms',
      threshold: thresholds.redisAnswerMs,
      details: [`Redis ${version}, ${clients} connections`],
    }),
    judged({
      section: 'redis',
      check: 'memory',
      value: maxBytes === 0 ? null : share(usedBytes, maxBytes),
      unit: '%',
      threshold: thresholds.redisMemoryPercent,
      details: [
        maxBytes === 0 ? `${mb(usedBytes)} in use, without a maxmemory` : `${mb(usedBytes)} of ${mb(maxBytes)} in use`,
        ...(evicts ? [`maxmemory-policy is ${policy}: a window that is evicted is a limit that opened; noeviction`] : []),
      ],
    }),
  ]
}
