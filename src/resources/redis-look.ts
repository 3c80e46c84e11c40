// One look at a Redis, for whoever asks how it is: on a connection of its own.
import { connectRedis } from './redis.ts'

export type RedisLook =
  | { trouble: string }
  | { answerMs: number; version: string; usedBytes: number; maxBytes: number; policy: string | null; clients: number }

/** What cannot be reached, or does not answer in time, says so within `redisConnectMs`. */
export async function lookAtRedis(url: string): Promise<RedisLook> {
  try {
    const client = await connectRedis(url)
    try {
      const sentMs = performance.now()
      await client.ping()
      const answerMs = performance.now() - sentMs
      const info = await client.info()
      const field = (name: string) => new RegExp(`^${name}:(.*)$`, 'm').exec(info)?.[1]?.trim() ?? null
      return {
        answerMs,
        version: field('redis_version') ?? 'unknown',
        usedBytes: Number(field('used_memory')),
        maxBytes: Number(field('maxmemory')),
        policy: field('maxmemory_policy'),
        clients: Number(field('connected_clients')),
      }
    } finally {
      client.disconnect()
    }
  } catch (error) {
    return { trouble: (error as Error).message }
  }
}
