// The advisor: how many users this server still takes, and which step is due next.
import { html } from 'htm/preact'
import { bytes, count, milliseconds, perSecond } from './format.js'
import { Answered, Panel, Table, Tile, useAnswer } from './parts.js'

const ranks = { now: 0, soon: 1, 'not yet': 2 }
const marks = { now: 'bad', soon: 'warn', 'not yet': 'unknown' }
const steps = {
  redis: 'Redis',
  replica: 'A read replica',
  cdn: 'A CDN',
  queue: 'A queue of its own',
  server: 'A larger server',
  horizontal: 'A second API server',
  microservices: 'Microservices (probably never)',
}
const dayMs = 86_400_000

const figure = new Intl.NumberFormat('en-GB', { maximumFractionDigits: 2 })
const amount = (value, unit) =>
  unit === 'declared' ? (value > 0 ? 'yes' : 'no') : unit === 'bytes' ? bytes(value) : `${figure.format(value)} ${unit}`
const over = (windowMs) =>
  windowMs === 0 ? 'declared' : windowMs >= 2 * dayMs ? `over ${windowMs / dayMs} days` : `over ${windowMs / 3_600_000} h`

export function AdvicePage() {
  const answer = useAnswer('/console/advice', 30_000)
  return html`<${Answered} answer=${answer}>
    ${({ advice, capacity }) => html`<${Capacity} ...${capacity} /><${Triggers} advice=${advice} />`}
  <//>`
}

function Capacity({ users, limitedBy, why, registered, room, cpuMsPerRequest, requestsPerSecond, busiestHour, resources }) {
  return html`<${Panel}
    title="Capacity"
    about="What this server takes at what a request costs now, if its users go on as in the busiest hour of the last week."
  >
    ${
      users === null
        ? html`<p>How many users this server takes is not known yet: ${why}.</p>`
        : html`<p>
            <b>${count(users)} users</b>, limited by ${limitedBy}: ${count(room)} more than the ${count(registered)} who are registered.
          </p>`
    }
    <dl class="tiles">
      <${Tile} label="Registered" value=${count(registered)} />
      <${Tile} label="CPU for a request" value=${milliseconds(cpuMsPerRequest)} note="service and database" />
      <${Tile} label="The CPUs take" value=${requestsPerSecond === null ? '–' : `${perSecond(requestsPerSecond)}/s`} />
      <${Tile}
        label="Busiest hour"
        value=${busiestHour ? `${perSecond(busiestHour.requestsPerSecond)}/s` : '–'}
        note=${busiestHour && `${count(busiestHour.activeUsers)} users`}
      />
    </dl>
    <${Table}
      caption="What runs out, in the busiest hour"
      empty="Nothing of it was measured yet."
      keyOf=${([name]) => name}
      rows=${Object.entries(resources)}
      columns=${[
        { name: 'Resource', header: true, of: ([name]) => name },
        { name: 'Used', number: true, of: ([, one]) => amount(one.used, one.unit) },
        { name: 'Usable', number: true, of: ([, one]) => amount(one.usable, one.unit) },
        { name: 'Enough for', number: true, of: ([, one]) => (one.users === null ? '–' : `${count(one.users)} users`) },
      ]}
    />
  <//>`
}

function Triggers({ advice }) {
  return html`<${Panel}
    title="Triggers"
    about="Each step that could be taken, with what would call for it. Try what stands under “first” before it; most of it costs nothing."
  >
    <${Table}
      caption="Triggers, those that call first"
      empty="There is none."
      keyOf=${(one) => one.trigger}
      rows=${advice.toSorted((one, other) => ranks[one.verdict] - ranks[other.verdict])}
      columns=${[
        {
          name: 'Step and its trigger',
          header: true,
          of: (one) => html`${steps[one.step] ?? one.step}: ${one.says} <span class="note">${one.trigger}</span>`,
        },
        { name: 'Verdict', line: true, of: (one) => html`<span class=${`mark ${marks[one.verdict]}`}>${one.verdict}</span>` },
        {
          name: 'Measured',
          line: true,
          of: (one) => (one.value === null ? (one.windowMs === 0 ? 'not declared' : 'not measured') : amount(one.value, one.unit)),
        },
        {
          name: 'Trips',
          line: true,
          of: (one) => (one.unit === 'declared' ? 'when declared' : `above ${amount(one.threshold, one.unit)} ${over(one.windowMs)}`),
        },
        {
          name: 'Costs a month',
          number: true,
          line: true,
          of: (one) => (one.costEurPerMonth > 0 ? `EUR ${one.costEurPerMonth.toFixed(2)}` : 'nothing'),
        },
        { name: 'Forecast', of: (one) => one.forecastDate ?? '–' },
        { name: 'First', wide: true, of: (one) => one.cheaperFix ?? '–' },
      ]}
    />
  <//>`
}
