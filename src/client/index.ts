// djinn/client: the typed API, and the offline-first client on top of it.
export { Api, ApiError, OfflineError, type ApiOptions, type OperationName, type Tokens } from './api.ts'
export { DjinnClient, type ClientOptions } from './client.ts'
export { RetryLater, type Conflict, type Resolution } from './delivery.ts'
export { openIndexedDb } from './indexed-db.ts'
export { MemoryStorage, type Storage } from './storage.ts'
export type { Entry } from './outbox.ts'
export type { Operations } from './operations.ts'
export type { Account, Category, Household, Kind, Row, Rows, Transaction } from './rows.ts'
