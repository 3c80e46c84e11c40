// Asks before something is changed, and tells what became of it.
import { html } from 'htm/preact'
import { signal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'

const asked = signal(null)
/** Read out by screen readers when it changes. */
export const told = signal({ text: '', bad: false })

/** Resolves to what the operator gives as a reason, empty where none is asked for; null when it is not wanted. */
export function confirmed({ title, text, action, grave = false, reason = false }) {
  return new Promise((resolve) => {
    asked.value = { title, text, action, grave, reason, resolve }
  })
}

export function tell(text, bad = false) {
  told.value = { text, bad }
}

/** Runs a change that was confirmed, and tells what became of it. */
export async function carryOut(question, work, done) {
  const reason = await confirmed(question)
  if (reason === null) return false
  try {
    tell(done(await work(reason)))
    return true
  } catch (error) {
    tell(`${question.action}: ${error.message}`, true)
    return false
  }
}

export function Confirmation() {
  const question = asked.value
  const dialog = useRef(null)
  useEffect(() => {
    if (question && !dialog.current.open) dialog.current.showModal()
  }, [question])
  if (!question) return null
  const answer = (wanted) => {
    const reason = dialog.current.querySelector('input')?.value.trim() ?? ''
    dialog.current.close()
    asked.value = null
    question.resolve(wanted ? reason : null)
  }
  return html`<dialog
    ref=${dialog}
    aria-labelledby="question"
    aria-describedby="consequence"
    onCancel=${(event) => {
      event.preventDefault()
      answer(false)
    }}
  >
    <h2 id="question">${question.title}</h2>
    <p id="consequence">${question.text}</p>
    ${question.reason && html`<label>Why, for whoever looks later <input maxlength="200" autocomplete="off" /></label>`}
    <div class="choices">
      <button type="button" autofocus onClick=${() => answer(false)}>Cancel</button>
      <button type="button" class=${question.grave ? 'grave' : 'main'} onClick=${() => answer(true)}>${question.action}</button>
    </div>
  </dialog>`
}

export function Told() {
  const { text, bad } = told.value
  return html`<div role="status" class=${text ? `told ${bad ? 'bad' : 'good'}` : 'told empty'}>
    ${text && html`<span>${text}</span><button type="button" class="quiet" onClick=${() => tell('')}>Dismiss</button>`}
  </div>`
}
