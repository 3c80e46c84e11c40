// A year of a made-up household: plausible amounts on plausible days, the same for the same seed and day.
import { addDays, dayFrom, type Day } from '../values/day.ts'

export type DemoAccount = { key: string; name: string; kind: string; currency: string; openingBalance: number }
export type DemoTransaction = {
  account: string
  date: Day
  amount: number
  payee: string
  note: string
  category: string
  splits?: { amount: number; category: string; note: string }[]
  status: 'pending' | 'posted'
}
export type DemoTransfer = { from: string; to: string; date: Day; amount: number; toAmount?: number; note: string }

export const demoAccounts: DemoAccount[] = [
  { key: 'current', name: 'Current account', kind: 'checking', currency: 'EUR', openingBalance: 184_250 },
  { key: 'savings', name: 'Savings', kind: 'savings', currency: 'EUR', openingBalance: 620_000 },
  { key: 'card', name: 'Credit card', kind: 'creditCard', currency: 'EUR', openingBalance: -21_340 },
  { key: 'travel', name: 'Dollar account', kind: 'checking', currency: 'USD', openingBalance: 45_000 },
  { key: 'cash', name: 'Wallet', kind: 'cash', currency: 'EUR', openingBalance: 6_000 },
]

/** mulberry32: small, fast, good enough for a demo. */
function random(seed: number) {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

/** Units for one euro, about. */
const demoCurrencies: [currency: string, rate: number, digits: number][] = [
  ['USD', 1.084, 4],
  ['GBP', 0.852, 5],
  ['JPY', 163.4, 2],
]

const monthly: [number, string, number, string, string][] = [
  [1, 'Sol y Mar Homes', -98_000, 'housing-rent', 'Rent'],
  [3, 'Iberluz Energy', -7_840, 'housing-utilities', 'Electricity'],
  [5, 'FibraNet', -3_990, 'housing-communication', 'Internet and phone'],
  [8, 'Streamly', -1_299, 'leisure-subscriptions', ''],
  [12, 'City Gym', -3_450, 'health-sport', 'Membership'],
  [15, 'Metro Lisboa', -4_000, 'transport-public', 'Monthly pass'],
  [27, 'Northwind Software', 284_500, 'work-income-salary', 'Salary'],
]
const daily: [string, string, number, number, number, string][] = [
  // account, payee, least, most, chance a day, category
  ['card', 'Mercado Central', -6_900, -1_450, 0.34, 'food-groceries'],
  ['card', 'Super Dois', -4_200, -600, 0.22, 'food-groceries'],
  ['cash', 'Padaria do Bairro', -780, -240, 0.5, 'food-coffee'],
  ['card', 'Tasca da Esquina', -5_400, -1_800, 0.12, 'food-restaurants'],
  ['card', 'Fuel Point', -6_800, -3_500, 0.05, 'transport-fuel'],
  ['card', 'Book Corner', -4_500, -900, 0.04, 'leisure-hobbies'],
  ['card', 'Farmacia Sol', -3_200, -500, 0.04, 'health-medical'],
  ['card', 'Cinema Ideal', -2_400, -900, 0.05, 'leisure-entertainment'],
]

/** The year that ends today. */
export function demoHistory(today: Day, seed = 20_260): { transactions: DemoTransaction[]; transfers: DemoTransfer[] } {
  const draw = random(seed)
  const between = (least: number, most: number) => Math.round(least + draw() * (most - least))
  const transactions: DemoTransaction[] = []
  const transfers: DemoTransfer[] = []
  for (let day = addDays(today, -364); day <= today; day = addDays(day, 1)) {
    const [year, month, date] = day.split('-').map(Number) as [number, number, number]
    const status = day >= addDays(today, -1) ? 'pending' : 'posted'
    for (const [due, payee, amount, category, note] of monthly) {
      if (date === due) transactions.push({ account: 'current', date: day, amount, payee, note, category, status: 'posted' })
    }
    for (const [account, payee, least, most, chance, category] of daily) {
      if (draw() >= chance) continue
      const amount = between(least, most)
      const split = payee === 'Mercado Central' && amount < -5_000
      transactions.push({
        account,
        date: day,
        amount,
        payee,
        note: '',
        category,
        status: account === 'cash' ? 'posted' : status,
        ...(split
          ? {
              splits: [
                { amount: amount + 1_290, category: 'food-groceries', note: '' },
                { amount: -1_290, category: 'housing-furnishing', note: 'Cleaning things' },
              ],
            }
          : {}),
      })
    }
    if (date === 2) transfers.push({ from: 'current', to: 'savings', date: day, amount: 35_000, note: 'Set aside' })
    if (date === 20) transfers.push({ from: 'current', to: 'card', date: day, amount: between(55_000, 90_000), note: 'Card bill' })
    if (date === 6 || date === 21) transfers.push({ from: 'current', to: 'cash', date: day, amount: 10_000, note: 'Cash machine' })
    const trip = dayFrom(year, 7, 10)
    if (day === trip) transfers.push({ from: 'savings', to: 'travel', date: day, amount: 110_000, toAmount: 119_240, note: 'For the trip' })
    if (month === 7 && date >= 12 && date <= 22 && draw() < 0.8) {
      transactions.push({
        account: 'travel',
        date: day,
        amount: between(-9_500, -1_100),
        payee: draw() < 0.5 ? 'Blue Diner' : 'Harbor Hotel',
        note: 'Holiday',
        category: 'leisure-travel',
        status: 'posted',
      })
    }
  }
  return { transactions, transfers }
}

/** A rate each Monday, back to before the year that ends today: made up, swinging by 3 % over a year, the same for the same day. */
export function demoRates(today: Day): { currency: string; day: Day; rate: string }[] {
  const mondays: Day[] = []
  // The first day of the year needs one at most 10 days older.
  for (let day = addDays(today, -374); day <= today; day = addDays(day, 1)) if (new Date(day).getUTCDay() === 1) mondays.push(day)
  return mondays.flatMap((day) => {
    const swing = 1 + 0.03 * Math.sin((Date.parse(day) / 86_400_000 / 365) * 2 * Math.PI)
    return demoCurrencies.map(([currency, rate, digits]) => ({ currency, day, rate: (rate * swing).toFixed(digits) }))
  })
}
