// The advisor: how many users this server still takes, and which step is due next.
import { html } from 'htm/preact'
import { Answered, Panel, Table, useAnswer } from './parts.js'

const marks = { 'not yet': 'good', soon: 'warn', now: 'bad', unknown: 'unknown' }

export function AdvicePage() {
  const answer = useAnswer('/console/advice', 30_000)
  return html`<${Answered} answer=${answer}>
    ${({ advice }) =>
      advice === null
        ? html`<p class="empty">This version has no advisor.</p>`
        : html`<${Panel} title="Capacity">
              ${
                advice.capacity
                  ? html`<p>${advice.capacity.text}</p>
                      <dl class="facts">
                        ${advice.capacity.facts.map(
                          (fact) =>
                            html`<div key=${fact.name}>
                              <dt>${fact.name}</dt>
                              <dd>${fact.value}</dd>
                            </div>`,
                        )}
                      </dl>`
                  : html`<p class="empty">It is not known yet: the service has not been busy enough to tell.</p>`
              }
            <//>
            <${Panel} title="Triggers" about="What would bring more machinery, with what was measured. Try the cheaper fix first.">
              <${Table}
                caption="Triggers and what they say"
                empty="There is none."
                keyOf=${(one) => one.name}
                rows=${advice.triggers}
                columns=${[
                  {
                    name: 'Step',
                    header: true,
                    of: (one) => html`${one.name} <span class=${`mark ${marks[one.verdict]}`}>${one.verdict}</span>`,
                  },
                  { name: 'Measured', of: (one) => one.measured },
                  { name: 'Trips at', of: (one) => one.threshold },
                  { name: 'Try first', wide: true, of: (one) => one.firstTry },
                  { name: 'Cost a month', of: (one) => one.costEur ?? '–' },
                  { name: 'Forecast', of: (one) => one.forecast ?? '–' },
                  { name: 'Evidence', wide: true, of: (one) => one.evidence },
                ]}
              />
            <//>`}
  <//>`
}
