// A virtual phone: what it remembers of earlier answers, and the request that it makes of a step.
import { newId } from '../values/id.ts'
import type { StepName } from './mix.ts'
import { pick, wholeOf, type Random } from './random.ts'

/** Whose phone it is; a line of the tokens file. */
export type Session = { accessToken: string; userId: string; householdId: string }
export type Request = { step: StepName; method: 'GET' | 'POST'; path: string; headers: Record<string, string>; body?: string }
/** What was answered, as far as a phone looks. */
export type Answer = { status: number; etag: string | undefined; body: unknown }
export type Moment = { random: Random; today: string }

type Row = { id: string; [field: string]: unknown }
type Page = { data: Row[]; nextCursor: string | null }

/** What people buy, and between which amounts in minor units. */
const purchases = [
  ['Groceries', -9_500, -400],
  ['Bakery', -900, -120],
  ['Coffee', -450, -180],
  ['Lunch', -1_800, -600],
  ['Fuel', -8_000, -2_000],
  ['Train', -6_000, -250],
  ['Pharmacy', -4_000, -300],
  ['Books', -3_500, -800],
  ['Refund', 500, 6_000],
] as const

export class Phone {
  readonly session: Session
  cursor: string | undefined
  hasMore = false
  accounts: string[] = []
  rows: string[] = []
  nextPage: string | undefined
  readonly #tags = new Map<StepName, string>()

  constructor(session: Session) {
    this.session = session
  }

  /** The request of a step. A step that needs what the phone has not seen yet (a row, a next page) is a list. */
  request(step: StepName, moment: Moment): Request {
    const row = step === 'row' ? pick(moment.random, this.rows) : undefined
    const account = pick(moment.random, this.accounts)
    if (step === 'config') return this.#read(step, '/api/system/config/mobile', true)
    if (step === 'sync') {
      return this.#read(step, `/api/sync${this.cursor === undefined ? '' : `?cursor=${encodeURIComponent(this.cursor)}`}`, true)
    }
    if (step === 'accounts') return this.#read(step, '/api/accounts', true)
    if (step === 'next' && this.nextPage !== undefined) {
      return this.#read(step, `/api/transactions?limit=20&cursor=${encodeURIComponent(this.nextPage)}`)
    }
    if (step === 'account' && account !== undefined) return this.#read(step, `/api/transactions?limit=20&account=${account}`)
    if (row !== undefined) return this.#read('row', `/api/transactions/${row}`)
    if (step === 'add' && account !== undefined) return this.#write(step, '/api/transactions', this.#draft(account, moment))
    if (step === 'batch' && account !== undefined) return this.#write(step, '/api/batch', { operations: this.#outbox(account, moment) })
    return this.#read(step === 'reread' ? 'reread' : 'list', '/api/transactions?limit=20', step === 'reread')
  }

  /** Keeps what later requests are made of. */
  learn(step: StepName, { status, etag, body }: Answer) {
    if (status !== 200) return
    if (etag !== undefined) this.#tags.set(step === 'list' ? 'reread' : step, etag)
    if (step === 'sync') {
      const { nextCursor, hasMore } = body as { nextCursor: string; hasMore: boolean }
      this.cursor = nextCursor
      this.hasMore = hasMore
    } else if (step === 'accounts') {
      this.accounts = (body as Page).data.filter((account) => account['closedAt'] === null).map((account) => account.id)
    } else if (step === 'list' || step === 'reread' || step === 'next') {
      const page = body as Page
      if (page.data.length > 0) this.rows = page.data.map((row) => row.id)
      this.nextPage = page.nextCursor ?? undefined
    }
  }

  #read(step: StepName, path: string, conditional = false): Request {
    const tag = conditional ? this.#tags.get(step) : undefined
    return { step, method: 'GET', path, headers: { ...this.#own(), ...(tag === undefined ? {} : { 'If-None-Match': tag }) } }
  }

  #write(step: StepName, path: string, body: unknown): Request {
    const headers = { ...this.#own(), 'Content-Type': 'application/json', 'Idempotency-Key': newId() }
    return { step, method: 'POST', path, headers, body: JSON.stringify(body) }
  }

  #own(): Record<string, string> {
    const { accessToken, householdId } = this.session
    return { Authorization: `Bearer ${accessToken}`, 'Djinn-Household': householdId, 'Accept-Encoding': 'gzip', Accept: 'application/json' }
  }

  #draft(accountId: string, { random, today }: Moment) {
    const [payee, low, high] = pick(random, purchases)!
    return { id: newId(), accountId, date: today, amount: wholeOf(random, low, high), payee }
  }

  #outbox(accountId: string, moment: Moment) {
    const { random } = moment
    const adds = ['add1', 'add2'].map((id) => ({
      id,
      method: 'POST',
      path: '/api/transactions',
      headers: { 'Idempotency-Key': newId() },
      body: this.#draft(accountId, moment),
    }))
    const reads = ['/api/accounts', '/api/transactions?limit=20', `/api/transactions?limit=20&account=${accountId}`]
    const wanted = reads.slice(0, wholeOf(random, 1, reads.length)).map((path, index) => ({ id: `read${index + 1}`, method: 'GET', path }))
    return [...adds, ...wanted]
  }
}
