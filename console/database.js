// PostgreSQL: its connections, memory and CPU, the statements that cost most, and how it would run the slow ones.
import { html } from 'htm/preact'
import { latest } from './live.js'
import { bytes, clock, count, duration, milliseconds, percent, perSecond } from './format.js'
import { Answered, Panel, Table, Tile, useAnswer } from './parts.js'
import { Plot } from './plot.js'

const microseconds = (value) => milliseconds(value / 1_000)

export function Database() {
  const answer = useAnswer('/console/statements')
  return html`<${Answered} answer=${answer}>${(data) => html`<${Figures} gathered=${data.gathered} />`}<//>
    <${Panel} title="The last 15 minutes">
      <div class="plots">
        <${Plot} title="Statement time, p95" format=${milliseconds} lines=${[{ name: 'statementP95Ms', label: 'p95', least: 5 }]} />
        <${Plot} title="Statements a second" format=${perSecond} lines=${[{ name: 'statementsPerS', label: 'of this process' }]} />
        <${Plot}
          title="Shares"
          format=${percent}
          max=${1}
          lines=${[
            { name: 'databaseHitShare', label: 'buffer hits' },
            { name: 'databaseCpuShare', label: 'CPU' },
          ]}
        />
        <${Plot} title="Connections" format=${count} lines=${[{ name: 'databaseConnections', label: 'to PostgreSQL', least: 10 }]} />
      </div>
    <//>
    <${Answered} answer=${answer}>${(data) => html`<${Statements} ...${data} />`}<//>`
}

function Figures({ gathered }) {
  if (!gathered)
    return html`<p class="notice bad">PostgreSQL could not be asked. What was there before is not shown, since it may be wrong.</p>`
  const { database, replication, sizeBytes } = gathered
  return html`<section aria-labelledby="figures">
    <h2 id="figures" class="unseen">Figures</h2>
    <dl class="tiles">
      <${Tile} label="Connections" value=${count(database.connections)} note=${`of ${count(database.connectionsMax)}, everybody’s`} />
      <${Tile} label="Buffer hits" value=${percent(latest('databaseHitShare'), 1)} note="of the last 10 s" />
      <${Tile} label="CPU" value=${percent(latest('databaseCpuShare'))} note="of all CPUs; – on another machine" />
      <${Tile} label="Size" value=${bytes(sizeBytes)} note=${`looked at at ${clock(gathered.atMs)}`} />
      <${Tile} label="Deadlocks" value=${count(database.deadlocks)} note="since statistics began" />
      <${Tile} label="Temporary files" value=${bytes(database.temporaryBytes)} note="what work_mem did not hold" />
      <${Tile}
        label="Replicas"
        value=${count(replication.replicas)}
        note=${replication.replicas > 0 ? `${duration(replication.lagMs / 1_000)} behind` : 'none is connected'}
      />
    </dl>
  </section>`
}

function Statements({ gathered, busiest, slow }) {
  return html`<${Panel}
      title="Slow statements"
      about="The last one of each that took longer than 100 ms in this process, with the plan that PostgreSQL would take (of the statement, without anybody’s values)."
    >
      ${slow.length === 0 && html`<p class="empty">No statement has taken longer than 100 ms since this process started.</p>`}
      ${slow.map(
        (one) =>
          html`<details class="plan" key=${one.statement}>
            <summary><code>${one.statement}</code> <span class="note">${milliseconds(one.durationMs)} at ${clock(one.atMs)}</span></summary>
            <pre tabindex="0" role="region" aria-label=${`Plan of ${one.statement}`}>
${one.plan ?? 'PostgreSQL would not tell the plan.'}</pre>
          </details>`,
      )}
    <//>
    <${Panel}
      title="Slow in PostgreSQL’s own statistics"
      about="Statements of everybody whose mean is above 100 ms, by what they cost in all."
    >
      <${Table}
        caption="Statements by pg_stat_statements"
        empty=${gathered ? 'None, or pg_stat_statements is not there (docs/monitoring.md says how to get it).' : 'PostgreSQL could not be asked.'}
        keyOf=${(one) => one.query}
        rows=${gathered?.slowStatements ?? []}
        columns=${[
          { name: 'Statement', header: true, of: (one) => html`<code class="query">${one.query}</code>` },
          { name: 'Calls', number: true, of: (one) => count(one.calls) },
          { name: 'Mean', number: true, of: (one) => microseconds(one.meanUs) },
          { name: 'In all', number: true, of: (one) => microseconds(one.totalUs) },
        ]}
      />
    <//>
    <${Panel} title="Statements by what they cost" about="Of this process, since it started.">
      <${Table}
        caption="Statements by their time in all"
        empty="No statement has run yet."
        keyOf=${(one) => one.statement}
        rows=${busiest}
        columns=${[
          { name: 'Statement', header: true, of: (one) => html`<code>${one.statement}</code>` },
          { name: 'Calls', number: true, of: (one) => count(one.calls) },
          { name: 'Mean', number: true, of: (one) => milliseconds(one.meanMs) },
          { name: 'p95', number: true, of: (one) => milliseconds(one.p95Ms) },
          { name: 'In all', number: true, of: (one) => milliseconds(one.totalMs) },
          { name: 'Over 100 ms', number: true, of: (one) => count(one.slow) },
        ]}
      />
    <//>
    <${Panel} title="Tables" about="The largest, as PostgreSQL estimates them. Dead rows are what vacuum has still to free.">
      <${Table}
        caption="Tables by rows"
        empty="PostgreSQL could not be asked."
        keyOf=${(one) => one.name}
        rows=${gathered?.tables ?? []}
        columns=${[
          { name: 'Table', header: true, of: (one) => html`<code>${one.name}</code>` },
          { name: 'Rows', number: true, of: (one) => count(one.liveRows) },
          { name: 'Dead', number: true, of: (one) => count(one.deadRows) },
          { name: 'Index scans', number: true, of: (one) => count(one.indexScans) },
          { name: 'Sequential scans', number: true, of: (one) => count(one.sequentialScans) },
        ]}
      />
    <//>`
}
