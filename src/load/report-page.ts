// The report as one HTML file that needs nothing else: plots, tables, light and dark, from a phone's width on.
import { mix } from './mix.ts'
import { barPlot, escaped, linePlot } from './plots.ts'
import { counts, generatorLine, number, serverLines, verdict } from './report-text.ts'
import type { Figures, Report } from './report.ts'

const style = `
:root{color-scheme:light dark;--ink:#1b2430;--dim:#5b6675;--line:#d9dee5;--paper:#fff;--soft:#f4f6f8;--c0:#1f6fb2;--c1:#c2570c;--c2:#8a3ffc;--good:#147a3d;--bad:#b3261e}
@media(prefers-color-scheme:dark){:root{--ink:#e6eaf0;--dim:#9aa6b5;--line:#333d4a;--paper:#12171e;--soft:#1a212a;--c0:#6cb6f5;--c1:#f7a35c;--c2:#bb9af7;--good:#5fd38d;--bad:#ff8a80}}
*{box-sizing:border-box}
body{margin:0 auto;padding:16px;max-width:1180px;font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper)}
h1{font-size:1.35rem;margin:0 0 4px}h2{font-size:1.05rem;margin:28px 0 8px}p{margin:4px 0;color:var(--dim)}
.void{border:2px solid var(--bad);color:var(--bad);padding:8px 12px;border-radius:6px;font-weight:600}
.cards,.plots{display:grid;gap:12px;grid-template-columns:repeat(auto-fit,minmax(140px,1fr));margin:16px 0}
.plots{grid-template-columns:repeat(auto-fit,minmax(min(100%,330px),1fr))}
.card,figure{background:var(--soft);border-radius:8px;padding:10px 12px;margin:0}
.card small{display:block;color:var(--dim)}.card b{font-size:1.2rem;font-variant-numeric:tabular-nums}
.card .met{color:var(--good)}.card .missed{color:var(--bad)}
figcaption small{color:var(--dim)}.legend{font-size:12px;color:var(--dim);display:flex;flex-wrap:wrap;gap:2px 14px}
.legend i{display:inline-block;width:14px;height:3px;margin-right:5px;vertical-align:middle;background:currentColor}
svg{display:block;width:100%;height:auto}svg text{font:11px system-ui,sans-serif;fill:var(--dim)}
.grid{stroke:var(--line);stroke-width:1}.limit{stroke:var(--bad);stroke-width:1;stroke-dasharray:4 3}
polyline{fill:none;stroke-width:1.8;stroke-linejoin:round}
polyline.s0{stroke:var(--c0)}polyline.s1{stroke:var(--c1)}polyline.s2{stroke:var(--c2)}
rect.s0,circle.s0{fill:var(--c0)}circle.s1{fill:var(--c1)}circle.s2{fill:var(--c2)}
i.s0{color:var(--c0)}i.s1{color:var(--c1)}i.s2{color:var(--c2)}i.limit{color:var(--bad)}
.wide{overflow-x:auto}table{border-collapse:collapse;font-variant-numeric:tabular-nums;font-size:14px;min-width:100%}
th,td{padding:4px 9px;text-align:right;border-bottom:1px solid var(--line);white-space:nowrap}
th{color:var(--dim);font-weight:500}th:first-child,td:first-child{text-align:left;position:sticky;left:0;background:var(--paper)}
td.what{text-align:left;color:var(--dim);white-space:normal;min-width:230px}tr.total td{font-weight:600}
`

export function reportPage(report: Report): string {
  const { setting, total, targets, generator, server, machine } = report
  const title = `djinn load: ${setting.scenario}, ${number(setting.ratePerS)}/s`
  const lines = [generatorLine(report), ...(server === null ? [] : serverLines(server)), `outcomes: ${counts(total.outcomes)}`]
  if (Object.keys(total.codes).length > 0) lines.push(`refusals: ${counts(total.codes)}`)
  lines.push(
    `${number(report.connections.open)} connections open, ${number(report.connections.reopened)} reopened, ${number(report.connections.requestsThatWaited)} requests waited for one`,
    `${machine.cpus} processors, load average ${machine.loadAverageBefore.join(' ')} before, ${machine.loadAverageAfter.join(' ')} after, generator ${generator.cpuShare} of one, Node ${machine.node}`,
  )
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>${escaped(title)}</title><style>${style}</style></head>
<body>
<h1>${escaped(title)}</h1>
<p>${escaped(setting.url)} · ${escaped(report.startedAt)} · ${report.seconds} s · ${setting.arrivals} arrivals · ${number(setting.phonesCalling)} of ${number(setting.phones)} phones · seed ${setting.seed}${report.interrupted ? ' · interrupted' : ''}</p>
${generator.void ? '<p class="void">This run is void: the generator was the limit, so these figures are not of the service.</p>' : ''}
<div class="cards">${targets.map((target) => `<div class="card"><small>${escaped(target.name)} ${escaped(target.must)}</small><b>${escaped(target.is)}</b><small class="${target.met === null ? '' : target.met ? 'met' : 'missed'}">${verdict(target)}</small></div>`).join('')}
<div class="card"><small>answered</small><b>${number(total.count)}</b><small>${number(total.perSecond)}/s</small></div>
<div class="card"><small>errors</small><b>${number(total.errors)}</b><small>${number(report.unanswered)} unanswered</small></div></div>
<div class="plots">${plots(report)}</div>
<h2>By operation</h2>
<p>Latency in ms, from when each request was due until its answer was there; the last line from when it was sent.</p>
<div class="wide"><table><thead><tr><th>operation</th><th>count</th><th>share</th><th>errors</th><th>p50</th><th>p90</th><th>p95</th><th>p99</th><th>p99.9</th><th>max</th><th></th></tr></thead>
<tbody>${report.operations.map((one) => tableRow(one.name, one, one.share, what(one.name))).join('\n')}
${tableRow('total', total, 1, 'corrected', 'total')}
${tableRow('total, raw', { ...total, correctedMs: total.rawMs }, 1, 'service time', 'total')}</tbody></table></div>
<h2>Around it</h2>
${lines.map((line) => `<p>${escaped(line)}</p>`).join('\n')}
</body></html>
`
}

function plots({ overTime, histogram }: Report): string {
  const atS = overTime.map((bin) => bin.atS)
  const over = (name: string, valueOf: (bin: Report['overTime'][number]) => number) => ({ name, values: overTime.map(valueOf) })
  return [
    linePlot({
      title: 'Latency over time',
      unit: 'ms, corrected, logarithmic',
      atS,
      series: [over('p50', (bin) => bin.p50Ms), over('p95', (bin) => bin.p95Ms), over('p99', (bin) => bin.p99Ms)],
      logarithmic: true,
      target: 100,
    }),
    linePlot({
      title: 'Requests a second',
      unit: 'due, and answers that came',
      atS,
      series: [over('due', (bin) => bin.due / bin.seconds), over('answered', (bin) => bin.answered / bin.seconds)],
    }),
    barPlot({
      title: 'How long requests took',
      unit: 'by ms, corrected',
      bars: histogram.map(({ fromMs, count }) => ({ label: String(Number(fromMs.toPrecision(2))), value: count })),
    }),
    linePlot({
      title: 'Errors a second',
      unit: 'of the requests due then',
      atS,
      series: [over('errors', (bin) => bin.errors / bin.seconds)],
    }),
    linePlot({
      title: 'Lag of the generator',
      unit: 'ms, the latest request',
      atS,
      series: [over('lag', (bin) => bin.lagMsMax)],
    }),
  ].join('\n')
}

function tableRow(name: string, { count, errors, correctedMs: ms }: Figures, share: number, note: string, kind = ''): string {
  const cells = [
    number(count),
    `${(share * 100).toFixed(1)} %`,
    number(errors),
    ...[ms.p50, ms.p90, ms.p95, ms.p99, ms.p999, ms.max].map((value) => value.toFixed(1)),
  ]
  return `<tr class="${kind}"><td>${escaped(name)}</td>${cells.map((cell) => `<td>${cell}</td>`).join('')}<td class="what">${escaped(note)}</td></tr>`
}

function what(name: string): string {
  return mix.find((one) => one.name === name)?.what ?? ''
}
