// The rig that measures saturation, in its parts: statements as pgbench's scripts, what pgbench prints, and the generator that counts.
import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { after, test } from 'node:test'
import { figuresJson } from '../rigs/bench/figure.ts'
import { inTurn, requestText, saturate } from '../rigs/bench/saturate.ts'
import { asCommand, readProgress, scriptOf } from '../rigs/bench/saturation/pgbench.ts'
import { saturationJson } from '../rigs/bench/saturation/table.ts'
import { answerJson, openStub } from './load/stub.ts'

test('a statement becomes a command of pgbench with its text as it is, parameters by name and casts let be', () => {
  const text = `select id from t where household = $1::uuid and (id = any($2::uuid[]) or $1::uuid is null) limit $3::int4`
  assert.equal(
    asCommand(text, ['household_1', 'ids_1', null]),
    'select id from t where household = :household_1::uuid and (id = any(:ids_1::uuid[]) or :household_1::uuid is null) limit null::int4;',
  )
})

test('the tenth parameter is not the first with a nought', () => {
  const names = Array.from({ length: 10 }, (_, index) => `v${index + 1}`)
  assert.equal(asCommand('select $10, $1', names), 'select :v10, :v1;')
})

test('what pgbench would read in another way is refused', () => {
  assert.throws(() => asCommand(`select to_char(now(), 'HH24:MI')`, []), /take :MI for a variable/)
  assert.throws(() => asCommand('select 1; select 2', []), /one statement/)
  assert.throws(() => asCommand('select $1, $2', ['one']), /nothing stands for \$2/)
})

test('a script draws once for all of its executions', () => {
  const draw = { select: 'select a_1, a_2 from t where draw = :draw', rows: 50, slots: 2 }
  assert.equal(
    scriptOf(draw, (slot) => [`select :a_${slot};`]),
    '\\set draw random(1, 50)\nselect a_1, a_2 from t where draw = :draw \\gset\nselect :a_1;\nselect :a_2;\n',
  )
})

test('of what pgbench prints the later half of the seconds counts', () => {
  const line = (second: number, tps: number, failed = 0) =>
    `progress: ${second}.0 s, ${tps}.5 tps, lat 0.359 ms stddev 0.100, ${failed} failed`
  const printed = ['pgbench (18.6)', line(1, 10), line(2, 50), line(3, 100), line(4, 200), 'tps = 90.0 (without initial connection time)']
  assert.equal(readProgress(printed.join('\n')), 150.5)
  assert.throws(() => readProgress([line(1, 10), line(2, 10, 3)].join('\n')), /3 failed/)
  assert.throws(() => readProgress('pgbench (18.6)'), /no progress/)
})

test('the generator counts answers, and sends the requests in turn with their bodies', async () => {
  const stub = await openStub((_request, response, seen) => answerJson(response, { text: 'ä'.repeat(seen % 70_000) }, 201))
  const url = stub.url.origin
  const requests = ['/one', '/two', '/three'].map((path) => requestText(url, 'POST', path, { 'x-test': 'yes' }, '{"payee":"Café"}'))
  let edges = 0
  const load = { next: inTurn(requests), status: 201, connections: 1, warmUpMs: 20, countedMs: 150, atEdges: () => void edges++ }
  const { perSecond, requests: counted } = await saturate(url, load)
  assert.equal(edges, 2)
  assert.ok(counted > 0 && counted <= stub.seen.length)
  assert.ok(perSecond > 0)
  assert.deepEqual(
    stub.seen.slice(0, 4),
    ['/one', '/two', '/three', '/one'].map((path) => ({ method: 'POST', path })),
  )
})

test('an answer that comes in pieces is one answer', async () => {
  const head = 'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 6\r\n\r\n'
  let answered = 0
  const server = createServer((socket) => {
    socket.on('error', () => {})
    socket.on('data', () => {
      answered++
      const pieces = [head.slice(0, 20), head.slice(20, 60), `${head.slice(60)}ab`, 'cd', 'ef']
      const send = () => {
        const piece = pieces.shift()
        if (piece !== undefined) socket.write(piece, () => setImmediate(send))
      }
      send()
    })
  }).listen(0, '127.0.0.1')
  after(() => server.close())
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const { requests } = await saturate(url, {
    next: inTurn([requestText(url, 'GET', '/', {})]),
    status: 200,
    connections: 2,
    warmUpMs: 0,
    countedMs: 100,
  })
  assert.ok(requests > 0 && requests <= answered)
})

test('an answer of another status ends the run with what it was', async () => {
  const stub = await openStub((_request, response, seen) => answerJson(response, { code: 'unavailable' }, seen < 3 ? 200 : 503))
  const url = stub.url.origin
  const running = saturate(url, {
    next: inTurn([requestText(url, 'GET', '/', {})]),
    status: 200,
    connections: 1,
    warmUpMs: 0,
    countedMs: 60_000,
  })
  await assert.rejects(running, /answered 503 in place of 200[^]*unavailable/)
})

test('a server that ends a connection ends the run', async () => {
  const stub = await openStub((request) => request.socket.destroy())
  const url = stub.url.origin
  const running = saturate(url, {
    next: inTurn([requestText(url, 'GET', '/', {})]),
    status: 200,
    connections: 1,
    warmUpMs: 0,
    countedMs: 60_000,
  })
  await assert.rejects(running)
})

test('the JSON has six members a row, and a limit that could not be measured is null', () => {
  const row = {
    name: 'list',
    perSecond: 2_058.123_4,
    cpuMsPerRequest: 0.412_34,
    rssMb: 151.23,
    target: 0.3,
    postgresMsPerRequest: 0.2,
  } as const
  const [known, unknown] = saturationJson([
    { ...row, limitPerSecond: 8_000, ratio: 2_058.123_4 / 8_000, generatorShare: 0.2 },
    { ...row, limitPerSecond: null, ratio: null, generatorShare: 0.2 },
  ])
  assert.deepEqual(known, { name: 'list', perSecond: 2_058.1, limitPerSecond: 8_000, ratio: 0.257, cpuMsPerRequest: 0.412_3, rssMb: 151.2 })
  assert.deepEqual(unknown, { ...known, limitPerSecond: null, ratio: null })
})

test('figures of other parts say whether their targets are met', () => {
  assert.deepEqual(
    figuresJson('start', [
      { name: 'one', value: 3, unit: 'ms', target: 2 },
      { name: 'two', value: 3, unit: 'times', atLeast: 3 },
      { name: 'three', value: 3, unit: 'MB' },
    ]),
    [
      { part: 'start', name: 'one', value: 3, unit: 'ms', target: 2, met: false },
      { part: 'start', name: 'two', value: 3, unit: 'times', atLeast: 3, met: true },
      { part: 'start', name: 'three', value: 3, unit: 'MB', met: null },
    ],
  )
})
