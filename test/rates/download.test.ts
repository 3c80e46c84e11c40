// Files are fetched from where the operator says and from nowhere else, within a time and a size.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { download, DownloadError, refusalOfUrl } from '../../src/resources/download.ts'
import { limits } from '../../src/values/limits.ts'
import { openFileServer } from './file-server.ts'

const server = await openFileServer()
after(() => server.close())

const bounds = { bytesMax: 1_000, timeoutMs: 20_000 }
const fetched = async (path: string, within = bounds) => Buffer.from(await download(server.url + path, within)).toString()
const redirect = (to: string, status = 302) => {
  server.routes['/from'] = (response) => response.writeHead(status, { location: to }).end()
}
const refused = (work: Promise<unknown>, message: RegExp) =>
  assert.rejects(work, (error: unknown) => {
    assert.ok(error instanceof DownloadError, String(error))
    assert.match(error.message, message)
    return true
  })

server.routes['/file'] = (response) => response.end('rates')

test('a file comes as it is, also over redirects of the same scheme', async () => {
  assert.equal(await fetched('/file'), 'rates')
  for (const status of [301, 302, 303, 307, 308]) {
    redirect('/file', status)
    assert.equal(await fetched('/from'), 'rates')
  }
  server.routes['/packed'] = (response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('rates'))
  assert.equal(await fetched('/packed'), 'rates')
  server.routes['/empty'] = (response) => response.end()
  assert.equal(await fetched('/empty'), '')
})

test('only https is fetched from, and http on this machine', async () => {
  for (const good of [
    'https://rates.example.org/x?key=1',
    'http://127.0.0.1:8080/',
    'http://localhost/x',
    'http://[::1]:1/x',
    'http://127.1.2.3/',
  ]) {
    assert.equal(refusalOfUrl(good), undefined, good)
  }
  for (const bad of [
    '',
    'x',
    '/etc/passwd',
    'file:///etc/passwd',
    'ftp://127.0.0.1/x',
    'http://rates.example.org/',
    'http://127.0.0.1.example.org/',
    'http://localhost.example.org/',
    'http://0.0.0.0/',
    'data:,x',
    'javascript:1',
  ]) {
    assert.match(refusalOfUrl(bad) ?? '', /must be an https URL/, bad)
    await assert.rejects(download(bad, bounds), /must be an https URL/)
  }
  assert.match(refusalOfUrl('https://a:b@rates.example.org/') ?? '', /must not hold a user or password/)
})

test('a redirect to another scheme or away from this machine is not followed', async () => {
  for (const to of [
    'https://rates.example.org/x',
    'http://rates.example.org/x',
    'ftp://127.0.0.1/x',
    'file:///etc/passwd',
    'http://a:b@127.0.0.1/',
    'http://',
    'data:,rates',
  ]) {
    redirect(to)
    await refused(fetched('/from'), /\/from: leads on to .*, which is not followed$/)
  }
})

test('redirects in a circle end', async () => {
  redirect('/from')
  server.asked.length = 0
  await refused(fetched('/from'), /more than 5 redirects/)
  assert.equal(server.asked.length, limits.redirectsMax + 1)
})

test('an answer that is no file is an error that names the status and hides the query', async () => {
  await refused(fetched('/missing?key=secret'), /^http:\/\/127\.0\.0\.1:\d+\/missing: answered 404$/)
  for (const status of [204, 206, 304, 403, 500, 503]) {
    server.routes['/other'] = (response) => response.writeHead(status).end()
    await refused(fetched('/other'), new RegExp(`answered ${status}`))
  }
  redirect('')
  server.routes['/nowhere'] = (response) => response.writeHead(302).end()
  await refused(fetched('/nowhere'), /answered 302/)
})

test('more than the limit is not read, counted behind any compression', async () => {
  server.routes['/exact'] = (response) => response.end('x'.repeat(bounds.bytesMax))
  assert.equal((await fetched('/exact')).length, bounds.bytesMax)
  server.routes['/large'] = (response) => response.end('x'.repeat(bounds.bytesMax + 1))
  await refused(fetched('/large'), /is larger than/)
  server.routes['/bomb'] = (response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(Buffer.alloc(10_000_000)))
  await refused(fetched('/bomb'), /is larger than/)
  server.routes['/endless'] = (response) => {
    const more = () => {
      while (!response.destroyed && response.write('x'.repeat(1_000)));
    }
    response.on('drain', more)
    more()
  }
  await refused(fetched('/endless'), /is larger than/)
})

test('a server that does not answer, or not to the end, is waited for no longer than the limit', async () => {
  server.routes['/silent'] = () => {}
  await refused(fetched('/silent', { ...bounds, timeoutMs: 50 }), /no answer within 0.05 s/)
  server.routes['/half'] = (response) => void response.writeHead(200, { 'content-length': 100 }).write('half')
  await refused(fetched('/half', { ...bounds, timeoutMs: 50 }), /no answer within 0.05 s/)
  server.routes['/cut'] = (response) => response.destroy()
  await refused(fetched('/cut'), /cannot be reached \(.+\)/)
  await refused(download('http://127.0.0.1:1/x', bounds), /cannot be reached \(.+\)/)
})
