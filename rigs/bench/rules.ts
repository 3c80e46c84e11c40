// One rule over 50,000 rows: what it would change, the run itself, and its undo.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { median, type Figure } from './figure.ts'
import { openHousehold } from './household.ts'
import { startService } from './service.ts'

const rows = 50_000

export async function measureRules(): Promise<Figure[]> {
  const dataDir = mkdtempSync(join(tmpdir(), 'djinn-bench-'))
  const service = await startService(dataDir)
  try {
    const { call } = await openHousehold(service, rows)
    const timed = async (work: () => Promise<Record<string, unknown>>) => {
      const startedMs = performance.now()
      const result = await work()
      return { result, ms: performance.now() - startedMs }
    }
    const rule = {
      name: 'Shops',
      match: 'all',
      conditions: [
        { field: 'payee', operator: 'contains', value: 'SHOP' },
        { field: 'amount', operator: 'atMost', value: 0 },
      ],
      actions: { payee: 'A shop', note: 'Ruled' },
    }
    const previews: number[] = []
    for (let round = 0; round < 5; round++) {
      const { result, ms } = await timed(() => call('POST', '/api/rules/preview', { rule }))
      if (result['changed'] !== rows) throw new Error(`the preview changes ${String(result['changed'])} rows`)
      previews.push(ms)
    }
    await call('POST', '/api/rules', rule)
    const run = await timed(() => call('POST', '/api/rules/run', {}))
    const undo = await timed(() => call('DELETE', `/api/rules/runs/${String(run.result['id'])}`))
    if (run.result['changed'] !== rows || undo.result['undone'] !== rows) throw new Error(JSON.stringify([run.result, undo.result]))
    return [
      { name: 'preview of a rule over 50,000 rows (median of 5)', value: median(previews), unit: 'ms', target: 1_000 },
      { name: 'the run, which changes all of them', value: run.ms, unit: 'ms', target: 30_000 },
      { name: 'its undo', value: undo.ms, unit: 'ms', target: 30_000 },
    ]
  } finally {
    await service.stop()
    rmSync(dataDir, { recursive: true, force: true })
  }
}
