// Which passwords are refused: short ones, common ones, and those that an attacker tries first for this person.
// After OWASP ASVS 5.0 (6.2.1, 6.2.4, 6.2.9): no rules of composition, 8 to 256 characters, none that is well known.

const charactersMin = 8
const charactersMax = 256

/** Known from the breaches of others; read when the first password is chosen, since most processes see few. */
let common: Promise<ReadonlySet<string>> | undefined

async function readCommon(): Promise<ReadonlySet<string>> {
  const { dictionary } = await import('@zxcvbn-ts/language-common')
  const all = dictionary['passwords-common'] as readonly string[]
  return new Set(all.filter((each) => each.length >= charactersMin))
}

/** Why a password must not be chosen, in a sentence, or null. Spelling is compared in NFKC, as it is when hashed. */
export async function passwordWeakness(password: string, person: { email: string; displayName: string }): Promise<string | null> {
  const plain = password.normalize('NFKC')
  const length = Array.from(plain).length
  if (length < charactersMin) return `The password needs at least ${charactersMin} characters.`
  if (length > charactersMax) return `The password may have at most ${charactersMax} characters.`
  if (/\p{Cc}/u.test(plain)) return 'The password must not contain control characters.'
  const folded = plain.toLowerCase()
  common ??= readCommon()
  if ((await common).has(folded)) return 'This password is among the most common ones, which are tried first.'
  if (new Set(folded).size < 4) return 'The password repeats very few characters.'
  // What is left when digits and marks are taken off both ends: "Djinn2026!" is "djinn".
  const core = folded.replace(/^[^\p{L}]+|[^\p{L}]+$/gu, '')
  const local = person.email.toLowerCase().split('@', 1)[0]!
  const guessable = ['djinn', local, person.email.toLowerCase(), person.displayName.normalize('NFKC').toLowerCase()]
  if (guessable.some((word) => word !== '' && (folded === word || core === word))) {
    return 'The password is too close to your name, your address or the name of this service.'
  }
  return null
}
