// An authenticator app of the tests: it keeps the secret that it was shown and makes codes of it.
import assert from 'node:assert/strict'
import type { Djinn, Person } from '../harness.ts'
import { hotp, stepAt } from '../../src/features/identity/totp.ts'

export type Authenticator = {
  /** The code of now, or of so many steps later. */
  code: (stepsLater?: number) => string
  /** A code that is certainly none of those that are good now. */
  wrong: () => string
  recoveryCodes: string[]
}

const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

function fromBase32(text: string): Buffer {
  const bits = Array.from(text, (letter) => letters.indexOf(letter).toString(2).padStart(5, '0')).join('')
  return Buffer.from(bits.match(/.{8}/g)!.map((byte) => Number.parseInt(byte, 2)))
}

/** Reads the secret of the URI, as a phone's camera does. */
export function scan(uri: string): Authenticator {
  const secret = fromBase32(new URL(uri).searchParams.get('secret')!)
  const code = (stepsLater = 0) => hotp(secret, stepAt(Date.now()) + stepsLater)
  return {
    code,
    wrong: () => {
      const near = new Set([-2, -1, 0, 1, 2].map(code))
      return ['000000', '111111', '222222', '333333', '444444', '555555'].find((each) => !near.has(each))!
    },
    recoveryCodes: [],
  }
}

/** Sets a second factor up by the API. */
export async function enableSecondFactor(person: Person): Promise<Authenticator> {
  const begun = await person.post('/api/me/second-factor', { password: person.password })
  assert.equal(begun.status, 200, begun.text)
  const app = scan(begun.body.uri)
  const confirmed = await person.post('/api/me/second-factor/confirm', { code: app.code() })
  assert.equal(confirmed.status, 200, confirmed.text)
  return { ...app, recoveryCodes: confirmed.body.recoveryCodes }
}

/** Makes the codes of now good again: a test cannot wait 30 s for the next. */
export async function forgetUsedCodes(djinn: Djinn, person: Person) {
  await djinn.sql('alter table second_factors disable trigger last_step_rises')
  await djinn.sql('update second_factors set last_step = 0 where user_id = $1', [person.userId])
  await djinn.sql('alter table second_factors enable trigger last_step_rises')
}
