// Which operations are called, how fast they answer, and which fail.
import { html } from 'htm/preact'
import { live } from './live.js'
import { clock, count, milliseconds, perSecond, percent } from './format.js'
import { Answered, Panel, Table, useAnswer } from './parts.js'
import { Plot } from './plot.js'

const name = (one) => (one.operation === 'none' ? 'no operation (unknown path)' : one.operation)

export function Requests() {
  const answer = useAnswer('/console/operations')
  return html`<${Panel} title="The last 15 minutes">
      <div class="plots">
        <${Plot}
          title="Errors and refusals a second"
          format=${perSecond}
          lines=${[
            { name: 'errorsPerS', label: 'errors (500 and above)', least: 4 },
            { name: 'refusedPerS', label: 'refused (400 to 499)' },
          ]}
        />
        <${Plot}
          title="Open connections"
          format=${count}
          lines=${[
            { name: 'connections', label: 'connections', least: 5 },
            { name: 'streams', label: 'live event streams' },
          ]}
        />
      </div>
    <//>
    <${Answered} answer=${answer}>${(data) => html`<${Operations} ...${data} />`}<//>`
}

function Operations({ sinceMs, operations }) {
  const failing = operations.filter((one) => one.errorsInAll > 0).toSorted((one, other) => other.errors - one.errors)
  const seconds = Math.max(1, ((live.value?.nowMs ?? Date.now()) - sinceMs) / 1_000)
  return html`<${Panel}
      title="Errors by operation"
      about="Answers of 500 and above are faults of ours; the log has each with its request id."
    >
      <${Table}
        caption="Operations that failed since this process started"
        empty="No operation has failed since this process started."
        keyOf=${name}
        rows=${failing}
        columns=${[
          { name: 'Operation', header: true, of: name },
          { name: `Since ${clock(sinceMs)}`, number: true, of: (one) => count(one.errors) },
          { name: 'Share', number: true, of: (one) => percent(one.requests > 0 ? one.errors / one.requests : null, 1) },
          { name: 'Since the start', number: true, of: (one) => count(one.errorsInAll) },
        ]}
      />
    <//>
    <${Panel}
      title="Operations"
      about=${`Called since ${clock(sinceMs)}, the busiest first. Times are estimates within the bounds of the histogram.`}
    >
      <${Table}
        caption="Requests, times, refusals and errors by operation"
        empty="Nobody has called since."
        keyOf=${name}
        rows=${operations.filter((one) => one.requests > 0)}
        columns=${[
          { name: 'Operation', header: true, of: name },
          { name: 'Calls', number: true, of: (one) => count(one.requests) },
          { name: 'A second', number: true, of: (one) => perSecond(one.requests / seconds) },
          { name: 'p50', number: true, of: (one) => milliseconds(one.p50Ms) },
          { name: 'p95', number: true, of: (one) => milliseconds(one.p95Ms) },
          { name: 'p99', number: true, of: (one) => milliseconds(one.p99Ms) },
          { name: 'Refused', number: true, of: (one) => count(one.refused) },
          { name: 'Errors', number: true, of: (one) => count(one.errors) },
        ]}
      />
    <//>`
}
