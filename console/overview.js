// The first look: is all well, what is not, and the figures of the last quarter of an hour.
import { html } from 'htm/preact'
import { latest, live, rows } from './live.js'
import { bytes, clock, count, duration, milliseconds, percent, perSecond } from './format.js'
import { Panel, Tile } from './parts.js'
import { Plot } from './plot.js'

/** Above or below which a figure is no longer fine, and then bad; docs/console.md says what to do. */
const bounds = {
  p95Ms: { warn: 200, bad: 1_000 },
  errorShare: { warn: 0.001, bad: 0.01 },
  poolWaiting: { warn: 1, bad: 20 },
  connections: { warn: 60, bad: 80 },
  cpu: { warn: 0.6, bad: 0.8 },
  memory: { warn: 0.7, bad: 0.9 },
  disk: { warn: 0.7, bad: 0.8 },
  oldestDueS: { warn: 60, bad: 600 },
}

function level(value, { warn, bad }) {
  if (value === null || value === undefined) return 'good'
  return value >= bad ? 'bad' : value >= warn ? 'warn' : 'good'
}

/** The mean of the last minute: a single row of five seconds is too nervous to be judged. */
function ofMinute(name) {
  const index = live.value.columns.indexOf(name)
  const values = rows.value
    .slice(-12)
    .map((row) => row[index])
    .filter((value) => value !== null)
  return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length
}

function fullestDisk() {
  const used = Object.values(live.value.disks).map((disk) => 1 - disk.availableBytes / disk.bytes)
  return used.length === 0 ? null : Math.max(...used)
}

function figures() {
  const { gathered, people, memory, service } = live.value
  const requests = ofMinute('requestsPerS')
  const errors = ofMinute('errorsPerS')
  const errorShare = requests > 0 ? errors / requests : 0
  const hit = ofMinute('databaseHitShare')
  const jobs = gathered?.jobs
  const memoryShare = memory && 1 - memory.availableBytes / memory.bytes
  const disk = fullestDisk()
  const busy = latest('poolBusy')
  const idle = latest('poolIdle')
  return [
    {
      label: 'Requests',
      value: `${perSecond(latest('requestsPerS'))}/s`,
      note: `${count(latest('connections'))} connections`,
      href: '#requests',
    },
    {
      label: 'Answer time, p95',
      value: milliseconds(latest('p95Ms')),
      note: `p50 ${milliseconds(latest('p50Ms'))}, p99 ${milliseconds(latest('p99Ms'))}`,
      level: level(ofMinute('p95Ms'), bounds.p95Ms),
      href: '#requests',
    },
    {
      label: 'Errors',
      value: percent(errorShare, 2),
      note: `of the last minute; refused ${perSecond(ofMinute('refusedPerS'))}/s`,
      level: level(errorShare, bounds.errorShare),
      href: '#requests',
    },
    {
      label: 'Pool',
      value: `${count(busy)} of ${count(busy === null ? null : busy + idle)} busy`,
      note: `${count(latest('poolWaiting'))} requests wait`,
      level: level(ofMinute('poolWaiting'), bounds.poolWaiting),
      href: '#database',
    },
    {
      label: 'Database',
      value: service.databaseReachable ? bytes(gathered?.sizeBytes) : 'unreachable',
      note: gathered && `${count(latest('databaseConnections'))} of ${count(gathered.connectionsMax)} connections`,
      level: service.databaseReachable ? level(latest('databaseConnections'), bounds.connections) : 'bad',
      href: '#database',
    },
    {
      label: 'Buffer hits',
      value: percent(hit, 1),
      note: 'blocks found in memory',
      level: hit !== null && hit < 0.9 ? 'warn' : 'good',
      href: '#database',
    },
    {
      label: 'Database CPU',
      value: percent(ofMinute('databaseCpuShare')),
      note: `machine ${percent(ofMinute('machineCpuShare'))}`,
      level: level(ofMinute('databaseCpuShare'), bounds.cpu),
      href: '#database',
    },
    {
      label: 'Memory',
      value: percent(memoryShare),
      note: `${bytes(latest('residentBytes'))} of this process`,
      level: level(memoryShare, bounds.memory),
    },
    { label: 'Disk', value: percent(disk), note: 'the fullest', level: level(disk, bounds.disk) },
    {
      label: 'Jobs',
      value: jobs ? `${count(jobs.due + jobs.running)} to do` : '–',
      note: jobs && `${count(jobs.dead)} dead; the oldest waits ${duration(jobs.oldestDueMs / 1_000)}`,
      level: jobs?.dead > 0 ? 'warn' : level(jobs && jobs.oldestDueMs / 1_000, bounds.oldestDueS),
      href: '#jobs',
    },
    { label: 'Users', value: count(people?.users), note: gathered && `${count(gathered.users)} active in the last hour` },
    { label: 'Households', value: count(people?.households), note: 'those in use' },
  ]
}

export function Overview() {
  if (live.value === null) return html`<p class="empty">Waiting for the first figures…</p>`
  const tiles = figures()
  const amiss = tiles.filter((tile) => tile.level && tile.level !== 'good')
  const { service, gathered } = live.value
  return html`<p class=${`verdict ${amiss.some((tile) => tile.level === 'bad') ? 'bad' : amiss.length > 0 ? 'warn' : 'good'}`}>
      ${amiss.length === 0 ? 'All is well.' : `Look at: ${amiss.map((tile) => tile.label).join(', ')}.`}
    </p>
    ${service.readOnly && html`<p class="verdict warn">Read-only mode is on: whatever writes is refused. <a href="#flags">Flags</a></p>`}
    <section aria-labelledby="now">
      <h2 id="now" class="unseen">Now</h2>
      <dl class="tiles">${tiles.map((tile) => html`<${Tile} key=${tile.label} ...${tile} />`)}</dl>
    </section>
    <${Panel} title="The last 15 minutes">
      <div class="plots">
        <${Plot}
          title="Requests a second"
          format=${perSecond}
          lines=${[
            { name: 'requestsPerS', label: 'all', least: 4 },
            { name: 'refusedPerS', label: 'refused' },
            { name: 'errorsPerS', label: 'errors' },
          ]}
        />
        <${Plot}
          title="Answer time"
          format=${milliseconds}
          lines=${[
            { name: 'p50Ms', label: 'p50', least: 10 },
            { name: 'p95Ms', label: 'p95' },
            { name: 'p99Ms', label: 'p99' },
          ]}
        />
        <${Plot}
          title="CPU"
          format=${percent}
          max=${1}
          lines=${[
            { name: 'machineCpuShare', label: 'machine' },
            { name: 'databaseCpuShare', label: 'database' },
            { name: 'processCpuShare', label: 'this process' },
          ]}
        />
        <${Plot}
          title="Pool"
          format=${count}
          lines=${[
            { name: 'poolBusy', label: 'busy', least: 5 },
            { name: 'poolIdle', label: 'idle' },
            { name: 'poolWaiting', label: 'waiting' },
          ]}
        />
      </div>
    <//>
    <p class="about">
      Process ${service.process}, up for ${duration((live.value.nowMs - service.startedAtMs) / 1_000)}.
      ${service.api ? html` API at <a href=${`${service.api}/docs`}>${service.api}</a>.` : ' The API is not served by this process.'}
      ${gathered ? ` The service as a whole was looked at at ${clock(gathered.atMs)}.` : ' The service as a whole could not be looked at.'}
      ${' '}<a href="/metrics">Metrics</a> for Prometheus.
    </p>`
}
