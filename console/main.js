// The page: its landmarks, its views by the hash of the address, and who is acting.
import { html, render } from 'htm/preact'
import { effect, signal } from '@preact/signals'
import { openSession, session } from './calls.js'
import { Confirmation, Told } from './dialog.js'
import { clock } from './format.js'
import { follow, freshAtMs, live, state } from './live.js'
import { SignIn, Who } from './session.js'
import { AdvicePage } from './advice.js'
import { Database } from './database.js'
import { Flags } from './flags.js'
import { Jobs } from './jobs.js'
import { Overview } from './overview.js'
import { Requests } from './requests.js'

const views = {
  overview: { title: 'Overview', View: Overview },
  requests: { title: 'Requests', View: Requests },
  database: { title: 'Database', View: Database },
  jobs: { title: 'Jobs', View: Jobs },
  flags: { title: 'Flags', View: Flags },
  advice: { title: 'Advice', View: AdvicePage },
}

const viewOfAddress = () => (Object.hasOwn(views, location.hash.slice(1)) ? location.hash.slice(1) : 'overview')
const view = signal(viewOfAddress())
const naming = signal(false)
const unreachable = signal(false)

globalThis.addEventListener('hashchange', () => {
  // The link past the navigation is no view.
  if (location.hash === '#main') return
  naming.value = false
  view.value = viewOfAddress()
  // Screen readers go on where the new view begins.
  queueMicrotask(() => document.querySelector('h1')?.focus())
})

effect(() => {
  document.title = `${views[view.value].title} – Djinn console`
})

/** Told once when it changes; the moment it names stands still, so that it does not chatter. */
function Connection() {
  const text = {
    connecting: 'Connecting',
    live: 'Live',
    stale: `No answer: these figures are of ${clock(freshAtMs.peek())}. Trying again.`,
  }[state.value]
  return html`<p role="status" class=${`connection ${state.value}`}><span class="dot" aria-hidden="true"></span>${text}</p>`
}

function Page() {
  if (session.value === null) {
    return html`<main class="alone">
      <h1 tabindex="-1">Djinn console</h1>
      <p>${unreachable.value ? 'The server does not answer. Trying again.' : 'Loading…'}</p>
    </main>`
  }
  if (session.value.operator === null) return html`<main class="alone"><${SignIn} /></main>`
  const { title, View } = views[view.value]
  return html`<a class="skip" href="#main">Skip to the figures</a>
    <header>
      <div class="bar">
        <p class="brand">
          <img src="/console/icon.svg" alt="" width="28" height="28" /> Djinn <span class="note">${live.value?.service.version}</span>
        </p>
        <${Connection} />
        <${Who} onRename=${() => (naming.value = true)} />
      </div>
      <nav aria-label="Views">
        <ul>
          ${Object.entries(views).map(
            ([name, each]) =>
              html`<li>
                <a href=${`#${name}`} aria-current=${name === view.value && !naming.value ? 'page' : undefined}>${each.title}</a>
              </li>`,
          )}
        </ul>
      </nav>
    </header>
    <main id="main" tabindex="-1" class=${state.value}>
      <${Told} />
      ${
        naming.value
          ? html`<${SignIn} onDone=${() => (naming.value = false)} />`
          : html`<h1 tabindex="-1">${title}</h1>
              <${View} key=${view.value} />`
      }
    </main>
    <${Confirmation} />`
}

async function start() {
  try {
    await openSession()
  } catch {
    unreachable.value = true
    setTimeout(() => void start(), 2_000)
    return
  }
  follow()
}

render(html`<${Page} />`, document.querySelector('#page'))
void start()
