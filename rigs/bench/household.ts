// A signed-in user with an account and as many transactions as asked, brought in as a bank's file.
import type { Service } from './service.ts'

export type Household = { token: string; call: (method: string, path: string, body?: unknown) => Promise<Record<string, unknown>> }

export async function openHousehold({ url }: Pick<Service, 'url'>, transactions: number): Promise<Household> {
  let token = ''
  const call: Household['call'] = async (method, path, body) => {
    const text = typeof body === 'string'
    const answer = await fetch(url + path, {
      method,
      headers: {
        ...(token === '' ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'content-type': text ? 'application/octet-stream' : 'application/json' }),
      },
      ...(body === undefined ? {} : { body: text ? body : JSON.stringify(body) }),
    })
    const answered = await answer.text()
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${answered.slice(0, 300)}`)
    return answered === '' ? {} : (JSON.parse(answered) as Record<string, unknown>)
  }
  const email = `bench${process.hrtime.bigint()}@example.org`
  token = String((await call('POST', '/api/auth/register', { email, password: 'turnip lantern gravel' }))['accessToken'])
  const account = await call('POST', '/api/accounts', { name: 'Bench', kind: 'checking', currency: 'EUR' })
  const day = (index: number) => new Date(Date.UTC(2020, 0, 1 + (index % 1_500))).toISOString().slice(0, 10)
  const rows = Array.from({ length: transactions }, (_, index) => `${day(index)},-${(index % 300) + 1}.${(index % 90) + 10},Shop ${index}`)
  const preview = await call('POST', `/api/imports?accountId=${String(account['id'])}`, `Date,Amount,Payee\n${rows.join('\n')}\n`)
  await call('POST', `/api/imports/${String(preview['id'])}/commit`, {})
  return { token, call }
}
