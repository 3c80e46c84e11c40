// What no machine can measure and whoever runs the service declares: table declared_facts. Pure.

export type Fact = { name: string; says: string; kind: 'number' | 'yes' }

export const facts: readonly Fact[] = [
  { name: 'team-size', says: 'people who change the code', kind: 'number' },
  { name: 'zero-downtime', says: 'a deploy or a restart may not cost a request', kind: 'yes' },
  { name: 'durable-cache', says: 'a cache must survive restarts', kind: 'yes' },
  { name: 'far-users-ms', says: 'round trip in ms of users far away', kind: 'number' },
  { name: 'bounded-contexts', says: 'parts with data and teams of their own, clearly apart', kind: 'yes' },
  { name: 'uneven-scaling', says: 'parts that need machines of another size or number', kind: 'yes' },
]

const valueMax = 1_000_000

/** `team-size=8`, `zero-downtime=yes`; throws a sentence for anything else. */
export function readFact(text: string): { name: string; value: number } {
  const [name = '', given = ''] = text.split('=', 2)
  const fact = facts.find((each) => each.name === name)
  if (!fact) throw new Error(`there is no fact ${JSON.stringify(name)}: ${facts.map((each) => each.name).join(', ')}`)
  if (fact.kind === 'yes') {
    if (given !== 'yes' && given !== 'no') throw new Error(`${name} is yes or no, not ${JSON.stringify(given)}`)
    return { name, value: given === 'yes' ? 1 : 0 }
  }
  if (!/^\d{1,7}$/.test(given) || Number(given) > valueMax)
    throw new Error(`${name} is a whole number up to ${valueMax}, not ${JSON.stringify(given)}`)
  return { name, value: Number(given) }
}
