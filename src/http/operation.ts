// An operation, declared once: it is the route, the batch step, the OpenAPI entry, the metric label and the rate cost.
import type { z } from 'zod'
import type { Day } from '../values/day.ts'
import type { FeatureName } from '../values/flags.ts'
import type { RefusalCode } from '../values/refusal-codes.ts'
import type { Database } from '../resources/database.ts'
import type { Reads } from '../resources/reads.ts'
import type { Runner, Transaction } from '../resources/transaction.ts'
import type { Row, RowStatements } from '../resources/rows.ts'
import type { Shape } from '../resources/statement.ts'
import type { Encoding } from './compress.ts'
import type { Cursors } from './page.ts'
import type { Call } from './perform.ts'
import type { Signed } from './signature.ts'

/** Who may call: anyone, whoever signs it with a secret, a signed-in user, or a member of the household with at least this role. */
export type Access = 'anonymous' | 'signed' | 'user' | 'viewer' | 'editor' | 'owner'
/** What is shed first when the server is overloaded: reports, then lists, then sync; writes and auth last. Reads of reports take a connection apart. */
export type Criticality = 'report' | 'list' | 'sync' | 'write' | 'auth'
export type Role = 'owner' | 'editor' | 'viewer'

/** What a session knows of a household that its user belongs to; kept with the session and renewed when any of it changes. */
export type Membership = { role: Role; timeZone: string; baseCurrency: string }

export type Principal = {
  userId: string
  sessionId: string
  tier: 'standard' | 'premium'
  /** By household id; the first is the user's own. */
  memberships: ReadonlyMap<string, Membership>
}

export type Upload = { bytes: Buffer; fileName: string | null }

/** What an operation runs with. Reads and writes inside of it are bound to the caller's household. */
export type Context = {
  /** The call as it came. */
  call: Call
  requestId: string
  /** Milliseconds of the epoch at which the request came in. */
  nowMs: number
  address: string
  principal: Principal | null
  household: ({ id: string } & Membership) | null
  /** The day it is in the household's time zone; UTC's without a household. */
  readonly today: Day
  /** Reads: one round trip each. In a write operation this is its transaction. */
  db: Runner
  /** A live row of the household by its id, or null; reads share statements and rows within a run. */
  load: <C extends Shape>(rows: RowStatements<C>, id: string) => Promise<Row<C> | null>
  /** Rows of a page when the caller does not say. */
  pageRows: number
  /** The transaction of a write operation. */
  tx: Transaction | null
  database: Database
  /** For reads of a household that know which revision they must be of. */
  reads: Reads
  cursors: Cursors
  /** The revision an If-Match header demands, or null. */
  ifMatchRevision: number | null
  /** The If-None-Match header, for operations with tags of their own. */
  ifNoneMatch: string | undefined
  /** For operations that open transactions of their own. */
  scope: { household: string | null; user: string | null; device: string | null; request: string }
}

export type Answer = {
  status?: number
  body?: unknown
  headers?: Record<string, string>
  /** The revision that the answer shows; reads that leave it out carry the household's. */
  revision?: number
  /** It shows more than the household's rows, such as exchange rates: its tag is of its content, not of the household's revision. */
  beyondHousehold?: boolean
  /** Bytes as they are, with their media type, instead of a JSON body; `encoded` keeps what they were compressed to, for the next caller. */
  bytes?: { content: Buffer | string; mediaType: string; encoded?: Map<Encoding, Buffer> }
  /** Bytes that are made while they are sent, for what is larger than memory should hold. */
  download?: Download
  /** Takes over the connection and answers what to call when the client is gone. */
  stream?: (sink: EventSink) => Promise<() => void>
}

export type Download = { chunks: AsyncIterable<string>; mediaType: string; fileName: string }

/** Where a stream is written to; it ends by itself when the client does not read. */
export type EventSink = { write: (text: string) => void; end: () => void }

export type Input<P = unknown, Q = unknown, B = unknown> = { params: P; query: Q; body: B }

/** Rows of another noun that rows of a list name. */
export type Related = { name: string; rows: RowStatements; ids: (row: Record<string, unknown>) => (string | null)[] }

export type Operation<P = unknown, Q = unknown, B = unknown, R = unknown, A = unknown> = {
  /** `noun.verb`, unique: metric label and OpenAPI operationId. */
  name: string
  /** One line for the documentation, and what else an app author must know. */
  summary: string
  description?: string
  tag: string
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  /** With parameters in braces: `/api/accounts/{id}`. */
  path: string
  access: Access
  /** The household is the one whose `{id}` is in the path, whatever the header says. */
  householdIn?: 'path'
  /** Of `signed` access: what it is signed with. There is no principal then; the scope is the signer's household, with the signer for a device. */
  signed?: Signed
  criticality: Criticality
  /** The feature that it is refused without: one that an operator may switch off, or on for some users only. */
  feature?: FeatureName
  /** It changes no more than who is signed in, or nothing at all: the service may be read-only. GET needs not say so. */
  goesOnReadOnly?: boolean
  /**
   * `read`: no transaction; `write`: one transaction around `run`, with idempotency; `own`: `run` opens what it needs; `stream`: the answer goes on
   * for as long as both sides like, or is made while it is sent.
   */
  effect: 'read' | 'write' | 'own' | 'stream'
  params?: z.ZodType<P>
  query?: z.ZodType<Q>
  /** A JSON schema, or a file sent as octets or multipart. */
  body?: z.ZodType<B> | 'file'
  /** Shape of the answer, for the document and the tests. */
  answer?: z.ZodType
  /** The row whose fields `?fields=` may choose from. */
  row?: z.ZodObject
  /** The fields that a slow network gets; together with the hints of the network in Vary. */
  essential?: readonly string[]
  /** Rows that a page names and a fast network gets with it. */
  related?: readonly Related[]
  /** The media type of an answer that is not JSON. */
  answerType?: string
  status?: number
  /** Other statuses it may answer with when all is well, and when. */
  alsoStatuses?: Readonly<Record<number, string>>
  /** Codes it may refuse with, besides those that every operation shares. */
  refusals?: readonly RefusalCode[]
  /** Reads of household data: answered 304 from the household's revision. */
  conditional?: boolean
  /** Its answer depends on the household's day, which then stands in its tag. */
  daily?: boolean
  /** For what carries secrets: `no-store` instead of `private, no-cache`, and what an Idempotency-Key keeps of a write is sealed. */
  noStore?: boolean
  /** Refuses whom the role alone does not tell apart; asked before a key's kept answer is given again. */
  admit?: (context: Context, input: Input<P, Q, B>) => Promise<void>
  /** Long work of a write that needs no transaction (reading a file, hashing): done before one is opened. */
  prepare?: (context: Context, input: Input<P, Q, B>) => Promise<R>
  /** Reads of a write that are sent together with its opening: behind the household's lock, and with a key too at the cost of no round trip. */
  readAhead?: (context: Context, input: Input<P, Q, B>) => Promise<A>
  run: (context: Context, input: Input<P, Q, B> & { prepared: R; ahead: A }) => Promise<Answer>
}

/** Declares an operation; the types of its input follow from its schemas. */
export function operation<P = Record<never, never>, Q = Record<never, never>, B = undefined, R = undefined, A = undefined>(
  declared: Operation<P, Q, B, R, A>,
): Operation {
  return declared as unknown as Operation
}
