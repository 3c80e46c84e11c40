// The tables of currencies, countries, zones, categories and institutions that ship with the service.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defaultCategories } from '../src/features/system/data/categories.ts'
import { countries } from '../src/features/system/data/countries.ts'
import { institutions } from '../src/features/system/data/institutions.ts'
import { isTimeZone, timeZones } from '../src/features/system/data/timezones.ts'
import { currencies } from '../src/values/currencies.ts'
import { exponentOf } from '../src/values/money.ts'

const money = [...currencies.values()]

/** The values that stand in a list more than once. */
function repeated(values: readonly (string | undefined)[]): string[] {
  const given = values.filter((value) => value !== undefined)
  return given.filter((value, index) => given.indexOf(value) !== index)
}

/** The rows that a condition does not hold for; a test wants none. */
function breaking<Row>(rows: readonly Row[], holds: (row: Row) => boolean): Row[] {
  return rows.filter((row) => !holds(row))
}

test('a currency has a code of three letters, a number of three digits, both its own, and 0 to 4 minor digits', () => {
  assert.deepEqual(
    breaking(
      money,
      ({ code, numeric, exponent }) => /^[A-Z]{3}$/.test(code) && /^\d{3}$/.test(numeric) && [0, 1, 2, 3, 4].includes(exponent),
    ),
    [],
  )
  assert.deepEqual(
    breaking([...currencies], ([key, { code }]) => key === code),
    [],
  )
  assert.deepEqual(repeated(money.map(({ code }) => code)), [])
  assert.deepEqual(repeated(money.map(({ numeric }) => numeric)), [])
  assert.deepEqual(
    breaking(money, ({ name }) => name.trim() === name && name.length > 2),
    [],
  )
})

test('the currencies without two minor digits are those of ISO 4217', () => {
  const of = (digits: number) => money.filter(({ exponent }) => exponent === digits).map(({ code }) => code)
  assert.deepEqual(of(0), 'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF'.split(' '))
  assert.deepEqual(of(1), [])
  assert.deepEqual(of(3), 'BHD IQD JOD KWD LYD OMR TND'.split(' '))
  assert.deepEqual(of(4), ['CLF', 'UYW'])
  assert.deepEqual(
    ['EUR', 'USD', 'JPY', 'KWD', 'CLF', 'CHF', 'HUF'].map((code) => exponentOf(code)),
    [2, 2, 0, 3, 4, 2, 2],
  )
})

test('currencies out of force, metals, test codes and other texts are no currencies', () => {
  for (const code of ['DEM', 'FRF', 'HRK', 'SLL', 'ZWL', 'CUC', 'ANG', 'XAU', 'XDR', 'XTS', 'XXX', 'eur', 'EURO', '', 'constructor']) {
    assert.equal(exponentOf(code), undefined, code)
  }
})

test('the numbers of well-known currencies are those of ISO 4217', () => {
  const known = { EUR: '978', USD: '840', GBP: '826', CHF: '756', JPY: '392', CNY: '156', INR: '356', BRL: '986', ALL: '008', AUD: '036' }
  for (const [code, numeric] of Object.entries(known)) assert.equal(currencies.get(code)?.numeric, numeric, code)
})

test('the countries are the 249 of ISO 3166-1, each with three codes of its own', () => {
  assert.equal(countries.length, 249)
  assert.deepEqual(
    breaking(countries, ({ alpha2, alpha3, numeric }) => /^[A-Z]{2}$/.test(alpha2) && /^[A-Z]{3}$/.test(alpha3) && /^\d{3}$/.test(numeric)),
    [],
  )
  for (const code of ['alpha2', 'alpha3', 'numeric', 'name'] as const)
    assert.deepEqual(repeated(countries.map((country) => country[code])), [], code)
  const regions = new Intl.DisplayNames('en', { type: 'region', fallback: 'none' })
  assert.deepEqual(
    breaking(countries, ({ alpha2 }) => regions.of(alpha2) !== undefined),
    [],
  )
  // ICU canonicalises the other two codes of a country to its first.
  assert.deepEqual(
    breaking(countries, ({ alpha2, numeric }) => new Intl.Locale(`und-${numeric}`).region === alpha2),
    [],
  )
})

test('well-known countries have the codes and the currency that they have', () => {
  const known = [
    ['DE', 'DEU', '276', 'EUR'],
    ['CH', 'CHE', '756', 'CHF'],
    ['GB', 'GBR', '826', 'GBP'],
    ['US', 'USA', '840', 'USD'],
    ['JP', 'JPN', '392', 'JPY'],
    ['BG', 'BGR', '100', 'EUR'],
    ['HR', 'HRV', '191', 'EUR'],
    ['RO', 'ROU', '642', 'RON'],
    ['KW', 'KWT', '414', 'KWD'],
    ['AX', 'ALA', '248', 'EUR'],
  ] as const
  for (const [alpha2, ...rest] of known) {
    const country = countries.find((one) => one.alpha2 === alpha2)
    assert.deepEqual([country?.alpha3, country?.numeric, country?.currency], rest, alpha2)
  }
})

test('the currency of a country is in force, and only uninhabited ones have none', () => {
  assert.deepEqual(
    breaking(countries, ({ currency }) => currency === null || currencies.has(currency)),
    [],
  )
  assert.ok(countries.filter(({ currency }) => currency === null).length <= 5)
})

test('every zone is one that Intl reckons with, in order and once', () => {
  const zones = timeZones()
  assert.ok(zones.length > 300)
  assert.deepEqual(
    breaking(zones, (zone) => isTimeZone(zone) && Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(zone).timeZoneId === zone),
    [],
  )
  assert.deepEqual(zones, zones.toSorted())
  assert.deepEqual(repeated(zones), [])
  for (const zone of ['UTC', 'Europe/Paris', 'America/New_York', 'Asia/Tokyo', 'Australia/Lord_Howe']) assert.ok(zones.includes(zone), zone)
})

test('older and newer names of a zone are known, offsets and other texts are none', () => {
  for (const zone of ['Europe/Kiev', 'Europe/Kyiv', 'Asia/Calcutta', 'Asia/Kolkata', 'Etc/GMT+5'])
    assert.equal(isTimeZone(zone), true, zone)
  for (const text of ['', '+01:00', '-0300', 'Mars/Olympus', '../UTC', 'Europe/Paris\0', ' UTC', 'x'.repeat(1_000)]) {
    assert.equal(isTimeZone(text), false, text)
  }
})

test('a default category has a key of its own and its parent, of its kind, before it, in two levels', () => {
  assert.deepEqual(repeated(defaultCategories.map(({ key }) => key)), [])
  const at = new Map(defaultCategories.map(({ key }, index) => [key, index]))
  for (const [index, { key, kind, parent, name }] of defaultCategories.entries()) {
    assert.match(key, /^[a-z]+(-[a-z]+)*$/)
    assert.match(name, /^\S.{0,98}\S$/, key)
    if (parent === null) continue
    const above = defaultCategories[at.get(parent) ?? -1]
    assert.ok(above, `${key} has its parent`)
    assert.ok(at.get(parent)! < index, `${parent} comes before ${key}`)
    assert.equal(above.kind, kind, key)
    assert.equal(above.parent, null, key)
  }
  assert.deepEqual(repeated(defaultCategories.map(({ name, kind, parent }) => `${kind} ${parent} ${name}`)), [])
  assert.deepEqual(new Set(defaultCategories.map(({ kind }) => kind)), new Set(['income', 'expense']))
})

test('a default category has an icon’s name and a colour that white text is readable on', () => {
  const channel = (part: string) => {
    const share = Number.parseInt(part, 16) / 255
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4
  }
  for (const { key, icon, color } of defaultCategories) {
    assert.match(icon, /^[a-z]+(_[a-z]+)*$/, key)
    const [, red = '', green = '', blue = ''] = /^#([\da-f]{2})([\da-f]{2})([\da-f]{2})$/.exec(color) ?? assert.fail(color)
    const luminance = 0.2126 * channel(red) + 0.7152 * channel(green) + 0.0722 * channel(blue)
    assert.ok(1.05 / (luminance + 0.05) >= 4.5, `${key}: ${color}`)
  }
})

test('an institution has an id of its own that begins with its country, a kind and a name', () => {
  assert.deepEqual(repeated(institutions.map(({ id }) => id)), [])
  const known = new Set(countries.map(({ alpha2 }) => alpha2))
  assert.deepEqual(
    breaking(institutions, ({ country }) => known.has(country)),
    [],
  )
  assert.deepEqual(
    breaking(institutions, ({ id, country }) => /^[a-z]{2}(-[a-z\d]+)+$/.test(id) && id.startsWith(country.toLowerCase())),
    [],
  )
  assert.deepEqual(
    breaking(institutions, ({ kind }) => ['bank', 'creditUnion', 'broker', 'eMoney', 'card'].includes(kind)),
    [],
  )
  assert.deepEqual(
    breaking(institutions, ({ name }) => name.trim() === name && name.length >= 2 && name.length <= 100),
    [],
  )
  assert.deepEqual(repeated(institutions.map(({ name, country }) => `${country} ${name}`)), [])
})

test('the BIC of an institution has 8 characters and names its country', () => {
  const named = institutions.filter(({ bic }) => bic !== undefined)
  assert.ok(named.length > 100)
  assert.deepEqual(
    breaking(named, ({ bic = '', country }) => /^[A-Z]{6}[A-Z\d]{2}$/.test(bic) && bic.slice(4, 6) === country),
    [],
  )
})

test('the website of an institution is a bare domain', () => {
  const label = /^[a-z\d]([a-z\d-]{0,61}[a-z\d])?$/
  const isDomain = (text: string) =>
    text.split('.').length >= 2 && text.split('.').every((part) => label.test(part)) && /\.[a-z]{2,}$/.test(text)
  assert.deepEqual(
    breaking(institutions, ({ website }) => website === undefined || (isDomain(website) && !website.startsWith('www.'))),
    [],
  )
})

test('the formats of an institution are ones that are imported, each once', () => {
  const imported = new Set(['ofx', 'qfx', 'qif', 'csv', 'camt053', 'mt940'])
  assert.deepEqual(
    breaking(
      institutions,
      ({ formats }) => formats === undefined || (formats.length > 0 && formats.every((format) => imported.has(format))),
    ),
    [],
  )
  assert.deepEqual(
    breaking(institutions, ({ formats = [] }) => repeated(formats).length === 0),
    [],
  )
})
