// A plot of the last quarter of an hour, and the same in words and as a table for whoever does not see it.
import { html } from 'htm/preact'
import { useComputed, useSignal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import uPlot from 'uplot'
import { column, rows } from './live.js'
import { clock } from './format.js'

const heightPx = 168
/** Lines differ by their dashes too. */
const dashes = [[], [7, 4], [2, 3]]
const rowsOfTable = 15

const colour = (element, name) => getComputedStyle(element).getPropertyValue(name).trim()

function optionsOf(element, { lines, format, max }, width, onCursor) {
  const axis = { stroke: colour(element, '--muted'), grid: { stroke: colour(element, '--grid'), width: 1 }, ticks: { show: false } }
  const font = '12px system-ui, sans-serif'
  return {
    width,
    height: heightPx,
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, points: { size: 6 } },
    scales: { x: { time: true }, y: { range: (_plot, _low, high) => [0, Math.max(max ?? 0, (high ?? 0) * 1.1, lines[0].least ?? 1)] } },
    axes: [
      {
        ...axis,
        font,
        values: (_plot, moments) => moments.map((each) => new Date(each * 1_000).toTimeString().slice(0, 5)),
        space: 70,
        size: 30,
      },
      { ...axis, font, size: 62, values: (_plot, values) => values.map((value) => (value === 0 ? '0' : format(value))) },
    ],
    series: [
      {},
      ...lines.map((_line, index) => ({
        stroke: colour(element, `--line-${index + 1}`),
        width: 2,
        dash: dashes[index],
        points: { show: false },
        spanGaps: false,
      })),
    ],
    hooks: { setCursor: [(plot) => onCursor(plot.cursor.idx ?? null)] },
  }
}

const known = (values) => values.filter((value) => value !== null)

function inWords(lines, format) {
  return lines
    .map(({ label, name }) => {
      const values = known(column(name))
      if (values.length === 0) return `${label}: nothing yet`
      const [low, high] = [Math.min(...values), Math.max(...values)]
      return `${label}: ${format(values.at(-1))} now, from ${format(low)} to ${format(high)} in the last ${Math.max(1, Math.round(values.length / 12))} min`
    })
    .join('. ')
}

/** `lines` are up to three `{name, label}` of columns. */
export function Plot({ title, lines, format, max }) {
  const frame = useRef(null)
  const plot = useRef(null)
  const cursor = useSignal(null)
  const said = useComputed(() => inWords(lines, format))
  const data = useComputed(() => [column('atMs').map((each) => each / 1_000), ...lines.map(({ name }) => column(name))])

  useEffect(() => {
    const element = frame.current
    const draw = () => {
      plot.current?.destroy()
      plot.current = new uPlot(
        optionsOf(element, { lines, format, max }, element.clientWidth, (index) => (cursor.value = index)),
        data.peek(),
        element,
      )
    }
    draw()
    const end = data.subscribe((values) => plot.current.setData(values))
    const sized = new ResizeObserver(() => {
      if (element.clientWidth !== plot.current.width) plot.current.setSize({ width: element.clientWidth, height: heightPx })
    })
    sized.observe(element)
    // The lines are painted, so a change between light and dark paints them anew.
    const scheme = matchMedia('(prefers-color-scheme: dark)')
    scheme.addEventListener('change', draw)
    return () => {
      scheme.removeEventListener('change', draw)
      sized.disconnect()
      end()
      plot.current.destroy()
    }
  }, [])

  const at = (name) => {
    const values = column(name)
    return format(cursor.value === null ? (values.at(-1) ?? null) : (values[cursor.value] ?? null))
  }
  return html`<figure class="plot">
    <figcaption>
      <span class="title">${title}</span>
      <span class="legend" aria-hidden="true"
        >${lines.map(
          ({ name, label }, index) =>
            html`<span class=${`key line-${index + 1}`}
              ><svg viewBox="0 0 20 4" aria-hidden="true"><line x1="0" y1="2" x2="20" y2="2" /></svg>${label} <b>${at(name)}</b></span
            >`,
        )}</span
      >
    </figcaption>
    <div class="frame" role="img" aria-label=${`${title}. ${said.value}`} ref=${frame}></div>
    <details>
      <summary>As a table<span class="unseen">: ${title}</span></summary>
      <${ByMinute} title=${title} lines=${lines} format=${format} />
    </details>
  </figure>`
}

function ByMinute({ title, lines, format }) {
  const moments = column('atMs')
  const step = Math.max(1, Math.floor(rows.value.length / rowsOfTable))
  const shown = moments.map((atMs, index) => ({ atMs, index })).filter(({ index }) => (moments.length - 1 - index) % step === 0)
  const columns = lines.map(({ name }) => column(name))
  return html`<table>
    <caption class="unseen">
      ${title}
    </caption>
    <thead>
      <tr>
        <th scope="col">Time</th>
        ${lines.map(({ label }) => html`<th scope="col" class="number">${label}</th>`)}
      </tr>
    </thead>
    <tbody>
      ${shown
        .toReversed()
        .slice(0, rowsOfTable)
        .map(
          ({ atMs, index }) =>
            html`<tr key=${atMs}>
              <th scope="row">${clock(atMs)}</th>
              ${columns.map((values) => html`<td class="number">${format(values[index])}</td>`)}
            </tr>`,
        )}
    </tbody>
  </table>`
}
