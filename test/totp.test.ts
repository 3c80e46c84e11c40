// One-time passwords as the RFCs say, and recovery codes as people type them.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { hashRecoveryCode, newRecoveryCode, readRecoveryCode } from '../src/features/identity/recovery-codes.ts'
import { base32, hotp, keyUri, stepAt, stepOfCode } from '../src/features/identity/totp.ts'

/** The secret of both RFCs' test vectors. */
const secret = Buffer.from('12345678901234567890')

test('the codes of counters 0 to 9 are those of RFC 4226, appendix D', () => {
  const codes = ['755224', '287082', '359152', '969429', '338314', '254676', '287922', '162583', '399871', '520489']
  assert.deepEqual(
    codes.map((_, counter) => hotp(secret, counter)),
    codes,
  )
})

for (const [seconds, code] of [
  [59, '94287082'],
  [1111111109, '07081804'],
  [1111111111, '14050471'],
  [1234567890, '89005924'],
  [2000000000, '69279037'],
  [20000000000, '65353130'],
] as const) {
  test(`the code at ${seconds} s is that of RFC 6238, appendix B`, () => {
    assert.equal(hotp(secret, stepAt(seconds * 1000), 8), code)
    assert.equal(stepOfCode(secret, code.slice(2), seconds * 1000, 0), stepAt(seconds * 1000))
  })
}

test('base32 is that of RFC 4648, section 10, without its padding', () => {
  const pairs = { '': '', f: 'MY', fo: 'MZXQ', foo: 'MZXW6', foob: 'MZXW6YQ', fooba: 'MZXW6YTB', foobar: 'MZXW6YTBOI' }
  for (const [plain, text] of Object.entries(pairs)) assert.equal(base32(Buffer.from(plain)), text)
})

test('base32 of any bytes is read back by the definition', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      const bits = Array.from(base32(Buffer.from(bytes)), (letter) =>
        'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(letter).toString(2).padStart(5, '0'),
      ).join('')
      const read = bits.match(/.{8}/g)?.map((byte) => Number.parseInt(byte, 2)) ?? []
      assert.deepEqual(read, [...bytes])
    }),
  )
})

test('a code is taken one step before and after its own, and neither earlier nor later', () => {
  const nowMs = 1_800_000_000_000
  const now = stepAt(nowMs)
  for (const off of [-3, -2, -1, 0, 1, 2, 3]) {
    assert.equal(stepOfCode(secret, hotp(secret, now + off), nowMs, 0), Math.abs(off) <= 1 ? now + off : null, `${off} steps off`)
  }
})

test('a code of a step that was taken, or of one before it, is wrong', () => {
  const nowMs = 1_800_000_000_000
  const now = stepAt(nowMs)
  assert.equal(stepOfCode(secret, hotp(secret, now), nowMs, now), null)
  assert.equal(stepOfCode(secret, hotp(secret, now - 1), nowMs, now), null)
  assert.equal(stepOfCode(secret, hotp(secret, now + 1), nowMs, now), now + 1)
})

test('anything but six digits is a wrong code, whatever it is made of', () => {
  const nowMs = 59_000
  const right = hotp(secret, stepAt(nowMs))
  for (const typed of ['', right.slice(1), `${right}0`, ` ${right}`, '٢٨٧٠٨٢', '28708é', 'abcdef', '-87082']) {
    assert.equal(stepOfCode(secret, typed, nowMs, 0), null, typed)
  }
  fc.assert(fc.property(fc.string(), (typed) => typed === right || stepOfCode(secret, typed, nowMs, 0) === null || /^\d{6}$/.test(typed)))
})

test('the URI names issuer and account, escaped, and says what the app must compute', () => {
  const uri = new URL(keyUri(secret, 'an+a&b?c#d@example.org'))
  assert.equal(uri.protocol, 'otpauth:')
  assert.equal(uri.host, 'totp')
  assert.equal(decodeURIComponent(uri.pathname), '/Djinn:an+a&b?c#d@example.org')
  assert.deepEqual(Object.fromEntries(uri.searchParams), {
    secret: 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ',
    issuer: 'Djinn',
    algorithm: 'SHA1',
    digits: '6',
    period: '30',
  })
})

test('recovery codes are read in any case, with or without dashes and blanks, and with letters that look like digits', () => {
  const code = newRecoveryCode()
  assert.match(code, /^([0-9A-HJKMNP-TV-Z]{4}-){3}[0-9A-HJKMNP-TV-Z]{4}$/)
  const bare = code.replaceAll('-', '')
  const typed = [code, bare, bare.toLowerCase(), ` ${code.replaceAll('-', ' ')} `, code.replaceAll('0', 'o').replaceAll('1', 'l')]
  for (const each of typed) assert.equal(readRecoveryCode(each), bare, each)
  for (const each of ['', bare.slice(1), `${bare}0`, `${bare.slice(1)}U`, `${bare.slice(1)}ß`, '123456']) {
    assert.equal(readRecoveryCode(each), null, each)
  }
})

test('the same code of another user has another digest', () => {
  assert.notDeepEqual(hashRecoveryCode('a', '7K3MQ9ZD0F4TXW2H'), hashRecoveryCode('b', '7K3MQ9ZD0F4TXW2H'))
  assert.deepEqual(hashRecoveryCode('a', '7k3m-q9zd-of4t-xw2h'), hashRecoveryCode('a', '7K3MQ9ZD0F4TXW2H'))
})
