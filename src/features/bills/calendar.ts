// Arithmetic of the Gregorian calendar on day numbers, days since 1970-01-01: rules try many days, and numbers are quick.
import { isLeapYear, type Day } from '../../values/day.ts'

export type MonthOf = { year: number; month: number; date: number }

const dayMs = 86_400_000
const monthLengths = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

export function dayNumber(day: Day): number {
  return Date.parse(day) / dayMs
}

export function textOf(number: number): Day {
  return new Date(number * dayMs).toISOString().slice(0, 10)
}

/** Monday is 0. */
export function weekdayOf(number: number): number {
  return (((number + 3) % 7) + 7) % 7
}

export function yearDays(year: number): number {
  return isLeapYear(year) ? 366 : 365
}

export function daysInMonth(year: number, month: number): number {
  return month === 2 && isLeapYear(year) ? 29 : monthLengths[month - 1]!
}

/** The number of the first of January. */
export function yearOf(year: number): number {
  const before = year - 1
  return before * 365 + Math.floor(before / 4) - Math.floor(before / 100) + Math.floor(before / 400) - 719_162
}

export function monthOf(number: number): MonthOf {
  // Years that begin in March end with their leap day; 400 of them have 146,097 days.
  const shifted = number + 719_468
  const era = Math.floor(shifted / 146_097)
  const ofEra = shifted - era * 146_097
  const yearOfEra = Math.floor((ofEra - Math.floor(ofEra / 1460) + Math.floor(ofEra / 36_524) - Math.floor(ofEra / 146_096)) / 365)
  const ofYear = ofEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const sinceMarch = Math.floor((5 * ofYear + 2) / 153)
  const month = sinceMarch < 10 ? sinceMarch + 3 : sinceMarch - 9
  const date = ofYear - Math.floor((153 * sinceMarch + 2) / 5) + 1
  return { year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, date }
}

/** The week of a day and how many its year has: week 1 is the first with four days in the year (RFC 5545, BYWEEKNO). */
export function weekOf(number: number, weekStart: number): { week: number; weeksOfYear: number } {
  // The fourth day of a week lies in the year that the week is of.
  const middle = number - ((weekdayOf(number) - weekStart + 7) % 7) + 3
  const { year } = monthOf(middle)
  const week = Math.floor((middle - yearOf(year)) / 7) + 1
  const lastMiddle = yearOf(year + 1) - 1
  // The last week is that of the last fourth day in the year.
  const offset = (weekdayOf(lastMiddle) - ((weekStart + 3) % 7) + 7) % 7
  return { week, weeksOfYear: Math.floor((lastMiddle - offset - yearOf(year)) / 7) + 1 }
}
