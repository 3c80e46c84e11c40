// A connection that hears of changes and dies in silence: nobody ends it, and nothing comes over it any more.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { after, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { setFlag } from '../../src/features/flags/administration.ts'
import { Flags } from '../../src/features/flags/flags.ts'
import { makeAuthenticate } from '../../src/features/identity/sessions.ts'
import { Catalog } from '../../src/features/system/catalog.ts'
import { Notifications } from '../../src/resources/notifications.ts'
import { noticed } from '../flags/setting.ts'
import { open } from '../harness.ts'

const djinn = await open()
after(() => djinn.close())

/** A way to the database that can fall silent. */
async function openWay(url: string) {
  const target = new URL(url)
  const sockets: Socket[] = []
  const server = createServer((near) => {
    const far = connect(Number(target.port), target.hostname)
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      from.on('data', (bytes) => to.write(bytes))
      from.on('error', () => {})
      from.on('close', () => to.destroy())
      sockets.push(from)
    }
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const way = new URL(url)
  way.port = String((server.address() as AddressInfo).port)
  return {
    url: way.href,
    opened: () => sockets.length / 2,
    fallSilent: () => sockets.forEach((socket) => socket.pause()),
    speakAgain: () => sockets.forEach((socket) => socket.resume()),
    close: () => {
      sockets.forEach((socket) => socket.destroy())
      server.close()
    },
  }
}

test('what is told over a connection that fell silent is found out all the same: a revocation, a flag, system data', async () => {
  const { database, directDatabase, log } = djinn.resources
  const ana = await djinn.person()
  const way = await openWay(djinn.adminUrl)
  const notifications = new Notifications(way.url, () => {})
  const flags = new Flags({ database, notifications, log })
  try {
    const doubt = Promise.withResolvers<void>()
    let gaps = 0
    notifications.onDoubt(doubt.resolve)
    notifications.onGap(() => gaps++)
    const looks: boolean[] = []
    const authenticate = makeAuthenticate(database, notifications, (hit) => looks.push(hit))
    const catalog = new Catalog(database, notifications)
    await notifications.open()
    await flags.open()
    assert.equal((await authenticate(ana.accessToken))?.userId, ana.userId)
    assert.equal((await authenticate(ana.accessToken))?.userId, ana.userId)
    assert.deepEqual(looks, [false, true])
    await catalog.read('institutions')
    assert.equal((await catalog.read('institutions')).hit, true)

    way.fallSilent()
    const noticedFlag = noticed(flags)
    const silence = [
      ana.post('/api/auth/logout', {}),
      setFlag(directDatabase, { name: 'readOnly', value: 'on', by: 'test' }),
      djinn.sql(`insert into system_data (name, content) values ('institutions', '[{"id":"a","name":"Alone","country":"AT"}]')`),
    ]
    await Promise.all(silence)
    await doubt.promise
    assert.equal(notifications.listening, false)
    assert.equal(await authenticate(ana.accessToken), null)
    assert.deepEqual((await catalog.read('institutions')).entry.content, [{ id: 'a', name: 'Alone', country: 'AT' }])
    await noticedFlag
    assert.equal(flags.readOnly, true)
    assert.deepEqual([gaps, way.opened()], [1, 1], 'the connection was not even given up')

    // What was held up comes over, and counts again; nothing was missed, so nothing is forgotten.
    way.speakAgain()
    while (!notifications.listening) await setTimeout(10)
    await catalog.read('institutions')
    assert.equal((await catalog.read('institutions')).hit, true)
  } finally {
    flags.close()
    way.close()
    await notifications.close()
    await setFlag(directDatabase, { name: 'readOnly', value: 'off', by: 'test' })
  }
})

test('system data is as it was last known while the database cannot say', async () => {
  const { database } = djinn.resources
  const way = await openWay(djinn.adminUrl)
  const notifications = new Notifications(way.url, () => {})
  try {
    const catalog = new Catalog(database, notifications)
    await notifications.open()
    const { entry } = await catalog.read('countries')
    const doubt = Promise.withResolvers<void>()
    notifications.onDoubt(doubt.resolve)
    way.fallSilent()
    await doubt.promise
    await djinn.sql('revoke select on system_data from djinn_app')
    assert.ok((await catalog.read('countries')).entry === entry)
  } finally {
    await djinn.sql('grant select on system_data to djinn_app')
    way.close()
    await notifications.close()
  }
})
