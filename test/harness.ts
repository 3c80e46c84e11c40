// A whole service on a database of its own: tests speak to it by HTTP and look at its PostgreSQL.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { EventEmitter, once } from 'node:events'
import { after } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import pg from 'pg'
import { makeApi, type Api } from '../src/app/api.ts'
import { openResources, type Resources } from '../src/app/resources.ts'
import { readConfig, type Environment } from '../src/resources/config.ts'
import { Database } from '../src/resources/database.ts'
import { verifyInvariants, type Finding } from '../src/resources/invariants.ts'
import { refusalCodes } from '../src/values/refusal-codes.ts'
import { cloneDatabase, openCluster, type Cluster, type Major } from './cluster.ts'
import { openPooler, type Pooler } from './pgbouncer.ts'

export type Reply = {
  status: number
  headers: Record<string, string>
  // oxlint-disable-next-line no-explicit-any -- tests look into answers of every shape
  body: any
  text: string
}

/** What one step of a batch was answered. */
export type StepResult = Pick<Reply, 'status' | 'headers' | 'body'> & { id: string }

export type Sent = {
  body?: unknown
  headers?: Record<string, string>
  /** Sent as it is, in place of `body`. */
  raw?: string | Buffer
}

/** A signed-in user with a household. */
export type Person = {
  userId: string
  householdId: string
  email: string
  password: string
  accessToken: string
  refreshToken: string
  call: (method: string, path: string, sent?: Sent) => Promise<Reply>
  get: (path: string, headers?: Record<string, string>) => Promise<Reply>
  post: (path: string, body?: unknown, headers?: Record<string, string>) => Promise<Reply>
  patch: (path: string, body: unknown, headers?: Record<string, string>) => Promise<Reply>
  delete: (path: string, headers?: Record<string, string>) => Promise<Reply>
  /** Uploads a bank's file. */
  upload: (path: string, bytes: Buffer | string) => Promise<Reply>
  /** Opens an account and answers its id. */
  account: (draft?: Record<string, unknown>) => Promise<string>
}

export type Djinn = {
  api: Api
  resources: Resources
  /** The administrator's URL of this database. */
  adminUrl: string
  url: string
  call: (method: string, path: string, sent?: Sent) => Promise<Reply>
  person: (draft?: Record<string, unknown>) => Promise<Person>
  /** Runs SQL as the administrator. */
  sql: <T extends object = Record<string, unknown>>(text: string, values?: unknown[]) => Promise<T[]>
  /** What the work costs: statements by name in order, and waits for the database. */
  count: (work: () => Promise<unknown>) => Promise<{ statements: string[]; roundTrips: number }>
  /** The promises of the books that are broken. */
  broken: () => Promise<Finding[]>
  /** Fails when any promise of the books is broken. */
  verify: () => Promise<void>
  close: () => Promise<void>
  [Symbol.asyncDispose]: () => Promise<void>
}

let own: Promise<Cluster> | undefined
let pooler: Promise<Pooler> | undefined
const opened = new Set<Djinn>()
/** Closes what a file of tests has opened; it may come before the file's own hooks. */
export async function closeServices() {
  await Promise.all([...opened].map((djinn) => djinn.close()))
}

// Registered by the import, so that it is the file's and not of the test that opens first.
after(async () => {
  await closeServices()
  await (await pooler)?.close()
  await (await own)?.close()
})

/** The cluster of this run; a file that runs by itself starts one of its own. */
export async function cluster(): Promise<Pick<Cluster, 'adminUrl' | 'apiUrl'>> {
  const { DJINN_TEST_ADMIN_URL: adminUrl, DJINN_TEST_API_URL: apiUrl, DJINN_TEST_POSTGRES: major } = process.env
  if (adminUrl && apiUrl) return { adminUrl, apiUrl }
  if (!own) {
    own = openCluster(Number(major ?? 18) as Major)
  }
  return await own
}

/** The service's way to its database: past nothing, or with DJINN_TEST_POOLER=on through a PgBouncer of this file. */
async function serviceUrl(url: string): Promise<string> {
  if (process.env['DJINN_TEST_POOLER'] !== 'on') return url
  pooler ??= openPooler(await cluster(), 'current')
  return (await pooler).url(url)
}

/** The database of a service that others started; it is theirs and stays. */
async function databaseAfar() {
  return { ...(await cluster()), name: '', drop: async () => {} }
}

/** Opens a service; `environment` sets further variables, `writeLog` gets the lines of the log, `on` is another cluster than that of the run, with a replica. */
export async function open(
  environment: Environment = {},
  writeLog?: (line: string) => void,
  on?: Pick<Cluster, 'adminUrl' | 'apiUrl'> & { replicaUrl: (database: string) => string },
): Promise<Djinn> {
  const afar = process.env['DJINN_TEST_SERVICE_URL']
  if (afar && (on || Object.keys(environment).length > 0)) throw new Error('this test needs a service of its own')
  const database = afar ? await databaseAfar() : await cloneDatabase(on ?? (await cluster()))
  const config = readConfig({
    NODE_ENV: 'test',
    LOG_LEVEL: 'silent',
    DATABASE_URL: on ? database.apiUrl : await serviceUrl(database.apiUrl),
    DATABASE_DIRECT_URL: database.adminUrl,
    DATABASE_REPLICA_URLS: on?.replicaUrl(database.name),
    // What a test is answered must not depend on what else the machine does.
    SHEDDING: 'off',
    RATE_LIMIT_ANONYMOUS: '100000',
    RATE_LIMIT_AUTHENTICATED: '100000',
    RATE_LIMIT_LOGIN: '100000',
    ...environment,
  })
  const watching: { statement: (name: string) => void; roundTrip: (first: string) => void }[] = []
  const observer = {
    statement: (name: string) => watching.forEach((watch) => watch.statement(name)),
    roundTrip: (first: string) => watching.forEach((watch) => watch.roundTrip(first)),
  }
  const resources = await openResources(config, observer, writeLog)
  const api = await makeApi(resources)
  // With DJINN_TEST_SERVICE_URL the service is another one on the same database: this one only says what it must answer like.
  const url = afar ?? (await api.app.listen({ host: '127.0.0.1', port: 0 }))
  const admin = new pg.Pool({ connectionString: database.adminUrl, max: 2 })
  admin.on('error', () => {})
  const call = (method: string, path: string, sent: Sent = {}) => request(api, url, method, path, sent)
  // What was committed so far has been heard when this comes back: tests that count find the caches as they will stay.
  const heard = new EventEmitter()
  resources.notifications.on('djinn_test', (id) => void heard.emit(id))
  let barriers = 0
  const told = async () => {
    if (!resources.notifications.listening) return
    const id = `${process.pid} ${++barriers}`
    const back = once(heard, id)
    await admin.query(`select pg_notify('djinn_test', $1)`, [id])
    await back
  }
  let people = 0
  let closed = false
  const djinn: Djinn = {
    api,
    resources,
    url,
    call,
    adminUrl: database.adminUrl,
    person: async (draft = {}) => {
      const email = afar ? `person.${randomUUID()}@example.org` : `person${++people}@example.org`
      const password = 'correct horse battery staple'
      const { status, body, text } = await call('POST', '/api/auth/register', { body: { email, password, ...draft } })
      assert.equal(status, 201, text)
      await told()
      return makePerson(call, {
        email,
        password,
        userId: body.user.id,
        householdId: body.household.id,
        accessToken: body.accessToken,
        refreshToken: body.refreshToken,
      })
    },
    sql: async (text, values) => (await admin.query(text, values)).rows,
    count: async (work) => {
      if (afar) throw new Error('what another process asks its database cannot be counted')
      const statements: string[] = []
      let roundTrips = 0
      // The sweep of mailed links comes by every few seconds and is no part of the work.
      const counts = (name: string) => name !== 'emailRequests.take'
      const watch = {
        statement: (name: string) => void (counts(name) && statements.push(name)),
        roundTrip: (first: string) => void (counts(first) && roundTrips++),
      }
      // A machine that is short of a core may have kept this process from hearing its database, and then caches are not trusted.
      while (!resources.notifications.listening) await setTimeout(5)
      watching.push(watch)
      await work()
      watching.splice(watching.indexOf(watch), 1)
      return { statements, roundTrips }
    },
    broken: async () => {
      const owner = new Database({ url: database.adminUrl, connectionsMax: 1 })
      try {
        return (await verifyInvariants(owner)).filter((finding) => finding.broken > 0)
      } finally {
        await owner.close()
      }
    },
    verify: async () => {
      assert.deepEqual(await djinn.broken(), [], 'a promise of the books is broken')
    },
    close: async () => {
      if (closed) return
      closed = true
      opened.delete(djinn)
      await api.close()
      await resources.close()
      await admin.end()
      await database.drop()
    },
    [Symbol.asyncDispose]: () => djinn.close(),
  }
  opened.add(djinn)
  return djinn
}

/** The refusal is this one, and points there. */
export function assertRefused(reply: Reply, status: number, code: string, pointer?: string) {
  assert.deepEqual([reply.status, reply.body.code], [status, code], reply.text)
  if (pointer !== undefined) assert.equal(reply.body.errors[0].pointer, pointer, reply.text)
}

export function makePerson(
  call: Djinn['call'],
  known: Omit<Person, 'call' | 'get' | 'post' | 'patch' | 'delete' | 'upload' | 'account'>,
): Person {
  const person: Person = {
    ...known,
    call: (method, path, sent = {}) =>
      call(method, path, { ...sent, headers: { authorization: `Bearer ${person.accessToken}`, ...sent.headers } }),
    get: (path, headers = {}) => person.call('GET', path, { headers }),
    post: (path, body, headers = {}) => person.call('POST', path, { body, headers }),
    patch: (path, body, headers = {}) => person.call('PATCH', path, { body, headers }),
    delete: (path, headers = {}) => person.call('DELETE', path, { headers }),
    upload: (path, bytes) =>
      person.call('POST', path, { raw: Buffer.from(bytes), headers: { 'content-type': 'application/octet-stream' } }),
    account: async (draft = {}) => {
      const { status, body, text } = await person.post('/api/accounts', { name: 'Current', kind: 'checking', currency: 'EUR', ...draft })
      assert.equal(status, 201, text)
      return body.id
    },
  }
  return person
}

async function request(api: Api, url: string, method: string, path: string, sent: Sent): Promise<Reply> {
  const headers: Record<string, string> = { ...(sent.body !== undefined ? { 'content-type': 'application/json' } : {}), ...sent.headers }
  const body = sent.raw ?? (sent.body === undefined ? undefined : JSON.stringify(sent.body))
  const answer = await fetch(url + path, { method, headers, ...(body === undefined ? {} : { body: body as string }) })
  const text = await answer.text()
  const reply: Reply = {
    status: answer.status,
    headers: Object.fromEntries(answer.headers),
    text,
    body: parse(text, answer.headers.get('content-type') ?? ''),
  }
  checkContract(api, method, path, reply)
  return reply
}

function parse(text: string, mediaType: string): unknown {
  return /json/.test(mediaType) && text !== '' ? JSON.parse(text) : text
}

/** Every answer of every test is held against what the documentation says of it. */
function checkContract(api: Api, method: string, path: string, reply: Reply) {
  if (!path.startsWith('/api/') || method === 'HEAD') return
  assert.ok(reply.headers['x-request-id'], `${method} ${path} has a request id`)
  if (reply.status >= 400) {
    assert.match(reply.headers['content-type'] ?? '', /^application\/problem\+json/, `${method} ${path}: ${reply.text}`)
    const known = refusalCodes[reply.body.code as keyof typeof refusalCodes]
    assert.ok(known, `the code ${reply.body.code} is on the closed list`)
    assert.equal(reply.body.status, reply.status)
    return
  }
  const plain = path.split('?')[0]!
  const operation = api.operations.find(
    (one) => one.method === method && new RegExp(`^${one.path.replaceAll(/\{\w+\}/g, '[^/]+')}$`).test(plain),
  )
  const essential = reply.headers['djinn-quality'] === 'essential'
  if (!operation?.answer || essential || reply.status === 304 || reply.status === 204 || /[?&]fields=/.test(path)) return
  const result = operation.answer.safeParse(reply.body)
  assert.ok(result.success, `${operation.name} answers as documented: ${result.error?.message ?? ''}`)
}
