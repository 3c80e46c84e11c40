// The strict JSON reader: everything that JSON.parse reads, except what no honest client sends.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Failure } from '../src/values/failure.ts'
import { decodeUtf8, readJson } from '../src/values/json.ts'

const limits = { depthMax: 32, keysMax: 10_000, keysPerObjectMax: 1_000, itemsMax: 100_000 }

function refusal(text: string, ...rest: [] | [typeof limits]): Failure {
  try {
    readJson(text, ...rest)
  } catch (error) {
    assert.ok(error instanceof Failure, `${String(error)} is no Failure`)
    assert.equal(error.code, 'invalid-json')
    assert.equal(error.errors.length, 1)
    return error
  }
  return assert.fail(`${text.slice(0, 100)} was accepted`)
}

const pointerOf = (text: string) => refusal(text).errors[0]?.pointer
const codeOf = (text: string) => refusal(text).errors[0]?.code

/**
 * Whether a text that JSON.parse accepts is one that the reader must refuse, found by other means than the reader's:
 * a tokenizer of regular expressions, sound because the text is known to be valid.
 */
function isForbidden(text: string, allowed = limits): boolean {
  if (!text.isWellFormed()) return true
  const open: (Set<string> | null)[] = []
  let keys = 0
  let items = 0
  let deepest = 0
  const tokens = [...text.matchAll(/"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g)].map(([token]) => token)
  for (const [index, token] of tokens.entries()) {
    const inside = open.at(-1)
    const isKey = tokens[index + 1] === ':'
    if (inside === null && tokens[index - 1] === '[' && token !== ']') items++
    if (inside === null && token === ',') items++
    if (token === '{') open.push(new Set())
    else if (token === '[') open.push(null)
    else if (token === '}' || token === ']') open.pop()
    else if (token.startsWith('"')) {
      const value = JSON.parse(token) as string
      if (value.includes('\0') || !value.isWellFormed()) return true
      if (isKey && inside) {
        if (value === '__proto__' || inside.has(value)) return true
        inside.add(value)
        keys++
        if (inside.size > allowed.keysPerObjectMax) return true
      }
    } else if (/^-?\d/.test(token)) {
      const digits = /^-?\d+$/.test(token)
      if (digits ? BigInt(token) > 2n ** 53n - 1n || BigInt(token) < 1n - 2n ** 53n : !Number.isFinite(Number(token))) return true
    }
    deepest = Math.max(deepest, open.length)
  }
  return deepest > allowed.depthMax || keys > allowed.keysMax || items > allowed.itemsMax
}

/** The value as JSON.parse makes it, without negative zeroes. */
const parsed = (text: string): unknown => JSON.parse(text, (_key, value: unknown) => (value === 0 ? 0 : value))

function accepts(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

function agrees(text: string, allowed = limits) {
  if (accepts(text) && !isForbidden(text, allowed)) assert.deepStrictEqual(readJson(text, allowed), parsed(text))
  else refusal(text, allowed)
}

/** Pieces that meet the rules' edges far more often than random characters would. */
const piece = fc.oneof(
  fc.constantFrom(
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '"',
    '\\',
    ' ',
    '\n',
    '\t',
    '\r',
    '-',
    '+',
    '.',
    'e',
    'E',
    '0',
    '1',
    '-0',
    '-0.0',
    '0.5',
    '1e5',
    '1e999',
    '-1E-999',
    'true',
    'false',
    'null',
    'NaN',
    'Infinity',
    '"a"',
    '"a":',
    '"__proto__":',
    '"\\u005f_proto__":',
    '"\\u0061":1',
    '"toString":',
    '\\u0000',
    '"\\u0000"',
    '"\\ud83d\\ude00"',
    '"\\ud83d"',
    '"\\ude00\\ud83d"',
    '"\\ud83d\ude00"',
    '"\ud83d\\ude00"',
    '"\u{1f600}"',
    '\ud83d',
    '"é"',
    '"€"',
    '\u0000',
    '\u001f',
    '\u00a0',
    '\ufeff',
    '//',
    '/*',
    '01',
    '9007199254740991',
    '9007199254740992',
    '-9007199254740991',
    '-9007199254740992',
    '123456789012345',
    '1234567890123456',
    '9007199254740992.0',
    '[1,2]',
    '{"a":1}',
    '{"a":1,"b":2}',
    '{"a":1,"a":1}',
    '\\n',
    '\\"',
    '\\u00e9',
    '\\uD7FF',
    '\\x',
    '"\\\\"',
    "'",
  ),
  fc.string({ unit: 'binary', maxLength: 3 }),
)
const pieces = fc.array(piece, { maxLength: 14 }).map((parts) => parts.join(''))

/** Valid texts with one accident. */
const nearly = fc
  .tuple(fc.oneof(fc.json(), fc.json({ stringUnit: 'binary' })), fc.nat(), fc.nat(3), piece)
  .map(([text, place, cut, extra]) => {
    const at = place % (text.length + 1)
    return text.slice(0, at) + extra + text.slice(at + cut)
  })

test('what JSON.stringify writes reads back as JSON.parse reads it', () => {
  const text = fc.oneof(
    fc.json({ maxDepth: 8 }),
    fc.json({ stringUnit: 'grapheme' }),
    fc.jsonValue({ maxDepth: 6 }).map((value) => JSON.stringify(value, null, 2)),
  )
  fc.assert(
    fc.property(text, (written) => {
      if (!isForbidden(written)) assert.deepStrictEqual(readJson(written), JSON.parse(written))
    }),
    { numRuns: 2_000 },
  )
})

test('any text is accepted exactly when JSON.parse accepts it and no further rule forbids it', () => {
  fc.assert(
    fc.property(pieces, (text) => agrees(text)),
    { numRuns: 20_000 },
  )
  fc.assert(
    fc.property(nearly, (text) => agrees(text)),
    { numRuns: 10_000 },
  )
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => agrees(text)),
    { numRuns: 2_000 },
  )
})

test('small limits are kept exactly', () => {
  const small = { depthMax: 3, keysMax: 6, keysPerObjectMax: 3, itemsMax: 5 }
  fc.assert(
    fc.property(fc.json({ maxDepth: 4 }), (text) => agrees(text, small)),
    { numRuns: 3_000 },
  )
})

test('any bytes are decoded as they are or refused', () => {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  fc.assert(
    fc.property(
      fc.oneof(
        fc.uint8Array(),
        fc.string({ unit: 'binary' }).map((text) => new Uint8Array(Buffer.from(text))),
      ),
      (bytes) => {
        let expected: string | undefined
        try {
          expected = decoder.decode(bytes)
        } catch {}
        if (expected === undefined) assert.throws(() => decodeUtf8(bytes), Failure)
        else assert.equal(decodeUtf8(bytes), expected)
      },
    ),
  )
})

test('bytes that are part of a larger buffer are decoded alone', () => {
  assert.equal(decodeUtf8(Buffer.from('xx"é"yy').subarray(2, 6)), '"é"')
})

test('a byte order mark is refused', () => {
  refusal(decodeUtf8(Buffer.from('\ufeff{}')))
})

test('ill-formed UTF-8 is refused: overlong forms, surrogates, values past the last, a torn end', () => {
  for (const bytes of [[0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0x22, 0xe2, 0x82], [0xff]]) {
    assert.throws(
      () => decodeUtf8(new Uint8Array(bytes)),
      (error) => error instanceof Failure && error.code === 'invalid-json',
    )
  }
})

test('values of every kind are read', () => {
  assert.deepEqual(readJson(' {"a": [1, -2.5e3, true, false, null, "x\\n\\u00e9\\ud83d\\ude00"], "b": {}} '), {
    a: [1, -2500, true, false, null, 'x\né😀'],
    b: {},
  })
  assert.equal(readJson('"alone"'), 'alone')
  assert.equal(readJson('null'), null)
})

test('negative zero becomes zero', () => {
  for (const text of ['-0', '-0.0', '-0e5', '-1e-999']) assert.ok(Object.is(readJson(text), 0), text)
  assert.deepStrictEqual(readJson('[-0, {"a": -0.00}]'), [0, { a: 0 }])
})

test('a repeated key is refused where it stands', () => {
  assert.equal(pointerOf('{"a": {"b/c~d": 1, "b/c~d": 2}}'), '/a/b~1c~0d')
  assert.equal(pointerOf('[{"x": 1}, {"\\u0061": 1, "a": 1}]'), '/1/a')
  assert.match(refusal('{\n  "a": 1,\n  "a": 2\n}').message, /twice \(line 3, column 3\)/)
})

test('a key __proto__ is refused, however it is written, and names of Object.prototype are ordinary keys', () => {
  assert.equal(pointerOf('{"a": {"__proto__": {"admin": true}}}'), '/a/__proto__')
  assert.equal(pointerOf('{"\\u005f_proto__": null}'), '/__proto__')
  assert.equal(pointerOf('{"_\\u005fproto__": null, "big": 1e5}'), '/__proto__')
  assert.deepEqual(readJson('{"constructor": 1, "toString": 2, "hasOwnProperty": 3, "x": 1e2}'), {
    constructor: 1,
    toString: 2,
    hasOwnProperty: 3,
    x: 100,
  })
  assert.equal(readJson('"__proto__"'), '__proto__')
  assert.equal(Object.getPrototypeOf(readJson('{}')), Object.prototype)
})

test('NUL and lone surrogates are refused in strings and keys, raw or escaped', () => {
  assert.equal(pointerOf('{"a": "x\\u0000"}'), '/a')
  assert.equal(pointerOf('{"a\\u0000": 1}'), '')
  assert.equal(pointerOf('["", "\\ud800"]'), '/1')
  for (const text of [
    '"\u0000"',
    '"\\udc00"',
    '"\\ud800x"',
    '"\\ud800\\u0041"',
    '"\ud800"',
    '"\udc00"',
    '{"\ud800": 1}',
    '"\\ud83d\ude00"',
  ])
    refusal(text)
  assert.equal(readJson('"\\uD83D\\uDE00"'), '😀')
  assert.equal(readJson('"\\u0001\\ud7ff\\ue000"'), '\u0001\ud7ff\ue000')
})

test('integers past 2^53-1 and numbers past the finite are out of range; the same as a fraction is a plain number', () => {
  assert.equal(readJson('9007199254740991'), 9007199254740991)
  assert.equal(readJson('-9007199254740991'), -9007199254740991)
  for (const text of ['9007199254740992', '-9007199254740992', '9007199254740993', '1'.repeat(400), '1e400', '-1.5E+309']) {
    assert.equal(codeOf(text), 'out-of-range', text)
  }
  assert.equal(pointerOf('{"splits": [{"amount": 1}, {"amount": 9007199254740992}]}'), '/splits/1/amount')
  assert.equal(readJson('1e300'), 1e300)
  assert.equal(readJson('9007199254740993.0'), 9007199254740992)
})

test('the laxities of other readers are refused', () => {
  const texts = [
    '',
    ' ',
    '{',
    '}',
    '[1,]',
    '{"a":1,}',
    '{,}',
    '[,1]',
    '{a:1}',
    "{'a':1}",
    '01',
    '-01',
    '+1',
    '.5',
    '1.',
    '1e',
    '1e+',
    '-',
    '0x10',
    'NaN',
    'Infinity',
    '-Infinity',
    '1 2',
    '{} x',
    '// c\n1',
    '/* c */ 1',
    '1 // c',
    '"\t"',
    '"a\nb"',
    '"\\x41"',
    '"\\u12"',
    '"\\u00g0"',
    '"open',
    '"open\\',
    'tru',
    'nulll',
    'True',
    '[1 2]',
    '{"a" 1}',
    '{"a":}',
    '{"a":1 "b":2}',
    '\u00a01',
    '\ufeff1',
    '[1}',
    '{"a":1]',
    '1_000',
    'undefined',
    '"a"b',
    '\f1',
  ]
  for (const text of texts) refusal(text)
})

test('a refusal names the pointer, the line and the column', () => {
  const failure = refusal('{\n  "rows": [\n    {"a": 1},\n    {"a": x}\n  ]\n}')
  assert.deepEqual(failure.errors, [{ pointer: '/rows/1/a', code: 'invalid-json', detail: 'A value is expected (line 4, column 11).' }])
  assert.equal(pointerOf('{"a": [1, 2] "b": 3}'), '')
})

test('a pointer stays short however long the keys are', () => {
  const pointer = pointerOf(`{"${'k'.repeat(500)}": {"${'l'.repeat(500)}": {"${'m'.repeat(500_000)}": x}}}`)
  assert.equal(pointer, `/${'k'.repeat(500)}/${'l'.repeat(500)}`)
})

test('depth ends at 32', () => {
  assert.ok(readJson('['.repeat(32) + ']'.repeat(32)))
  assert.ok(readJson(`${'{"a":'.repeat(32)}1e2${'}'.repeat(32)}`))
  assert.equal(pointerOf('['.repeat(33) + ']'.repeat(33)), '/0'.repeat(32))
})

test('thousands of levels and of keys answer a refusal', () => {
  for (const levels of [5_000, 500_000]) {
    refusal('['.repeat(levels))
    refusal('['.repeat(levels) + ']'.repeat(levels))
    refusal('{"a":'.repeat(levels))
    refusal(`${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`)
  }
  refusal(JSON.stringify(Object.fromEntries(Array.from({ length: 60_000 }, (_, index) => [`k${index}`, index]))))
  refusal(`[${Array.from({ length: 60_000 }, (_, index) => `{"k":${index}}`).join()}]`)
})

test('keys end at 1,000 in an object and 10,000 in all, items at 100,000', () => {
  const object = (keys: number) => JSON.stringify(Object.fromEntries(Array.from({ length: keys }, (_, index) => [`k${index}`, index])))
  const array = (items: string[]) => `[${items.join()}]`
  assert.ok(readJson(object(1_000)))
  assert.match(refusal(object(1_001)).message, /at most 1000 keys/)
  assert.ok(readJson(array(Array(10).fill(object(1_000)))))
  assert.match(refusal(array([...Array(10).fill(object(1_000)), '{"a":1}'])).message, /at most 10000 keys/)
  assert.equal((readJson(array(Array(100_000).fill('1'))) as unknown[]).length, 100_000)
  assert.match(refusal(array(Array(100_001).fill('1'))).message, /at most 100000 array items/)
})
