// The ECB's files of rates: what is read from each form, and where and why a broken one is refused.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import fc from 'fast-check'
import { UnreadableRates, type RateFile } from '../../src/features/rates/rate-file.ts'
import { readRateFile } from '../../src/features/rates/readers/read.ts'
import { currencies } from '../../src/values/currencies.ts'
import { limits } from '../../src/values/limits.ts'
import { zipOf } from './zip-file.ts'

const file = (name: string) => readFileSync(new URL(`files/${name}`, import.meta.url))
const read = (content: string | Buffer): RateFile => readRateFile(Buffer.from(content), (currency) => currencies.has(currency))
const told = ({ rates }: RateFile) => rates.map(({ currency, day, rate }) => `${currency} ${day} ${rate}`)
const ofDay = ['USD 2024-03-13 1.1111', 'JPY 2024-03-13 161.25', 'CZK 2024-03-13 25.250', 'KRW 2024-03-13 1444.50']

const envelope = (inner: string) =>
  `<?xml version="1.0"?>\n<gesmes:Envelope xmlns:gesmes="http://www.gesmes.org/xml/2002-08-01" xmlns="http://www.ecb.int/vocabulary/2002-08-01/eurofxref">\n<Cube>\n${inner}\n</Cube></gesmes:Envelope>`
const dayOfXml = (inner: string) => envelope(`<Cube time="2024-03-13">\n${inner}</Cube>`)

function refused(content: string | Buffer, message: RegExp) {
  assert.throws(
    () => read(content),
    (error: unknown) => {
      assert.ok(error instanceof UnreadableRates, String(error))
      assert.match(error.message, message)
      return true
    },
  )
}

test('the XML of one day', () => {
  const daily = read(file('eurofxref-daily.xml'))
  assert.deepEqual([daily.format, told(daily), [...daily.skipped]], ['ecb-xml', ofDay, []])
})

test('the XML of history, with what is not in force any more counted', () => {
  const history = read(file('eurofxref-hist.xml'))
  assert.deepEqual(told(history), [
    'USD 2024-03-13 1.1111',
    'JPY 2024-03-13 161.25',
    'USD 2024-03-12 1.1100',
    'JPY 2024-03-12 160.75',
    'USD 2007-12-31 1.4444',
  ])
  assert.deepEqual(
    [...history.skipped],
    [
      ['CYP', 1],
      ['MTL', 1],
    ],
  )
})

test('the CSV of one day, with its blanks and its comma at the end', () => {
  const daily = read(file('eurofxref.csv'))
  assert.deepEqual([daily.format, told(daily)], ['ecb-csv', ofDay])
  assert.deepEqual(told(read('Date, USD, \n03 June 2021, 1.2187, \n')), ['USD 2021-06-03 1.2187'])
  assert.deepEqual(told(read('Date, USD\n3 June 2021, 1.2187')), ['USD 2021-06-03 1.2187'])
})

test('the CSV of history: N/A and nothing are no rate', () => {
  const history = read(file('eurofxref-hist.csv'))
  assert.equal(history.rates.length, 12)
  assert.deepEqual(told(history).slice(-4), [
    'CZK 2012-06-29 25.555',
    'USD 2007-12-31 1.4444',
    'JPY 2007-12-31 164.44',
    'CZK 2007-12-31 26.666',
  ])
  assert.deepEqual(Object.fromEntries(history.skipped), { LTL: 2, HRK: 2, CYP: 1 })
  const gaps = 'Date,USD,JPY,\n2024-03-13,,161.25,\n2024-03-12,1.11,,\n2024-03-11,N/A,160,\r\n2024-03-08,1.1,\n'
  assert.deepEqual(told(read(gaps)), ['JPY 2024-03-13 161.25', 'USD 2024-03-12 1.11', 'JPY 2024-03-11 160', 'USD 2024-03-08 1.1'])
})

test('the CSV in a ZIP archive is read as it is', () => {
  const content = file('eurofxref-hist.csv')
  const plain = read(content)
  for (const packed of [zipOf([{ name: 'eurofxref-hist.csv', content }]), zipOf([{ name: 'a', content, stored: true }], 'a comment')]) {
    assert.deepEqual(read(packed), plain)
  }
})

test('a ZIP archive that holds something else, or is damaged, is refused with what to do', () => {
  const content = file('eurofxref.csv')
  const good = zipOf([{ name: 'a', content }])
  refused(zipOf([]), /has 0 files, not one/)
  refused(
    zipOf([
      { name: 'a', content },
      { name: 'b', content },
    ]),
    /has 2 files, not one; unpack it/,
  )
  refused(zipOf([{ name: 'a', content, flags: 1 }]), /is encrypted; unpack it/)
  refused(zipOf([{ name: 'a', content, method: 12 }]), /not read here \(12\); unpack it/)
  refused(zipOf([{ name: 'a', content, checksum: 1 }]), /is damaged/)
  refused(zipOf([{ name: 'a', content, bytes: content.length - 1 }]), /is damaged/)
  refused(zipOf([{ name: 'a', content, bytes: limits.rateFileBytesMax + 1 }]), /is larger than 20 MiB/)
  refused(zipOf([{ name: 'a', content: Buffer.alloc(limits.rateFileBytesMax + 1), bytes: 10 }]), /is damaged/)
  refused(good.subarray(0, good.length - 1), /is damaged/)
  refused(good.subarray(0, 40), /is damaged/)
  refused(zipOf([{ name: 'a', content: good }]), /is no UTF-8 text|first column/)
})

test('XML that is something else is refused by line and column', () => {
  refused('<html><body>404</body></html>', /^line 1, column 1: this is XML, but no rates of the ECB: it opens with "html"/)
  refused(dayOfXml('<Cube currency="USD" rate="1.1" multiplier="100"/>'), /^line 5, column 1: the attribute "multiplier" is not expected/)
  refused(dayOfXml('  <Cube currency="USD"/>'), /^line 5, column 3: Cube has no rate/)
  refused(dayOfXml('<Cube rate="1.1"/>'), /Cube has no currency/)
  refused(envelope('<Cube><Cube currency="USD" rate="1"/></Cube>'), /^line 4, column 1: Cube has no time/)
  refused(envelope('<Cube time="2024-02-30"><Cube currency="USD" rate="1"/></Cube>'), /"2024-02-30" is no day/)
  refused(envelope('<Cube time="13 March 2024"><Cube currency="USD" rate="1"/></Cube>'), /"13 March 2024" is no day/)
  refused(dayOfXml('<Cube currency="USD" rate="1"><Cube/></Cube>'), /"Cube" is not expected here/)
  refused(dayOfXml('<Rate currency="USD" rate="1"/>'), /"Rate" is not expected here/)
  refused(dayOfXml('USD 1.1'), /the text "USD 1.1" is not expected here/)
  refused(dayOfXml('<![CDATA[x]]>'), /the text "x" is not expected/)
  refused(
    dayOfXml('<Cube currency="USD" rate="1"/>').replace('</gesmes:Envelope>', ''),
    /^line 6, column \d+: the file is not well-formed XML: unclosed tag/,
  )
  refused(dayOfXml('<Cube currency="USD" rate="&rate;"/>'), /^line 5, column \d+: the file is not well-formed XML: undefined entity/)
  refused(`<!DOCTYPE x [<!ENTITY rate "1">]>${dayOfXml('')}`, /declares a document type/)
  refused(envelope(''), /the file has no rates/)
  refused(dayOfXml(''), /the file has no rates/)
})

test('a rate, a currency or a day that is none is refused where it stands', () => {
  const rates = ['0', '0.0000', '-1.1', '+1', '1,1', '1e3', 'NaN', 'Infinity', '', ' 1', '1.', '.5', `1.${'1'.repeat(13)}`, '1234567890123']
  for (const rate of rates) {
    refused(dayOfXml(`<Cube currency="USD" rate="${rate}"/>`), /^line 5, column 1: ".*" is no rate of USD: a positive number/)
    if (rate.trim() === rate && !/^$|,/.test(rate))
      refused(`Date,JPY,USD\n2024-03-13,1,${rate}`, /^line 2, column 3: ".*" is no rate of USD/)
  }
  refused(dayOfXml('<Cube currency="usd" rate="1"/>'), /"usd" is no currency code/)
  refused(dayOfXml('<Cube currency="EUR" rate="1"/>'), /EUR is what all rates are given for/)
  refused(dayOfXml('<Cube currency="USD" rate="1"/><Cube currency="USD" rate="1"/>'), /the rate of USD on 2024-03-13 is there twice/)
  refused(dayOfXml(`<Cube currency="USD" rate="${'9'.repeat(5_000)}"/>`), /^line 5, column 1: "9{40}…" is no rate/)
  refused(dayOfXml('<Cube currency="USD" rate="\u001b]0;x"/>'), /disallowed character|is no rate/)
})

test('CSV that is something else is refused by line and column', () => {
  refused('', /the file is empty/)
  refused('\n\n', /the file is empty/)
  refused('Datum;Betrag\n1;2', /^line 1, column 1: these are no rates of the ECB: the first column is "Datum;Betrag", not "Date"/)
  refused('Date,USD,USD\n', /^line 1, column 3: USD has two columns/)
  refused('Date,USD,,JPY\n', /^line 1, column 3: "" is no currency code/)
  refused('Date,EUR\n', /^line 1, column 2: EUR is what all rates/)
  refused('Date,USD,\n', /the file has no rates/)
  refused('Date,USD,\n2024-03-13,N/A,\n', /the file has no rates/)
  refused('Date,USD,JPY\n2024-03-13,1.1\n', /^line 2, column 1: the row has 1 rates for 2 currencies/)
  refused('Date,USD,\n\n2024-03-13,1.1,2.2,\n', /^line 3, column 1: the row has 2 rates for 1 currencies/)
  refused('Date,USD,\n2024-03-13,1.1,\n13.03.2024,1.1,\n', /^line 3, column 1: "13.03.2024" is no day/)
  refused('Date,USD,\n31 June 2024,1.1,\n', /^line 2, column 1: "31 June 2024" is no day/)
  refused('Date,USD,\n3 Juni 2024,1.1,\n', /^line 2, column 1: "3 Juni 2024" is no day/)
  refused('Date,USD,\n2024-03-13,1.1,\n2024-03-13,1.1,\n', /^line 3, column 2: the rate of USD on 2024-03-13 is there twice/)
  refused('Date,USD,\n"2024-03-13,1.1,\n', /^line \d, column 1: the row is no CSV: a quote is never closed/)
  refused(`Date,USD,\n${'1'.repeat(10_000)}`, /^line 2, column 1: the row is no CSV: it is too long/)
  refused(
    `Date,${Array.from({ length: 201 }, (_, nth) => `A${String.fromCharCode(65 + (nth % 26))}${String.fromCharCode(65 + Math.floor(nth / 26))}`).join(',')}`,
    /more than 200 currencies/,
  )
})

test('a file that is no text, or too large, is refused', () => {
  refused(Buffer.from([0x44, 0xff, 0xfe, 0x00]), /is no UTF-8 text/)
  refused(Buffer.alloc(limits.rateFileBytesMax + 1, 0x20), /is larger than 20 MiB/)
  assert.deepEqual(told(read(Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), file('eurofxref.csv')]))), ofDay)
})

test('what is written in either form is read back', () => {
  const known = fc.uniqueArray(fc.constantFrom(...[...currencies.keys()].filter((code) => code !== 'EUR')), { minLength: 1, maxLength: 40 })
  const day = fc
    .date({ min: new Date('1999-01-04'), max: new Date('2030-12-31'), noInvalidDate: true })
    .map((date) => date.toISOString().slice(0, 10))
  const rate = fc
    .tuple(fc.integer({ min: 1, max: 99_999_999 }), fc.integer({ min: 0, max: 6 }))
    .map(([digits, scale]) => (digits / 10 ** scale).toFixed(scale))
  const positive = rate.filter((text) => /[1-9]/.test(text))
  fc.assert(
    fc.property(known, fc.uniqueArray(day, { minLength: 1, maxLength: 10 }), fc.infiniteStream(positive), (codes, days, stream) => {
      const table = days.map((each) => ({ day: each, rates: codes.map((code) => ({ code, rate: stream.next().value as string })) }))
      const wanted = table.flatMap((row) => row.rates.map((each) => `${each.code} ${row.day} ${each.rate}`))
      const csv = [
        `Date,${codes.join(',')},`,
        ...table.map((row) => `${row.day},${row.rates.map((each) => each.rate).join(',')},`),
        '',
      ].join('\n')
      const cubes = table.map(
        (row) =>
          `<Cube time='${row.day}'>${row.rates.map((each) => `<Cube currency='${each.code}' rate='${each.rate}'/>`).join('')}</Cube>`,
      )
      assert.deepEqual(told(read(csv)), wanted)
      assert.deepEqual(told(read(envelope(cubes.join('\n')))), wanted)
    }),
  )
})

test('no bytes make a reader fail in any other way', () => {
  const samples: Buffer[] = ['eurofxref-daily.xml', 'eurofxref-hist.xml', 'eurofxref.csv', 'eurofxref-hist.csv'].map((name) => file(name))
  samples.push(zipOf([{ name: 'eurofxref.csv', content: samples[2]! }]))
  const tries = (content: Buffer) => {
    try {
      read(content)
    } catch (error) {
      if (!(error instanceof UnreadableRates)) throw error
      assert.doesNotMatch(error.message, /[\u0000-\u001f\u007f-\u009f]/)
    }
  }
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => tries(Buffer.from(bytes))))
  fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => tries(Buffer.from(text))))
  fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 100 }), (text) => tries(Buffer.from(`Date,USD,\n${text}`))))
  fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 100 }), (text) => tries(Buffer.from(envelope(text)))))
  const damaged = fc
    .tuple(
      fc.constantFrom(...samples),
      fc.array(fc.tuple(fc.nat(), fc.nat({ max: 2 }), fc.uint8Array({ maxLength: 8 })), { minLength: 1, maxLength: 5 }),
    )
    .map(([sample, edits]) =>
      edits.reduce((bytes, [where, cut, put]) => {
        const at = where % (bytes.length + 1)
        return Buffer.concat([bytes.subarray(0, at), put, bytes.subarray(at + cut)])
      }, sample),
    )
  fc.assert(fc.property(damaged, tries), { numRuns: 2_000 })
})
