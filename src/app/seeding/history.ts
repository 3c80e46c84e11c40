// The made-up history of a household: accounts, and rows over up to three years that end today. Pure: the same for the same seed, number and day.
import { defaultCategories } from '../../features/system/data/categories.ts'
import { between, drawFrom, type Draw } from './draw.ts'

export type SeedAccount = { name: string; kind: string; currency: string; openingBalance: number }
export type SeedSplit = { amount: number; category: number }
/** Accounts and categories by their place, days by their number since 1970-01-01. */
export type SeedTransaction = {
  account: number
  day: number
  amount: number
  payee: number
  note: string
  category: number
  splits: SeedSplit[] | null
  pending: boolean
  /** The transfer's place, or -1. */
  transfer: number
  side: 'from' | 'to' | null
}
export type SeedHousehold = {
  number: number
  currency: string
  timeZone: string
  accounts: SeedAccount[]
  transactions: SeedTransaction[]
  transfers: number
}

export const daysMax = 3 * 365
const shares = { transfer: 0.025, split: 0.03, note: 0.04, foreignAccount: 0.25, weekend: 0.3 }

const places: readonly [timeZone: string, currency: string][] = [
  ['Europe/Lisbon', 'EUR'],
  ['Europe/Berlin', 'EUR'],
  ['Europe/Paris', 'EUR'],
  ['Europe/London', 'GBP'],
  ['America/New_York', 'USD'],
  ['America/Los_Angeles', 'USD'],
  ['Europe/Zurich', 'CHF'],
  ['Australia/Sydney', 'AUD'],
]
export const timeZones: readonly string[] = places.map(([zone]) => zone)
export const currencies: readonly string[] = [...new Set(places.map(([, currency]) => currency))]

const accountKinds: readonly [name: string, kind: string, least: number, most: number][] = [
  ['Current account', 'checking', -50_000, 900_000],
  ['Credit card', 'creditCard', -120_000, 0],
  ['Wallet', 'cash', 0, 20_000],
  ['Savings', 'savings', 0, 4_000_000],
  ['Joint account', 'checking', 0, 300_000],
  ['Investments', 'investment', 0, 9_000_000],
]

/** Account (0 current, 1 card, 2 cash), payee, branches, amounts, weight, category. */
const outlets: readonly [
  account: number,
  payee: string,
  branches: number,
  least: number,
  most: number,
  weight: number,
  category: string,
][] = [
  [1, 'Mercado Central', 12, -9_800, -900, 20, 'food-groceries'],
  [1, 'Super Dois', 20, -6_200, -400, 14, 'food-groceries'],
  [2, 'Padaria do Bairro', 8, -980, -190, 12, 'food-coffee'],
  [1, 'Corner Coffee', 30, -890, -250, 8, 'food-coffee'],
  [1, 'Tasca da Esquina', 15, -7_400, -1_100, 7, 'food-restaurants'],
  [0, 'Metro', 4, -4_000, -160, 6, 'transport-public'],
  [1, 'Fuel Point', 25, -8_800, -2_500, 4, 'transport-fuel'],
  [1, 'Ride Now', 1, -3_100, -480, 3, 'transport-taxi'],
  [1, 'Streamly', 1, -1_799, -799, 3, 'leisure-subscriptions'],
  [1, 'Book Corner', 9, -4_500, -700, 2, 'leisure-hobbies'],
  [1, 'Cinema Ideal', 6, -2_400, -800, 2, 'leisure-entertainment'],
  [1, 'Thread and Needle', 10, -14_900, -1_500, 2, 'shopping-clothing'],
  [1, 'Volt Electronics', 8, -89_900, -1_900, 1, 'shopping-electronics'],
  [1, 'Farmacia Sol', 12, -5_200, -350, 3, 'health-medical'],
  [0, 'City Gym', 5, -4_450, -2_450, 1, 'health-sport'],
  [0, 'Sol y Mar Homes', 1, -165_000, -65_000, 2, 'housing-rent'],
  [0, 'Iberluz Energy', 1, -19_840, -3_100, 2, 'housing-utilities'],
  [0, 'FibraNet', 1, -5_990, -2_490, 2, 'housing-communication'],
  [1, 'Casa Nova', 7, -45_000, -600, 1, 'housing-furnishing'],
  [0, 'Little School', 3, -32_000, -1_500, 1, 'family-education'],
  [0, 'Safe Harbour Insurance', 1, -24_000, -1_900, 1, 'finance-insurance'],
  [0, 'Account fee', 1, -900, -100, 1, 'finance-fees'],
  [0, 'Northwind Software', 1, 180_000, 520_000, 3, 'work-income-salary'],
  [0, 'Interest', 1, 1, 4_200, 1, 'investment-income-interest'],
  [1, 'Refund', 1, 500, 8_000, 1, 'other-income-refunds'],
]
export const notes: readonly string[] = ['Shared', 'For the weekend', 'Ask for the receipt', 'Birthday']

const categoryPlaces = new Map(defaultCategories.map(({ key }, place) => [key, place]))
const categoryPlace = (key: string) => {
  const place = categoryPlaces.get(key)
  if (place === undefined) throw new Error(`The seed names a category that is not there: ${key}`)
  return place
}
const outletCategories = outlets.map(([, , , , , , category]) => categoryPlace(category))
const splitCategory = categoryPlace('shopping-care')
const firstPayees: number[] = []
/** The words that a row's payee stands for; the first says nothing. */
export const payees: readonly string[] = [
  '',
  ...outlets.flatMap(([, payee, branches]) => (branches === 1 ? [payee] : namesOf(payee, branches))),
]
outlets.reduce((first, [, , branches]) => (firstPayees.push(first), first + branches), 1)
/** Each outlet as often as it weighs. */
const wheel = outlets.flatMap(([, , , , , weight], outlet) => Array.from({ length: weight }, () => outlet))

function namesOf(payee: string, branches: number): string[] {
  return Array.from({ length: branches }, (_, nth) => `${payee} ${nth + 1}`)
}

/** `todayOf` says the day of the run in a zone. */
export function makeHousehold(seed: number, number: number, size: number, todayOf: (timeZone: string) => number): SeedHousehold {
  const draw = drawFrom(seed, number)
  const [timeZone, currency] = places[Math.floor(draw() * draw() * places.length)]!
  const accounts = makeAccounts(draw, currency)
  const today = todayOf(timeZone)
  // From one to three rows a day: who has few came lately, who has very many has them on all days of the three years.
  const days = Math.min(daysMax, Math.max(1, Math.ceil(size / (1 + 2 * draw()))))
  const transactions: SeedTransaction[] = []
  let transfers = 0
  while (transactions.length < size) {
    let day = today - days + 1 + Math.floor((transactions.length * days) / size)
    // Shops see people on Saturdays: day 2 of 1970 was one.
    if (draw() < shares.weekend && transactions.length > 7) day = Math.max(today - days + 1, day - ((day - 2) % 7))
    if (size - transactions.length >= 2 && draw() < shares.transfer) transactions.push(...makeTransfer(draw, accounts, day, transfers++))
    else transactions.push(makeRow(draw, accounts, day, today))
  }
  return { number, currency, timeZone, accounts, transactions, transfers }
}

function makeAccounts(draw: Draw, currency: string): SeedAccount[] {
  const count = 2 + Math.floor(5 * draw() * Math.sqrt(draw()))
  const foreign = count > 2 && draw() < shares.foreignAccount ? count - 1 : -1
  return accountKinds.slice(0, count).map(([name, kind, least, most], place) => ({
    name: place === foreign ? 'Travel account' : name,
    kind: place === foreign ? 'checking' : kind,
    currency: place === foreign ? (currency === 'USD' ? 'EUR' : 'USD') : currency,
    openingBalance: between(draw, least, most),
  }))
}

function makeTransfer(draw: Draw, accounts: SeedAccount[], day: number, transfer: number): [SeedTransaction, SeedTransaction] {
  const from = draw() < 0.8 ? 0 : between(draw, 0, accounts.length - 1)
  const to = (from + between(draw, 1, accounts.length - 1)) % accounts.length
  const amount = between(draw, 1_000, 90_000)
  const received = accounts[from]!.currency === accounts[to]!.currency ? amount : Math.round(amount * (0.9 + 0.2 * draw()))
  const leg = { day, payee: 0, note: '', category: -1, splits: null, pending: false, transfer }
  return [
    { ...leg, account: from, amount: -amount, side: 'from' },
    { ...leg, account: to, amount: received, side: 'to' },
  ]
}

function makeRow(draw: Draw, accounts: SeedAccount[], day: number, today: number): SeedTransaction {
  const outlet = wheel[Math.floor(draw() * wheel.length)]!
  const [wanted, , branches, least, most] = outlets[outlet]!
  // One in ten goes over another account.
  const account = draw() < 0.1 ? between(draw, 0, accounts.length - 1) : wanted < accounts.length ? wanted : 0
  const amount = between(draw, least, most)
  const category = draw() < 0.04 ? -1 : outletCategories[outlet]!
  const part = Math.floor(amount * (0.1 + 0.5 * draw()))
  const split = draw() < shares.split && amount < -100
  return {
    account,
    day,
    amount,
    payee: firstPayees[outlet]! + Math.floor(draw() * branches),
    note: draw() < shares.note ? notes[Math.floor(draw() * notes.length)]! : '',
    category,
    splits: split
      ? [
          { amount: amount - part, category },
          { amount: part, category: splitCategory },
        ]
      : null,
    // What the bank has not settled yet.
    pending: day > today - 2 && accounts[account]!.kind !== 'cash' && draw() < 0.7,
    transfer: -1,
    side: null,
  }
}
