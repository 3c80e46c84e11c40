// The servers that are rented by the month, and the path of growth in them, with what each step of it costs.

export type Server = { name: string; cpus: number; memoryBytes: number; diskBytes: number; eurPerMonth: number }

const GB = 1024 ** 3
export const servers: readonly Server[] = [
  { name: 'CX22', cpus: 2, memoryBytes: 4 * GB, diskBytes: 40e9, eurPerMonth: 3.79 },
  { name: 'CX32', cpus: 4, memoryBytes: 8 * GB, diskBytes: 80e9, eurPerMonth: 7.59 },
  { name: 'CX42', cpus: 8, memoryBytes: 16 * GB, diskBytes: 160e9, eurPerMonth: 15.49 },
]
export const loadBalancerEurPerMonth = 5.39

/** What the system sees of 4 GB is a little less. */
export const seenPart = 0.9

export const cents = (eur: number) => Math.round(eur * 100) / 100

/** What is rented at a step. */
export type Rented = { step: string; servers: readonly string[]; balancers: number }

const rented: readonly Rented[] = [
  ...servers.map(({ name }) => ({ step: `one server: ${name}`, servers: [name], balancers: 0 })),
  { step: 'API and database apart: CX22 + CX32', servers: ['CX22', 'CX32'], balancers: 0 },
  { step: 'and a read replica: + CX22', servers: ['CX22', 'CX32', 'CX22'], balancers: 0 },
  { step: 'two API servers, database, replica, load balancer', servers: ['CX22', 'CX22', 'CX32', 'CX22'], balancers: 1 },
]

export function costOfRented({ servers: names, balancers }: Omit<Rented, 'step'>): number {
  const each = names.map((name) => servers.find((server) => server.name === name)!.eurPerMonth)
  return cents(each.reduce((sum, one) => sum + one, balancers * loadBalancerEurPerMonth))
}

/** The path, each with what all of it costs a month. */
export const path: readonly (Rented & { eurPerMonth: number })[] = rented.map((one) => ({ ...one, eurPerMonth: costOfRented(one) }))
