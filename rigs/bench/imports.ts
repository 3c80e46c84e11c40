// A statement of 10,000 rows over HTTP: preview, commit, re-import, and the memory above rest.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Figure } from './figure.ts'
import { memoryMb, resetPeak, startService } from './service.ts'

const rows = 10_000

function statementOfRows(): string {
  const entry = (index: number) => {
    const day = new Date(Date.UTC(2020, 0, 1 + (index % 1_500))).toISOString().slice(0, 10).replaceAll('-', '')
    return `<STMTTRN><TRNTYPE>DEBIT<DTPOSTED>${day}120000<TRNAMT>-${(index % 300) + 1}.${String(index % 100).padStart(2, '0')}<FITID>B${index}<NAME>Shop ${index % 700}<MEMO>Card payment ${index}</STMTTRN>`
  }
  return [
    'OFXHEADER:100\nDATA:OFXSGML\nVERSION:102\nSECURITY:NONE\nENCODING:USASCII\nCHARSET:1252\nCOMPRESSION:NONE\nOLDFILEUID:NONE\nNEWFILEUID:NONE\n',
    '<OFX><SIGNONMSGSRSV1><SONRS><STATUS><CODE>0<SEVERITY>INFO</STATUS><DTSERVER>20240101120000<LANGUAGE>ENG</SONRS></SIGNONMSGSRSV1>',
    '<BANKMSGSRSV1><STMTTRNRS><TRNUID>1<STATUS><CODE>0<SEVERITY>INFO</STATUS><STMTRS><CURDEF>EUR<BANKACCTFROM><BANKID>1<ACCTID>100200300<ACCTTYPE>CHECKING</BANKACCTFROM>',
    '<BANKTRANLIST><DTSTART>20200101<DTEND>20240301>',
    ...Array.from({ length: rows }, (_, index) => entry(index)),
    '</BANKTRANLIST><LEDGERBAL><BALAMT>1.00<DTASOF>20240301</LEDGERBAL></STMTRS></STMTTRNRS></BANKMSGSRSV1></OFX>',
  ].join('\n')
}

export async function measureImports(): Promise<Figure[]> {
  const dataDir = mkdtempSync(join(tmpdir(), 'djinn-bench-'))
  const service = await startService(dataDir)
  try {
    const call = async (path: string, body: string, type: string, token?: string) => {
      const answer = await fetch(service.url + path, {
        method: 'POST',
        body,
        headers: { 'content-type': type, ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) },
      })
      const text = await answer.text()
      if (!answer.ok) throw new Error(`${path}: ${answer.status} ${text.slice(0, 300)}`)
      return JSON.parse(text) as Record<string, unknown>
    }
    const json = 'application/json'
    const session = await call('/api/auth/login', JSON.stringify(service.demo), json)
    const accessToken = String(session['accessToken'])
    const { id: account } = await call(
      '/api/accounts',
      JSON.stringify({ name: 'Bench', kind: 'checking', currency: 'EUR' }),
      json,
      accessToken,
    )
    const pid = service.child.pid!
    const idle = memoryMb(pid).now
    resetPeak(pid)
    const file = statementOfRows()
    const timed = async <T>(work: () => Promise<T>) => {
      const startedMs = performance.now()
      const result = await work()
      return { result, ms: performance.now() - startedMs }
    }
    const upload = () => call(`/api/imports?accountId=${String(account)}`, file, 'application/octet-stream', accessToken)
    const preview = await timed(upload)
    const commit = await timed(() => call(`/api/imports/${String(preview.result['id'])}/commit`, '{}', json, accessToken))
    const again = await timed(upload)
    const peak = memoryMb(pid).peak
    const created = Number(commit.result['created'])
    const duplicates = Number((again.result['summary'] as Record<string, number>)['duplicate'])
    if (created !== rows || duplicates !== rows) throw new Error(`created ${created}, found again ${duplicates}`)
    return [
      { name: 'preview of an OFX of 10,000 rows', value: preview.ms, unit: 'ms', target: 2_000 },
      { name: 'commit of it', value: commit.ms, unit: 'ms', target: 3_000 },
      { name: 'preview of the same file again (all duplicates)', value: again.ms, unit: 'ms', target: 2_000 },
      { name: 'memory above rest at its peak', value: peak - idle, unit: 'MB', target: 200 },
    ]
  } finally {
    await service.stop()
    rmSync(dataDir, { recursive: true, force: true })
  }
}
