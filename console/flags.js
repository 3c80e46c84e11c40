// Feature flags: what is switched how, by whom, and the switch itself.
import { html } from 'htm/preact'
import { change } from './calls.js'
import { carryOut } from './dialog.js'
import { moment } from './format.js'
import { Answered, Panel, useAnswer } from './parts.js'

const shown = (flag, value) => (flag.kind === 'switch' ? (value ? 'on' : 'off') : flag.kind === 'percentage' ? `${value} %` : String(value))

export function Flags() {
  const answer = useAnswer('/console/flags')
  const set = async (flag, value) => {
    await carryOut(
      {
        title: `Set ${flag.name} to ${shown(flag, value)}?`,
        text: `It is ${shown(flag, flag.value)} now. Every process has it within a second, and the audit trail has your name.`,
        action: `Set to ${shown(flag, value)}`,
      },
      async () => (answer.data.value = await change('/console/flags', { name: flag.name, value })),
      () => `${flag.name} is ${shown(flag, value)} now.`,
    )
    await answer.reload()
  }
  return html`<${Panel} title="Flags" about="A change takes effect within a second on every process, and is audited under your name.">
    <${Answered} answer=${answer}
      >${({ flags }) =>
        flags === null
          ? html`<p class="empty">This version has no flags.</p>`
          : html`<ul class="flags">
              ${flags.map((flag) => html`<${Flag} key=${flag.name} flag=${flag} set=${set} />`)}
            </ul>`}<//
    >
  <//>`
}

function Flag({ flag, set }) {
  const id = `flag-${flag.name}`
  return html`<li class="flag">
    <div>
      <h3 id=${id}><code>${flag.name}</code></h3>
      <p>${flag.summary}</p>
      <p class="note">
        ${flag.changedAt ? `Set ${moment(flag.changedAt)} by ${flag.changedBy ?? 'somebody'}` : 'Never set'}; the standard is
        ${shown(flag, flag.standard)}.
      </p>
    </div>
    <${Control} flag=${flag} set=${set} labelledBy=${id} />
  </li>`
}

function Control({ flag, set, labelledBy }) {
  if (flag.kind === 'switch') {
    return html`<button
      type="button"
      role="switch"
      class="switch"
      aria-checked=${String(flag.value)}
      aria-labelledby=${labelledBy}
      onClick=${() => void set(flag, !flag.value)}
    >
      <span aria-hidden="true">${flag.value ? 'On' : 'Off'}</span>
    </button>`
  }
  const submit = (event) => {
    event.preventDefault()
    const value = new FormData(event.target).get('value')
    void set(flag, flag.kind === 'percentage' ? Number(value) : value)
  }
  return html`<form class="set" onSubmit=${submit}>
    ${
      flag.kind === 'percentage'
        ? html`<input
              type="number"
              name="value"
              min="0"
              max="100"
              step="1"
              required
              defaultValue=${flag.value}
              aria-labelledby=${labelledBy}
            /><span>%</span>`
        : html`<select name="value" aria-labelledby=${labelledBy}>
            ${flag.choices.map((choice) => html`<option value=${choice} selected=${choice === flag.value}>${choice}</option>`)}
          </select>`
    }
    <button>Set<span class="unseen"> ${flag.name}</span></button>
  </form>`
}
