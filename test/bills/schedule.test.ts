// Schedules against dates that the calendar and the examples of RFC 5545 and RFC 7529 give, not the code.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseRule, RuleError } from '../../src/features/bills/rule.ts'
import { firstScheduledDay, problemOfRule, scheduledDays, type Weekend } from '../../src/features/bills/schedule.ts'
import { lastDay } from '../../src/features/bills/forecast.ts'
import { reminderOn } from '../../src/features/bills/bill.ts'
import { nearerEnd, presentOccurrence, statusOf } from '../../src/features/bills/occurrence.ts'
import { planDays } from '../../src/features/bills/plan.ts'
import { addDays, dayMax, dayOf, daysBetween, isDay } from '../../src/values/day.ts'
import { limits } from '../../src/values/limits.ts'

/** Days of one line: `1997-09-02 04 09; 10-02` names a year, a month and days. */
function daysOf(text: string): string[] {
  let [year, month] = ['', '']
  return text
    .trim()
    .split(/[\s;]+/)
    .map((word) => {
      const parts = word.split('-')
      if (parts.length === 3) year = parts.shift()!
      if (parts.length === 2) month = parts.shift()!
      return `${year}-${month}-${parts[0]}`
    })
}

type Known = [what: string, startsOn: string, rule: string, days: string, weekend?: Weekend]

const working = 'BYDAY=MO,TU,WE,TH,FR'
const ofRfc5545: Known[] = [
  ['daily for 10 days', '1997-09-02', 'FREQ=DAILY;COUNT=10', '1997-09-02 03 04 05 06 07 08 09 10 11'],
  ['every other day', '1997-09-02', 'FREQ=DAILY;INTERVAL=2', '1997-09-02 04 06 08 10 12 14 16 18 20 22 24 26 28 30 10-02 04'],
  ['every 10 days, 5 times', '1997-09-02', 'FREQ=DAILY;INTERVAL=10;COUNT=5', '1997-09-02 12 22 10-02 12'],
  ['weekly for 10 times', '1997-09-02', 'FREQ=WEEKLY;COUNT=10', '1997-09-02 09 16 23 30 10-07 14 21 28 11-04'],
  [
    'every other week',
    '1997-09-02',
    'FREQ=WEEKLY;INTERVAL=2;WKST=SU',
    '1997-09-02 16 30 10-14 28 11-11 25 12-09 23 1998-01-06 20 02-03 17',
  ],
  ['weekly on Tuesday and Thursday', '1997-09-02', 'FREQ=WEEKLY;COUNT=10;WKST=SU;BYDAY=TU,TH', '1997-09-02 04 09 11 16 18 23 25 30 10-02'],
  [
    'every other week on Monday, Wednesday and Friday until a day',
    '1997-09-01',
    'FREQ=WEEKLY;INTERVAL=2;UNTIL=19971223;WKST=SU;BYDAY=MO,WE,FR',
    '1997-09-01 03 05 15 17 19 29 10-01 03 13 15 17 27 29 31 11-10 12 14 24 26 28 12-08 10 12 22',
  ],
  [
    'every other week on Tuesday and Thursday',
    '1997-09-02',
    'FREQ=WEEKLY;INTERVAL=2;COUNT=8;WKST=SU;BYDAY=TU,TH',
    '1997-09-02 04 16 18 30 10-02 14 16',
  ],
  [
    'the first Friday',
    '1997-09-05',
    'FREQ=MONTHLY;COUNT=10;BYDAY=1FR',
    '1997-09-05 10-03 11-07 12-05 1998-01-02 02-06 03-06 04-03 05-01 06-05',
  ],
  [
    'first and last Sunday of every other month',
    '1997-09-07',
    'FREQ=MONTHLY;INTERVAL=2;COUNT=10;BYDAY=1SU,-1SU',
    '1997-09-07 28 11-02 30 1998-01-04 25 03-01 29 05-03 31',
  ],
  ['the second-to-last Monday', '1997-09-22', 'FREQ=MONTHLY;COUNT=6;BYDAY=-2MO', '1997-09-22 10-20 11-17 12-22 1998-01-19 02-16'],
  ['the third-to-last day', '1997-09-28', 'FREQ=MONTHLY;BYMONTHDAY=-3', '1997-09-28 10-29 11-28 12-29 1998-01-29 02-26'],
  ['the 2nd and 15th', '1997-09-02', 'FREQ=MONTHLY;COUNT=10;BYMONTHDAY=2,15', '1997-09-02 15 10-02 15 11-02 15 12-02 15 1998-01-02 15'],
  [
    'the first and the last day',
    '1997-09-30',
    'FREQ=MONTHLY;COUNT=10;BYMONTHDAY=1,-1',
    '1997-09-30 10-01 31 11-01 30 12-01 31 1998-01-01 31 02-01',
  ],
  [
    'the 10th to 15th of every 18th month',
    '1997-09-10',
    'FREQ=MONTHLY;INTERVAL=18;COUNT=10;BYMONTHDAY=10,11,12,13,14,15',
    '1997-09-10 11 12 13 14 15 1999-03-10 11 12 13',
  ],
  [
    'each Tuesday of every other month',
    '1997-09-02',
    'FREQ=MONTHLY;INTERVAL=2;BYDAY=TU',
    '1997-09-02 09 16 23 30 11-04 11 18 25 1998-01-06 13 20 27 03-03 10 17 24 31',
  ],
  [
    'yearly in June and July',
    '1997-06-10',
    'FREQ=YEARLY;COUNT=10;BYMONTH=6,7',
    '1997-06-10 07-10 1998-06-10 07-10 1999-06-10 07-10 2000-06-10 07-10 2001-06-10 07-10',
  ],
  [
    'January to March of every other year',
    '1997-03-10',
    'FREQ=YEARLY;INTERVAL=2;COUNT=10;BYMONTH=1,2,3',
    '1997-03-10 1999-01-10 02-10 03-10 2001-01-10 02-10 03-10 2003-01-10 02-10 03-10',
  ],
  [
    'days 1, 100 and 200 of every third year',
    '1997-01-01',
    'FREQ=YEARLY;INTERVAL=3;COUNT=10;BYYEARDAY=1,100,200',
    '1997-01-01 04-10 07-19 2000-01-01 04-09 07-18 2003-01-01 04-10 07-19 2006-01-01',
  ],
  ['the 20th Monday of the year', '1997-05-19', 'FREQ=YEARLY;BYDAY=20MO', '1997-05-19 1998-05-18 1999-05-17'],
  ['Monday of week 20', '1997-05-12', 'FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO', '1997-05-12 1998-05-11 1999-05-17'],
  ['each Thursday in March', '1997-03-13', 'FREQ=YEARLY;BYMONTH=3;BYDAY=TH', '1997-03-13 20 27 1998-03-05 12 19 26 1999-03-04 11 18 25'],
  [
    'each Thursday from June to August',
    '1997-06-05',
    'FREQ=YEARLY;BYDAY=TH;BYMONTH=6,7,8',
    '1997-06-05 12 19 26 07-03 10 17 24 31 08-07 14 21 28 1998-06-04 11',
  ],
  ['Friday the 13th', '1997-09-02', 'FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13', '1998-02-13 03-13 11-13 1999-08-13 2000-10-13'],
  [
    'the Saturday after the first Sunday',
    '1997-09-13',
    'FREQ=MONTHLY;BYDAY=SA;BYMONTHDAY=7,8,9,10,11,12,13',
    '1997-09-13 10-11 11-08 12-13 1998-01-10 02-07 03-07 04-11 05-09 06-13',
  ],
  [
    'the Tuesday after the first Monday of November, every fourth year',
    '1996-11-05',
    'FREQ=YEARLY;INTERVAL=4;BYMONTH=11;BYDAY=TU;BYMONTHDAY=2,3,4,5,6,7,8',
    '1996-11-05 2000-11-07 2004-11-02',
  ],
  [
    'the third of Tuesday, Wednesday and Thursday',
    '1997-09-04',
    'FREQ=MONTHLY;COUNT=3;BYDAY=TU,WE,TH;BYSETPOS=3',
    '1997-09-04 10-07 11-06',
  ],
  [
    'the second-to-last working day',
    '1997-09-29',
    `FREQ=MONTHLY;${working};BYSETPOS=-2`,
    '1997-09-29 10-30 11-27 12-30 1998-01-29 02-26 03-30',
  ],
  ['every other week from Monday on', '1997-08-05', 'FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=MO', '1997-08-05 10 19 24'],
  ['every other week from Sunday on', '1997-08-05', 'FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=SU', '1997-08-05 17 19 31'],
  ['an impossible day left out', '2007-01-15', 'RSCALE=GREGORIAN;FREQ=MONTHLY;BYMONTHDAY=15,30;COUNT=5', '2007-01-15 30 02-15 03-15 30'],
]
const ofRfc7529: Known[] = [
  ['the 31st left out', '2014-01-31', 'RSCALE=GREGORIAN;FREQ=MONTHLY;SKIP=OMIT;COUNT=4', '2014-01-31 03-31 05-31 07-31'],
  ['the 31st moved back', '2014-01-31', 'RSCALE=GREGORIAN;FREQ=MONTHLY;SKIP=BACKWARD;COUNT=4', '2014-01-31 02-28 03-31 04-30'],
  ['the 31st moved forward', '2014-01-31', 'RSCALE=GREGORIAN;FREQ=MONTHLY;SKIP=FORWARD;COUNT=4', '2014-01-31 03-01 03-31 05-01'],
  ['a leap day left out', '2012-02-29', 'RSCALE=GREGORIAN;FREQ=YEARLY;SKIP=OMIT', '2012-02-29 2016-02-29 2020-02-29'],
  [
    'a leap day moved back',
    '2012-02-29',
    'RSCALE=GREGORIAN;FREQ=YEARLY;SKIP=BACKWARD',
    '2012-02-29 2013-02-28 2014-02-28 2015-02-28 2016-02-29',
  ],
  [
    'a leap day moved forward',
    '2012-02-29',
    'RSCALE=GREGORIAN;FREQ=YEARLY;SKIP=FORWARD',
    '2012-02-29 2013-03-01 2014-03-01 2015-03-01 2016-02-29',
  ],
]
const ofTheCalendar: Known[] = [
  [
    '31 January becomes 28 February and 31 March',
    '2026-01-31',
    'FREQ=MONTHLY',
    '2026-01-31 02-28 03-31 04-30 05-31 06-30 07-31 08-31 09-30 10-31 11-30 12-31',
  ],
  [
    'the 31st by its number',
    '2026-01-31',
    'FREQ=MONTHLY;BYMONTHDAY=31',
    '2026-01-31 02-28 03-31 04-30 05-31 06-30 07-31 08-31 09-30 10-31 11-30 12-31',
  ],
  ['the 31st in a leap year', '2028-01-31', 'FREQ=MONTHLY;BYMONTHDAY=31', '2028-01-31 02-29 03-31 04-30'],
  ['the 29th to 31st are one day in February', '2026-01-29', 'FREQ=MONTHLY;BYMONTHDAY=29,30,31', '2026-01-29 30 31 02-28 03-29'],
  ['the 30th of February is its last day', '2027-01-01', 'FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30', '2027-02-28 2028-02-29 2029-02-28'],
  ['quarterly from 30 November', '2025-11-30', 'FREQ=MONTHLY;INTERVAL=3', '2025-11-30 2026-02-28 05-30 08-30 11-30 2027-02-28'],
  ['29 February every year', '2024-02-29', 'FREQ=YEARLY', '2024-02-29 2025-02-28 2026-02-28 2027-02-28 2028-02-29'],
  ['2100 has no leap day', '2096-02-29', 'FREQ=YEARLY;INTERVAL=4', '2096-02-29 2100-02-28 2104-02-29'],
  ['2100 has no leap day, and it is left out', '2096-02-29', 'FREQ=YEARLY;SKIP=OMIT', '2096-02-29 2104-02-29 2108-02-29'],
  [
    'moved forward onto a day that is there',
    '2026-01-01',
    'FREQ=MONTHLY;BYMONTHDAY=1,31;SKIP=FORWARD',
    '2026-01-01 31 02-01 03-01 31 04-01 05-01 31 06-01 07-01',
  ],
  [
    'moved forward within a year, counted by position',
    '2026-01-01',
    'FREQ=YEARLY;BYMONTH=2,3;BYMONTHDAY=1,31;SKIP=FORWARD;BYSETPOS=3',
    '2026-03-31 2027-03-31',
  ],
  ['the last day', '2026-01-31', 'FREQ=MONTHLY;BYMONTHDAY=-1', '2026-01-31 02-28 03-31 04-30'],
  ['the last working day', '2026-01-01', `FREQ=MONTHLY;${working};BYSETPOS=-1`, '2026-01-30 02-27 03-31 04-30 05-29 06-30'],
  ['the first working day', '2026-01-01', `FREQ=MONTHLY;${working};BYSETPOS=1`, '2026-01-01 02-02 03-02 04-01 05-01 06-01 07-01 08-03'],
  ['working days', '2026-01-01', `FREQ=DAILY;${working}`, '2026-01-01 02 05 06 07 08 09 12'],
  ['the second Sunday of May', '2026-01-01', 'FREQ=YEARLY;BYMONTH=5;BYDAY=2SU', '2026-05-10 2027-05-09 2028-05-14'],
  ['the fourth Thursday of November', '2026-01-01', 'FREQ=YEARLY;BYMONTH=11;BYDAY=4TH', '2026-11-26 2027-11-25 2028-11-23'],
  ['day 366', '2026-01-01', 'FREQ=YEARLY;BYYEARDAY=366', '2028-12-31 2032-12-31 2036-12-31'],
  ['the last day of the year', '2026-01-01', 'FREQ=YEARLY;BYYEARDAY=-1', '2026-12-31 2027-12-31 2028-12-31'],
  ['week 53', '2026-01-01', 'FREQ=YEARLY;BYWEEKNO=53;BYDAY=MO', '2026-12-28 2032-12-27 2037-12-28 2043-12-28'],
  ['the last week', '2026-01-01', 'FREQ=YEARLY;BYWEEKNO=-1;BYDAY=MO', '2026-12-28 2027-12-27 2028-12-25'],
  ['week 1 begins in the old year', '1997-09-02', 'FREQ=YEARLY;BYWEEKNO=1;BYDAY=MO', '1997-12-29 1999-01-04 2000-01-03'],
  ['a week takes the weekday of the first day', '1997-05-12', 'FREQ=YEARLY;BYWEEKNO=20', '1997-05-12 1998-05-11 1999-05-17'],
  ['the 53rd Monday', '2026-01-01', 'FREQ=YEARLY;BYDAY=53MO', '2029-12-31 2035-12-31 2040-12-31'],
  ['a first day that is none', '2026-01-15', 'FREQ=MONTHLY;BYMONTHDAY=1;COUNT=3', '2026-02-01 03-01 04-01'],
  ['until a day, itself included', '2026-01-05', 'FREQ=WEEKLY;UNTIL=20260119', '2026-01-05 12 19'],
  ['until an instant means its day', '2026-01-05', 'FREQ=WEEKLY;UNTIL=20260119T235959Z', '2026-01-05 12 19'],
  ['small letters and a name before it', '2026-01-05', 'rrule:freq=weekly;byday=mo,we', '2026-01-05 07 12 14'],
  ['every 14 days is every other week', '2026-03-28', 'FREQ=DAILY;INTERVAL=14', '2026-03-28 04-11 25 05-09'],
  ['the first of a month kept on weekends', '2026-01-01', 'FREQ=MONTHLY', '2026-01-01 02-01 03-01 04-01', 'keep'],
  [
    'the first of a month moved to Monday',
    '2026-01-01',
    'FREQ=MONTHLY',
    '2026-01-01 02-02 03-02 04-01 05-01 06-01 07-01 08-03 09-01 10-01 11-02 12-01',
    'after',
  ],
  [
    'the first of a month moved to Friday',
    '2026-01-01',
    'FREQ=MONTHLY',
    '2026-01-01 01-30 02-27 04-01 05-01 06-01 07-01 07-31 09-01 10-01 10-30 12-01',
    'before',
  ],
  ['daily moved to Monday is once', '2026-01-02', 'FREQ=DAILY', '2026-01-02 05 06 07 08 09 12', 'after'],
  ['daily moved to Friday is once', '2026-01-01', 'FREQ=DAILY', '2026-01-01 02 05 06 07 08 09 12', 'before'],
  ['the 31st moved back, then to Friday', '2026-01-31', 'FREQ=MONTHLY', '2026-01-30 02-27 03-31 04-30 05-29 06-30 07-31 08-31', 'before'],
]

for (const [what, startsOn, rule, text, weekend = 'keep'] of [...ofRfc5545, ...ofRfc7529, ...ofTheCalendar]) {
  test(`${what}: ${rule} from ${startsOn}`, () => {
    const known = daysOf(text)
    const schedule = { startsOn, rule, weekend }
    const to = /COUNT|UNTIL/.test(rule) ? dayMax : known.at(-1)!
    assert.deepEqual(scheduledDays(schedule, null, '1900-01-01', to), known)
    // Whichever day one begins at, the days behind it are the same.
    for (const from of [known[1]!, addDays(known[1]!, 1), known.at(-1)!]) {
      assert.deepEqual(
        scheduledDays(schedule, null, from, to),
        known.filter((day) => day >= from),
        `from ${from}`,
      )
    }
  })
}

test('the table is long enough', () => {
  assert.ok(ofRfc5545.length + ofRfc7529.length + ofTheCalendar.length >= 70)
})

test('a schedule ends on its last day', () => {
  const schedule = { startsOn: '2026-01-31', rule: 'FREQ=MONTHLY', weekend: 'keep' } as const
  assert.deepEqual(scheduledDays(schedule, '2026-03-31', '2026-01-01', dayMax), ['2026-01-31', '2026-02-28', '2026-03-31'])
  assert.equal(firstScheduledDay(schedule, '2026-03-30', '2026-03-01'), null)
})

for (const [rule, said] of [
  ['', /parts such as/],
  ['MONTHLY', /parts such as/],
  ['FREQ', /parts such as/],
  ['FREQ=', /parts such as/],
  ['INTERVAL=2', /needs FREQ/],
  ['FREQ=FORTNIGHTLY', /DAILY, WEEKLY/],
  ['FREQ=HOURLY', /of days/],
  ['FREQ=MINUTELY;INTERVAL=5', /of days/],
  ['FREQ=SECONDLY', /of days/],
  ['FREQ=DAILY;BYHOUR=9', /of days.*BYHOUR/],
  ['FREQ=DAILY;BYSECOND=0', /of days.*BYSECOND/],
  ['FREQ=DAILY;FREQ=DAILY', /FREQ twice/],
  ['FREQ=DAILY;BYEASTER=1', /no part BYEASTER/],
  ['FREQ=DAILY;INTERVAL=0', /INTERVAL/],
  ['FREQ=DAILY;INTERVAL=-1', /INTERVAL/],
  ['FREQ=DAILY;INTERVAL=1e3', /INTERVAL/],
  ['FREQ=DAILY;INTERVAL=99999999999999999999', /INTERVAL/],
  ['FREQ=DAILY;COUNT=0', /COUNT/],
  ['FREQ=DAILY;COUNT=1000000', /COUNT/],
  ['FREQ=DAILY;COUNT=3;UNTIL=20260101', /not both/],
  ['FREQ=DAILY;UNTIL=20260230', /UNTIL/],
  ['FREQ=DAILY;UNTIL=tomorrow', /UNTIL/],
  ['FREQ=MONTHLY;BYMONTHDAY=0', /BYMONTHDAY/],
  ['FREQ=MONTHLY;BYMONTHDAY=32', /BYMONTHDAY/],
  ['FREQ=MONTHLY;BYMONTHDAY=1,,2', /BYMONTHDAY/],
  ['FREQ=YEARLY;BYMONTH=13', /BYMONTH/],
  ['FREQ=YEARLY;BYMONTH=-1', /BYMONTH/],
  ['FREQ=YEARLY;BYWEEKNO=54', /BYWEEKNO/],
  ['FREQ=YEARLY;BYYEARDAY=367', /BYYEARDAY/],
  ['FREQ=YEARLY;BYDAY=54MO', /BYDAY/],
  ['FREQ=MONTHLY;BYDAY=0MO', /BYDAY/],
  ['FREQ=MONTHLY;BYDAY=XX', /BYDAY/],
  ['FREQ=WEEKLY;BYDAY=1MO', /numbered weekdays/],
  ['FREQ=DAILY;BYDAY=-1FR', /numbered weekdays/],
  ['FREQ=YEARLY;BYWEEKNO=3;BYDAY=1MO', /numbered weekdays/],
  ['FREQ=MONTHLY;BYWEEKNO=3', /BYWEEKNO/],
  ['FREQ=MONTHLY;BYYEARDAY=3', /BYYEARDAY/],
  ['FREQ=WEEKLY;BYMONTHDAY=3', /BYMONTHDAY/],
  ['FREQ=MONTHLY;BYSETPOS=1', /another BY part/],
  ['FREQ=MONTHLY;BYDAY=MO;BYSETPOS=0', /BYSETPOS/],
  ['FREQ=WEEKLY;WKST=XX', /WKST/],
  ['RSCALE=HEBREW;FREQ=YEARLY', /RSCALE/],
  ['FREQ=MONTHLY;SKIP=SIDEWAYS', /SKIP/],
  [`FREQ=DAILY;BYMONTH=${'1,'.repeat(25_000)}1`, /500 characters/],
  ['FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30;SKIP=OMIT', /never comes/],
  ['FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30', /never comes/],
  ['FREQ=YEARLY;BYMONTH=1;BYYEARDAY=200', /never comes/],
  ['FREQ=WEEKLY;BYDAY=MO;BYSETPOS=2', /never comes/],
  ['FREQ=DAILY;UNTIL=20251231', /never comes/],
] as const) {
  test(`refused in words: ${rule.slice(0, 60)}`, () => assert.match(problemOfRule('2026-01-01', rule) ?? 'taken', said))
}

const pick = (...words: string[]) => fc.constantFrom(...words)
const listOf = (each: fc.Arbitrary<string | number>) => fc.array(each, { minLength: 1, maxLength: 30 }).map((list) => list.join(','))
const signed = (max: number) => fc.integer({ min: -max, max })
const parts = fc.tuple(
  fc.constantFrom('DAILY', 'WEEKLY', 'MONTHLY', 'YEARLY').map((each) => `FREQ=${each}`),
  fc.subarray(['INTERVAL', 'COUNT', 'WKST', 'BYMONTH', 'BYWEEKNO', 'BYYEARDAY', 'BYMONTHDAY', 'BYDAY', 'BYSETPOS', 'SKIP']),
  fc.record<Record<string, fc.Arbitrary<string | number>>>({
    INTERVAL: fc.oneof(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 10_000 })) as never,
    COUNT: fc.integer({ min: 1, max: limits.billCountMax }) as never,
    WKST: pick('MO', 'SU', 'WE') as never,
    BYMONTH: listOf(fc.integer({ min: 1, max: 12 })) as never,
    BYWEEKNO: listOf(signed(53)) as never,
    BYYEARDAY: listOf(signed(366)) as never,
    BYMONTHDAY: listOf(signed(31)) as never,
    BYDAY: listOf(
      fc.oneof(
        pick('MO', 'TU', 'SA', 'SU'),
        fc.tuple(signed(53), pick('MO', 'FR')).map((pair) => pair.join('')),
      ),
    ) as never,
    BYSETPOS: listOf(signed(366)) as never,
    SKIP: pick('OMIT', 'BACKWARD', 'FORWARD') as never,
  }),
)
const rules = parts.map(([frequency, names, values]) => [frequency, ...names.map((name) => `${name}=${String(values[name])}`)].join(';'))
const starts = fc.integer({ min: 0, max: 83_000 }).map((days) => addDays('1970-01-01', days))

/** Days that the code may look at, counted instead of timed: reading a rule must not go on for ever. */
test('any rule is refused in words or gives days that rise, never before its first and each once', (t) => {
  const seed = Math.trunc(Math.random() * 2 ** 31)
  t.diagnostic(`seed ${seed}`)
  let taken = 0
  fc.assert(
    fc.property(rules, starts, pick('keep', 'before', 'after'), fc.nat(2_000), (rule, startsOn, weekend, behind) => {
      try {
        parseRule(rule)
      } catch (error) {
        assert.ok(error instanceof RuleError, String(error))
        return
      }
      taken++
      const schedule = { startsOn, rule, weekend: weekend as Weekend }
      const from = addDays(startsOn, behind)
      const to = addDays(from, 800)
      const days = scheduledDays(schedule, null, from, to)
      assert.deepEqual(days, [...new Set(days)].toSorted())
      for (const day of days) {
        assert.ok(isDay(day) && day >= from && day <= to && daysBetween(startsOn, day) >= -2, day)
        if (weekend !== 'keep') assert.ok(new Date(day).getUTCDay() % 6 !== 0, `${day} is a weekday`)
      }
      // A window is a window: what is found does not depend on where one began to look.
      const middle = addDays(from, 400)
      assert.deepEqual([...scheduledDays(schedule, null, from, addDays(middle, -1)), ...scheduledDays(schedule, null, middle, to)], days)
      if (days.length > 0) assert.equal(firstScheduledDay(schedule, null, from), days[0])
    }),
    { seed, numRuns: 1_000 },
  )
  assert.ok(taken > 50, `only ${taken} rules were taken with seed ${seed}`)
})

test('texts that are no rule are refused in words', (t) => {
  const seed = Math.trunc(Math.random() * 2 ** 31)
  t.diagnostic(`seed ${seed}`)
  const texts = fc.oneof(
    fc.string({ maxLength: 600 }),
    fc.string({ unit: 'binary' }),
    fc.array(pick('FREQ=', 'DAILY', ';', '=', ',', '-', '1', 'BYDAY', 'MO', 'RRULE:')).map((all) => all.join('')),
  )
  fc.assert(
    fc.property(texts, (rule) => {
      const problem = problemOfRule('2026-01-01', rule)
      assert.ok(problem === null || problem.length > 0)
    }),
    { seed, numRuns: 1_000 },
  )
})

test('the days that a zone skips or repeats move no schedule', () => {
  const schedule = { startsOn: '2011-12-28', rule: 'FREQ=DAILY', weekend: 'keep' } as const
  // Samoa had no 30 December 2011: the day stands in the schedule, and is overdue from the 31st on.
  assert.deepEqual(scheduledDays(schedule, null, '2011-12-28', '2011-12-31'), ['2011-12-28', '2011-12-29', '2011-12-30', '2011-12-31'])
  const apia = (instant: string) => dayOf(Date.parse(instant), 'Pacific/Apia')
  assert.deepEqual([apia('2011-12-30T09:59:00Z'), apia('2011-12-30T10:01:00Z')], ['2011-12-29', '2011-12-31'])
  assert.equal(statusOf({ date: '2011-12-30', skipped: false, paid: false }, apia('2011-12-30T10:01:00Z')), 'overdue')
})

for (const [zone, instant, day] of [
  // Clocks go forward at 01:00 in Lisbon, back at 02:00: 23:30 is the same day either way.
  ['Europe/Lisbon', '2026-03-28T23:30:00Z', '2026-03-28'],
  ['Europe/Lisbon', '2026-03-29T22:30:00Z', '2026-03-29'],
  ['Europe/Lisbon', '2026-03-29T23:00:00Z', '2026-03-30'],
  ['Europe/Lisbon', '2026-10-24T22:30:00Z', '2026-10-24'],
  ['Europe/Lisbon', '2026-10-25T23:30:00Z', '2026-10-25'],
  // São Paulo went forward at midnight: 4 November 2018 began at 01:00.
  ['America/Sao_Paulo', '2018-11-04T02:59:59Z', '2018-11-03'],
  ['America/Sao_Paulo', '2018-11-04T03:00:00Z', '2018-11-04'],
  // And back at midnight: the hour from 23:00 on 17 February 2018 came twice.
  ['America/Sao_Paulo', '2018-02-18T01:30:00Z', '2018-02-17'],
  ['America/Sao_Paulo', '2018-02-18T02:30:00Z', '2018-02-17'],
  ['America/Sao_Paulo', '2018-02-18T03:00:00Z', '2018-02-18'],
  ['Pacific/Kiritimati', '2026-01-30T10:30:00Z', '2026-01-31'],
  ['America/Los_Angeles', '2026-02-01T07:30:00Z', '2026-01-31'],
] as const) {
  test(`${instant} is ${day} in ${zone}, and what is due then is due and not overdue`, () => {
    const today = dayOf(Date.parse(instant), zone)
    assert.equal(today, day)
    assert.equal(statusOf({ date: day, skipped: false, paid: false }, today), 'due')
    assert.equal(statusOf({ date: addDays(day, -1), skipped: false, paid: false }, today), 'overdue')
  })
}

test('a plan raises what is due up to the horizon, in chunks, and knows what comes next', () => {
  const schedule = { startsOn: '2026-01-31', rule: 'FREQ=MONTHLY', weekend: 'keep' } as const
  assert.deepEqual(planDays({ schedule, endsOn: null, nextDate: '2026-01-29' }, '2026-02-01'), {
    days: ['2026-01-31', '2026-02-28', '2026-03-31'],
    next: '2026-04-30',
  })
  const daily = { startsOn: '1990-01-01', rule: 'FREQ=DAILY', weekend: 'keep' } as const
  const first = planDays({ schedule: daily, endsOn: null, nextDate: '1990-01-01' }, '2026-06-30')
  assert.deepEqual(
    [first.days.length, first.days[0], first.next],
    [limits.billChunkRows, '2024-06-29', first.days.length && addDays('2024-06-29', limits.billChunkRows)],
  )
  const rest = planDays({ schedule: daily, endsOn: null, nextDate: first.next! }, '2026-06-30')
  assert.deepEqual([rest.days[0], rest.days.at(-1), rest.next], [first.next, '2026-08-31', '2026-09-01'])
  assert.equal(planDays({ schedule, endsOn: '2026-02-28', nextDate: '2026-01-29' }, '2026-02-01').next, null)
})

test('of the reminders that have come only the newest is told, and none of before the bill', () => {
  const since = '2026-01-01'
  assert.deepEqual(reminderOn('2026-03-10', [7, 3, 0], '2026-03-02', since), { told: null, next: '2026-03-03' })
  assert.deepEqual(reminderOn('2026-03-10', [7, 3, 0], '2026-03-03', since), { told: '2026-03-03', next: '2026-03-07' })
  assert.deepEqual(reminderOn('2026-03-10', [7, 3, 0], '2026-03-09', since), { told: '2026-03-07', next: '2026-03-10' })
  assert.deepEqual(reminderOn('2026-03-10', [7, 3, 0], '2026-03-25', since), { told: '2026-03-10', next: null })
  assert.deepEqual(reminderOn('2026-03-10', [7, 3, 0], '2026-06-25', since), { told: null, next: null }, 'too late to be of use')
  assert.deepEqual(reminderOn('2026-03-10', [7, 3, 0], '2026-03-08', '2026-03-08'), { told: null, next: '2026-03-10' })
  assert.deepEqual(reminderOn('2026-03-10', [], '2026-03-10', since), { told: null, next: null })
})

test('what remains is measured to the end of the range that is nearer to nothing', () => {
  const row = { date: '2026-01-31', skipped: false, paid: false, paidAmount: -30, amountMin: -120, amountMax: -80 }
  assert.equal(presentOccurrence(row, '2026-01-31').remaining, -50)
  assert.equal(presentOccurrence({ ...row, paid: true, paidAmount: -100 }, '2026-01-31').remaining, 0)
  assert.deepEqual(
    [nearerEnd({ amountMin: 80, amountMax: 120 }), nearerEnd({ amountMin: -5, amountMax: 5 }), nearerEnd({ amountMin: 0, amountMax: 9 })],
    [80, 0, 0],
  )
})

test('a forecast ends with a month', () => {
  assert.deepEqual(
    [lastDay('2026-11-24', 1), lastDay('2026-11-24', 12), lastDay('2027-12-31', 3)],
    ['2026-11-30', '2027-10-31', '2028-02-29'],
  )
})
