// Feature flags: what is switched how, by whom and why, and the switch itself.
import { html } from 'htm/preact'
import { change } from './calls.js'
import { carryOut } from './dialog.js'
import { moment } from './format.js'
import { Answered, Panel, useAnswer } from './parts.js'

export function Flags() {
  const answer = useAnswer('/console/flags')
  const set = async (flag, value) => {
    await carryOut(
      {
        title: `Set ${flag.name} to ${value}?`,
        text: `${flag.summary}. It is ${flag.value} now. Every process follows within a second, and your name is kept beside the change.`,
        action: `Set to ${value}`,
        reason: true,
      },
      async (reason) => (answer.data.value = await change('/console/flags', { name: flag.name, value, reason: reason || null })),
      ({ flags }) => `${flag.name} is ${flags.find((each) => each.name === flag.name).value} now.`,
    )
    await answer.reload()
  }
  return html`<${Panel} title="Switches" about="What the service does while it runs. A share counts the same users each time.">
    <${Answered} answer=${answer}
      >${({ flags }) =>
        html`<ul class="flags">
          ${flags.map((flag) => html`<${Flag} key=${flag.name} flag=${flag} set=${set} />`)}
        </ul>`}<//
    >
  <//>`
}

function Flag({ flag, set }) {
  const id = `flag-${flag.name}`
  const by =
    flag.changedAt === null
      ? 'Never changed'
      : `Changed ${moment(flag.changedAt)} by ${flag.changedBy}${flag.reason ? `: ${flag.reason}` : ''}`
  return html`<li class="flag">
    <div>
      <h3 id=${id}>
        <code>${flag.name}</code> <span class=${`mark ${flag.value === flag.default ? 'unknown' : 'warn'}`}>${flag.value}</span>
      </h3>
      <p>${flag.summary}.</p>
      <p class="note">${by}. The default is ${flag.default}.</p>
    </div>
    <${Control} flag=${flag} set=${set} labelledBy=${id} />
  </li>`
}

const percentOf = (value) => (value === 'on' ? 100 : value === 'off' ? 0 : Number.parseFloat(value))

function Control({ flag, set, labelledBy }) {
  if (flag.kind === 'switch') {
    const isOn = flag.value === 'on'
    return html`<button
      type="button"
      role="switch"
      class="switch"
      aria-checked=${String(isOn)}
      aria-labelledby=${labelledBy}
      onClick=${() => void set(flag, isOn ? 'off' : 'on')}
    >
      <span aria-hidden="true">${isOn ? 'On' : 'Off'}</span>
    </button>`
  }
  const submit = (event) => {
    event.preventDefault()
    const value = new FormData(event.target).get('value')
    void set(flag, flag.kind === 'choice' ? value : Number(value) === 0 ? 'off' : Number(value) === 100 ? 'on' : `${Number(value)}%`)
  }
  return html`<form class="set" onSubmit=${submit}>
    ${
      flag.kind === 'choice'
        ? html`<select name="value" aria-labelledby=${labelledBy}>
            ${flag.choices.map((choice) => html`<option value=${choice} selected=${choice === flag.value}>${choice}</option>`)}
          </select>`
        : html`<input
              type="number"
              name="value"
              min="0"
              max="100"
              step="0.01"
              required
              defaultValue=${percentOf(flag.value)}
              aria-labelledby=${labelledBy}
            /><span aria-hidden="true">% of the users</span>`
    }
    <button>Set<span class="unseen"> ${flag.name}</span></button>
  </form>`
}
