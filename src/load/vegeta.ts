// The planned requests as targets of vegeta (`vegeta attack -format=json`): one JSON object a line, its body in base64.
import type { Planned } from './mix.ts'
import type { Phone } from './phone.ts'
import { randomOf } from './random.ts'

export type VegetaTarget = { method: string; url: string; body?: string; header: Record<string, string[]> }

/** Each phone is as it was made ready: nothing is answered here, so it learns nothing on the way. */
export function* vegetaLines(plan: Iterable<Planned>, phones: readonly Phone[], url: URL, seed: number, today: string): Generator<string> {
  for (const { index, phone, step } of plan) {
    const { method, path, headers, body } = phones[phone]!.request(step, { random: randomOf(seed, index + 1), today })
    const target: VegetaTarget = {
      method,
      url: url.origin + path,
      ...(body === undefined ? {} : { body: Buffer.from(body).toString('base64') }),
      header: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value]])),
    }
    yield JSON.stringify(target)
  }
}
