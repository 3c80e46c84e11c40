// What the views are made of: tiles, tables, panels, and figures that are asked for while a view is open.
import { html } from 'htm/preact'
import { signal } from '@preact/signals'
import { useEffect, useMemo } from 'preact/hooks'
import { ask } from './calls.js'

const words = { good: 'fine', warn: 'look at it', bad: 'act now' }

/** `level` (good, warn, bad) is told by a word and a mark, not by colour alone. */
export function Tile({ label, value, note, level = 'good', href }) {
  return html`<div class=${`tile ${level}`}>
    <dt>${href ? html`<a href=${href}>${label}</a>` : label}</dt>
    <dd>
      <span class="value">${value}</span>${level !== 'good' && html`<span class=${`mark ${level}`}>${words[level]}</span>`}
      ${note && html`<span class="note">${note}</span>`}
    </dd>
  </div>`
}

/** Columns are `{name, of, header?, number?, wide?, line?}`; on a small screen each row is a card, so the roles are said aloud. */
export function Table({ caption, columns, rows, empty, keyOf }) {
  if (rows.length === 0) return html`<p class="empty">${empty}</p>`
  return html`<table role="table" class="cards">
    <caption>
      ${caption}
    </caption>
    <thead role="rowgroup">
      <tr role="row">
        ${columns.map(
          (column) =>
            html`<th role="columnheader" scope="col" class=${column.number ? 'number' : ''}>
              ${column.hidden ? html`<span class="unseen">${column.name}</span>` : column.name}
            </th>`,
        )}
      </tr>
    </thead>
    <tbody role="rowgroup">
      ${rows.map(
        (row) =>
          html`<tr role="row" key=${keyOf(row)}>
            ${columns.map((column) =>
              column.header
                ? html`<th role="rowheader" scope="row">${column.of(row)}</th>`
                : html`<td
                    role="cell"
                    class=${`${column.number ? 'number' : ''} ${column.wide ? 'wide' : ''} ${column.line ? 'line' : ''}`}
                    data-label=${column.hidden ? '' : column.name}
                  >
                    ${column.of(row)}
                  </td>`,
            )}
          </tr>`,
      )}
    </tbody>
  </table>`
}

export function Panel({ title, children, about }) {
  const id = `panel-${title.toLowerCase().replaceAll(/[^a-z]+/g, '-')}`
  return html`<section class="panel" aria-labelledby=${id}>
    <h2 id=${id}>${title}</h2>
    ${about && html`<p class="about">${about}</p>`} ${children}
  </section>`
}

/** What a path answers, asked for again every few seconds as long as the view is shown. */
export function useAnswer(path, everyMs = 10_000) {
  const answer = useMemo(() => {
    const held = { data: signal(null), error: signal(null), reload: null }
    held.reload = async () => {
      try {
        held.data.value = await ask(path)
        held.error.value = null
      } catch (error) {
        held.error.value = error.message
      }
    }
    return held
  }, [path])
  useEffect(() => {
    void answer.reload()
    const timer = setInterval(() => void answer.reload(), everyMs)
    return () => clearInterval(timer)
  }, [answer, everyMs])
  return answer
}

/** The view once its answer is there; an answer that failed is told above the one before. */
export function Answered({ answer, children }) {
  const { data, error } = answer
  return html`${error.value && html`<p class="notice bad">${error.value}</p>`}
  ${data.value === null ? !error.value && html`<p class="empty">Loading…</p>` : children(data.value)}`
}
