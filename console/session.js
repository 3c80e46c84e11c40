// Who is acting: the form to sign in, and the way out.
import { html } from 'htm/preact'
import { useSignal } from '@preact/signals'
import { session, signIn, signOut } from './calls.js'

export function SignIn({ onDone }) {
  const { atHome, canSignIn } = session.value
  const error = useSignal('')
  const busy = useSignal(false)
  const submit = async (event) => {
    event.preventDefault()
    const fields = new FormData(event.target)
    busy.value = true
    error.value = ''
    try {
      await signIn(fields.get('name'), fields.get('password') ?? '')
      onDone?.()
    } catch (refused) {
      error.value = refused.message
    }
    busy.value = false
  }
  if (!atHome && !canSignIn) {
    return html`<div class="sign-in">
      <h1 tabindex="-1">No sign-in here</h1>
      <p>
        The console asks everybody who is not on its own machine for a password, and none is set. Set <code>OPS_PASSWORD_FILE</code> and
        start the service again, or come through <code>ssh -L 9464:127.0.0.1:9464</code>.
      </p>
    </div>`
  }
  return html`<form class="sign-in" onSubmit=${submit}>
    <h1 tabindex="-1">${atHome ? 'Who is acting?' : 'Sign in'}</h1>
    <p>
      ${atHome ? 'On this machine no password is asked for. Your name goes beside every change that you make.' : 'Your name goes beside every change that you make.'}
    </p>
    <label>Your name <input name="name" required maxlength="60" autocomplete="username" /></label>
    ${!atHome && html`<label>Password <input name="password" type="password" required autocomplete="current-password" /></label>`}
    <p role="alert" class="notice bad" hidden=${error.value === ''}>${error.value}</p>
    <button class="main" disabled=${busy.value}>${atHome ? 'Go on' : 'Sign in'}</button>
  </form>`
}

export function Who({ onRename }) {
  const { operator, atHome } = session.value
  const own = operator !== 'loopback'
  return html`<p class="who">
    <span>Acting as <b>${own ? operator : 'this machine'}</b></span>
    ${atHome && !own && html`<button type="button" class="quiet" onClick=${onRename}>Give a name</button>`}
    ${own && html`<button type="button" class="quiet" onClick=${() => void signOut()}>Sign out</button>`}
  </p>`
}
