// A household of 50,000 transactions taken out as one document and put into an empty household: time, and memory above rest.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { type Figure } from './figure.ts'
import { memoryMb, resetPeak, startService } from './service.ts'

const files = 5
const rowsPerFile = 10_000

export async function measureExports(): Promise<Figure[]> {
  const dataDir = mkdtempSync(join(tmpdir(), 'djinn-bench-'))
  const service = await startService(dataDir)
  try {
    let token: string | undefined
    const send = async (path: string, body: string | Buffer, headers: Record<string, string> = {}) => {
      const answer = await fetch(service.url + path, {
        method: 'POST',
        body: body as string,
        headers: { 'content-type': 'application/json', ...(token === undefined ? {} : { authorization: `Bearer ${token}` }), ...headers },
      })
      if (!answer.ok) throw new Error(`${path}: ${answer.status} ${(await answer.text()).slice(0, 300)}`)
      return answer
    }
    const call = async (...sent: Parameters<typeof send>) => (await (await send(...sent)).json()) as Record<string, unknown>
    token = String((await call('/api/auth/login', JSON.stringify(service.demo)))['accessToken'])
    const account = await call('/api/accounts', '{"name":"Bench","kind":"checking","currency":"EUR"}')
    const octets = { 'content-type': 'application/octet-stream' }
    const pid = service.child.pid!
    const exportOnce = async () => {
      resetPeak(pid)
      const rest = memoryMb(pid).now
      const startedMs = performance.now()
      let bytes = 0
      const answer = await send('/api/exports', '{"kind":"household"}', { 'accept-encoding': 'identity' })
      const chunks: Uint8Array[] = []
      for await (const chunk of answer.body!) {
        bytes += chunk.length
        chunks.push(chunk)
      }
      return { ms: performance.now() - startedMs, mb: memoryMb(pid).peak - rest, bytes, document: Buffer.concat(chunks) }
    }
    const add = async (file: number) => {
      const line = (index: number) => {
        const day = new Date(Date.UTC(2020 + file, 0, 1 + (index % 360))).toISOString().slice(0, 10)
        return `${day};-${index}.${String(index % 100).padStart(2, '0')};Shop ${index % 700} of the town`
      }
      const csv = ['Date;Amount;Payee', ...Array.from({ length: rowsPerFile }, (_, index) => line(index))].join('\n')
      const preview = await call(`/api/imports?accountId=${String(account['id'])}`, csv, octets)
      await call(`/api/imports/${String(preview['id'])}/commit`, '{}')
    }
    await add(0)
    const small = await exportOnce()
    for (let file = 1; file < files; file++) await add(file)
    const large = await exportOnce()
    const household = await call('/api/households', '{"name":"Empty","baseCurrency":"EUR","timeZone":"UTC"}')
    const inIt = { 'djinn-household': String(household['id']) }
    resetPeak(pid)
    const rest = memoryMb(pid).now
    const startedMs = performance.now()
    await send('/api/imports?format=djinn', gzipSync(large.document), { ...octets, ...inIt })
    const restoreMs = performance.now() - startedMs
    const restoreMb = memoryMb(pid).peak - rest
    const again = await send('/api/exports', '{"kind":"household"}', inIt)
    if (!Buffer.from(await again.arrayBuffer()).equals(large.document)) throw new Error('the document came back otherwise')
    console.error(`the document of 50,000 rows has ${(large.bytes / 1e6).toFixed(1)} MB`)
    return [
      { name: 'export of 10,000 rows', value: small.ms, unit: 'ms' },
      { name: 'memory above rest meanwhile', value: small.mb, unit: 'MB' },
      { name: 'export of 50,000 rows', value: large.ms, unit: 'ms' },
      { name: 'memory above rest meanwhile, which does not grow', value: large.mb, unit: 'MB', target: small.mb + 20 },
      { name: 'the same read into an empty household', value: restoreMs, unit: 'ms', target: 30_000 },
      { name: 'memory above rest meanwhile', value: restoreMb, unit: 'MB' },
    ]
  } finally {
    await service.stop()
    rmSync(dataDir, { recursive: true, force: true })
  }
}
