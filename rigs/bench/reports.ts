// Reports of a household of 50,000 transactions over HTTP: how long each takes, one after another.
import { fillLargeHousehold, fillRates } from '../../test/database/large-household.ts'
import { open } from '../../test/harness.ts'
import { median, type Figure } from './figure.ts'

const warmUps = 10
const rounds = 40

export async function measureReports(): Promise<Figure[]> {
  const djinn = await open()
  try {
    const person = await djinn.person()
    const now = Temporal.Now.plainDateISO('UTC')
    const first = now.with({ day: 1 }).subtract({ months: 60 })
    await fillLargeHousehold(djinn, person, first.toString())
    await fillRates(djinn, first.toString(), now.toString())
    const month = (ago: number) => now.subtract({ months: ago }).toString().slice(0, 7)
    const then = now.subtract({ months: 30 }).with({ day: 15 }).toString()
    const figures: Figure[] = []
    for (const [name, path] of Object.entries({
      'spending of 12 months': 'spending',
      'spending of 24 months by category': `spending?from=${month(23)}&by=category`,
      'cash flow of 12 months': 'cash-flow',
      'cash flow of 24 months': `cash-flow?from=${month(23)}`,
      'net worth of 12 months': 'net-worth',
      'net worth of 60 months': `net-worth?from=${month(59)}`,
      'balances on a day 30 months ago': `balance?date=${then}`,
      'balances of then as they were known then': `balance?date=${then}&knownAt=${then}T12:00:00Z`,
      'balances of then as they were known last month': `balance?date=${then}&knownAt=${month(1)}-15T12:00:00Z`,
    })) {
      const times: number[] = []
      for (let round = 0; round < warmUps + rounds; round++) {
        const startedMs = performance.now()
        const answer = await fetch(`${djinn.url}/api/reports/${path}`, { headers: { authorization: `Bearer ${person.accessToken}` } })
        await answer.text()
        times.push(performance.now() - startedMs)
        if (!answer.ok) throw new Error(`${path}: ${answer.status}`)
      }
      figures.push({ name, value: median(times.slice(warmUps)), unit: 'ms', target: 20 })
    }
    return figures
  } finally {
    await djinn.close()
  }
}
