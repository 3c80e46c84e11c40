// The queue: what waits, and what failed for good until somebody retries or discards it.
import { html } from 'htm/preact'
import { useSignal } from '@preact/signals'
import { change } from './calls.js'
import { carryOut } from './dialog.js'
import { live } from './live.js'
import { count, duration, moment } from './format.js'
import { Answered, Panel, Table, Tile, useAnswer } from './parts.js'

const letters = (number) => (number === 1 ? '1 dead letter' : `${count(number)} dead letters`)

export function Jobs() {
  const answer = useAnswer('/console/jobs', 5_000)
  const jobs = live.value?.gathered?.jobs
  return html`<section aria-labelledby="queue">
      <h2 id="queue" class="unseen">The queue now</h2>
      <dl class="tiles">
        <${Tile} label="Due" value=${count(jobs?.due)} note=${`the oldest waits ${duration(jobs && jobs.oldestDueMs / 1_000)}`} />
        <${Tile} label="Running" value=${count(jobs?.running)} />
        <${Tile} label="Scheduled" value=${count(jobs?.scheduled)} note="for later" />
        <${Tile}
          label="Dead letters"
          value=${count(answer.data.value?.deadInAll)}
          level=${answer.data.value?.deadInAll > 0 ? 'warn' : 'good'}
        />
      </dl>
    </section>
    <${Answered} answer=${answer}
      >${(data) => html`<${DeadLetters} ...${data} reload=${answer.reload} /><${Tasks} tasks=${data.tasks} />`}<//
    >`
}

function DeadLetters({ dead, deadInAll, reload }) {
  const chosen = useSignal(new Set())
  const ids = dead.map((one) => one.id).filter((id) => chosen.value.has(id))
  const choose = (id, wanted) => {
    const next = new Set(chosen.value)
    if (wanted) next.add(id)
    else next.delete(id)
    chosen.value = next
  }
  const act = async (path, question, done, which) => {
    const went = await carryOut(question, () => change(path, { ids: which }), done)
    if (went) chosen.value = new Set()
    await reload()
  }
  const retry = (which) =>
    void act(
      '/console/jobs/retry',
      {
        title: `Retry ${letters(which.length)}?`,
        text: 'Each gets 5 new tries, beginning now. Retry once its cause is gone.',
        action: 'Retry',
      },
      ({ count: number }) => `${letters(number)} queued again.`,
      which,
    )
  const discard = (which) =>
    void act(
      '/console/jobs/discard',
      {
        title: `Discard ${letters(which.length)}?`,
        text: 'What they were to do is never done, and nothing of them is kept. This cannot be undone.',
        action: 'Discard',
        grave: true,
      },
      ({ count: number }) => `${letters(number)} discarded.`,
      which,
    )
  const all = dead.length > 0 && ids.length === dead.length
  return html`<${Panel}
    title="Dead letters"
    about="Jobs that failed 5 times. Read the error, mend its cause, then retry; discard what is no longer wanted."
  >
    ${
      dead.length > 0 &&
      html`<div class="actions">
        <label class="check"
          ><input
            type="checkbox"
            checked=${all}
            onChange=${(event) => (chosen.value = new Set(event.target.checked ? dead.map((one) => one.id) : []))}
          />
          All ${count(dead.length)}${deadInAll > dead.length ? ` shown of ${count(deadInAll)}` : ''}</label
        >
        <button type="button" disabled=${ids.length === 0} onClick=${() => retry(ids)}>Retry ${ids.length || ''}</button>
        <button type="button" class="grave" disabled=${ids.length === 0} onClick=${() => discard(ids)}>Discard ${ids.length || ''}</button>
      </div>`
    }
    <${Table}
      caption="Jobs that failed for good, oldest first"
      empty="There is none."
      keyOf=${(one) => one.id}
      rows=${dead}
      columns=${[
        {
          name: 'Job',
          header: true,
          of: (one) =>
            html`<label class="check"
              ><input type="checkbox" checked=${chosen.value.has(one.id)} onChange=${(event) => choose(one.id, event.target.checked)} />
              <span><code>${one.task}</code> <span class="note">${one.key}</span></span></label
            >`,
        },
        { name: 'Queued', line: true, of: (one) => moment(one.queuedAt) },
        { name: 'Tries', number: true, of: (one) => count(one.tries) },
        { name: 'Last error', wide: true, of: (one) => html`<span class="error">${one.error ?? 'not told'}</span>` },
        {
          name: 'What to do',
          hidden: true,
          of: (one) =>
            html`<span class="actions">
              <button type="button" onClick=${() => retry([one.id])} aria-label=${`Retry ${one.task} ${one.key}`}>Retry</button>
              <button type="button" class="grave" onClick=${() => discard([one.id])} aria-label=${`Discard ${one.task} ${one.key}`}>
                Discard
              </button>
            </span>`,
        },
      ]}
    />
  <//>`
}

function Tasks({ tasks }) {
  return html`<${Panel} title="By task">
    <${Table}
      caption="Jobs by what they do"
      empty="The queue is empty."
      keyOf=${(one) => one.task}
      rows=${tasks}
      columns=${[
        { name: 'Task', header: true, of: (one) => html`<code>${one.task}</code>` },
        { name: 'Due', number: true, of: (one) => count(one.due) },
        { name: 'Running', number: true, of: (one) => count(one.running) },
        { name: 'Scheduled', number: true, of: (one) => count(one.scheduled) },
        { name: 'Dead', number: true, of: (one) => count(one.dead) },
      ]}
    />
  <//>`
}
