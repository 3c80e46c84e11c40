// The limit of a user is one over all processes: of 1,000 requests at once, exactly as many pass as one minute allows.
import { Connections } from '../../../src/load/connections.ts'
import type { Outcome } from '../../../src/load/connection.ts'
import { wireOf } from '../../../src/load/wire.ts'
import { newId } from '../../../src/values/id.ts'
import { exactly, skipped, type Figure } from '../figure.ts'
import type { World } from '../world.ts'

const requests = 1_000
const allowed = 100

export async function checkLimits(world: World): Promise<Figure[]> {
  const name = `${requests} requests of one user at once over two processes: accepted`
  if (!world.redis) return [skipped(name, world.absent.redis ?? 'no Redis')]
  // Signing up is counted for the address, so that the minute of this person is empty.
  const signedUp = await fetch(`${world.balancer.url}/api/auth/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email: `limits.${newId()}@example.org`, password: 'correct horse battery staple' }),
  })
  const { accessToken } = (await signedUp.json()) as { accessToken: string }
  await world.restart({ RATE_LIMIT_AUTHENTICATED: String(allowed) })
  const url = new URL(world.balancer.url)
  const connections = new Connections(url)
  try {
    await connections.openAll(200)
    const bytes = wireOf(url, { method: 'GET', path: '/api/accounts', headers: { Authorization: `Bearer ${accessToken}` } })
    const statuses = await Promise.all(
      Array.from({ length: requests }, async () => {
        const outcome = await new Promise<Outcome>((resolve) => connections.send(bytes, () => {}, resolve))
        return 'fault' in outcome ? outcome.fault : String(outcome.response.status)
      }),
    )
    const count = (status: string) => statuses.filter((each) => each === status).length
    return [
      exactly(name, count('200'), `of ${requests}`, allowed),
      exactly('and refused with 429', count('429'), `of ${requests}`, requests - allowed),
    ]
  } finally {
    connections.close()
    await world.restart()
  }
}
