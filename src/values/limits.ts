// Every limit of the service, in one place, with its unit in the name; the limits check each other at start.
import assert from 'node:assert/strict'
import { replicaLimits } from './replica-limits.ts'

export const limits = {
  bodyBytesMax: 1024 * 1024,
  importBytesMax: 10 * 1024 * 1024,
  importRowsMax: 50_000,
  importChunkRows: 2_000,
  /** Of each kind, in a household's document, and what it may unpack to. */
  restoreRowsMax: 200_000,
  restoreBytesMax: 128 * 1024 * 1024,
  headerBytesMax: 16 * 1024,
  pageRowsDefault: 20,
  pageRowsMax: 100,
  statementRowsMax: 1_000,
  fieldsMax: 40,
  splitsMax: 50,
  /** Held by the database: refusals.ts names the constraints. */
  accountsMax: 500,
  categoriesMax: 1_000,
  budgetsMax: 200,
  budgetLevelsMax: 10,
  /** Percent of what is available. */
  budgetLevelMax: 1_000,
  budgetRolloverPeriodsMax: 60,
  householdsPerUserMax: 50,
  membersMax: 50,
  invitationsOpenMax: 20,
  invitationHoursDefault: 7 * 24,
  invitationHoursMax: 30 * 24,
  /** How long an invitation is kept after its end: so long a lost answer to an accept can be asked for again. */
  endedInvitationDays: 30,
  rulesMax: 500,
  ruleConditionsMax: 20,
  ruleValueLengthMax: 200,
  /** Rows that a preview or a run of rules looks at, and that it changes in one statement. */
  ruleRowsMax: 50_000,
  ruleChunkRows: 2_000,
  rulePreviewRows: 100,
  ruleRunsKept: 100,
  /** How long a run can be undone. */
  ruleRunDays: 30,
  idempotencyKeyLengthMax: 255,
  idempotencyDays: 30,
  restoreDays: 30,
  /** Of one kind, in one transaction of an erasure. */
  erasedRowsAtOnce: 1_000,
  requestTimeoutMs: 30_000,
  /** How long an answer that is made while it is sent may take. */
  downloadMsMax: 5 * 60_000,
  downloadsAtOnce: 2,
  /** A request whose head or body is not there by then is cut: slow senders hold no connection. */
  receiveTimeoutMs: 15_000,
  statementTimeoutMs: 5_000,
  lockTimeoutMs: 4_000,
  poolWaitMsMax: 2_000,
  poolWaitersMax: 500,
  /** To PostgreSQL, of one process: those for transactions and those that short reads share. */
  connectionsMax: 25,
  poolConnectionsMax: 21,
  readingConnectionsMax: 4,
  /** A shared connection that needs longer than this for a read waits for the disk or a core, and another one may help. */
  readingPaceMs: 1,
  poolConnectionsIdle: 5,
  poolLifetimeS: 3_600,
  poolIdleMs: 600_000,
  /** Until it is known whether a pooler stands before the database. */
  passageTimeoutMs: 10_000,
  /** An answer of the database that takes longer than this on the shared reader means its connection is stuck. */
  readerStallMs: 8_000,
  ...replicaLimits,
  transactionTriesMax: 3,
  compressBytesMin: 1_024,
  gzipLevel: 5,
  accessTokenS: 3_600,
  /** How long after a sign-in its password counts as just given. */
  freshSignInMs: 10 * 60_000,
  refreshTokenDays: 60,
  batchOperationsMax: 10,
  eventStreamsPerUserMax: 3,
  eventBeatMs: 25_000,
  eventRetryMs: 3_000,
  /** What a stream may leave unread before it is cut. */
  eventUnreadBytesMax: 64 * 1024,
  notificationDays: 90,
  devicesPerUserMax: 20,
  /** Waiting for FCM or its token endpoint. */
  pushTimeoutMs: 10_000,
  /** Who sends holds the delivery this long; a worker that died in between lets it go. */
  pushLeaseS: 60,
  /** A push that could not be sent for so long is given up: the inbox has it. */
  pushHoursMax: 24,
  pokeMinutesMax: 10,
  pokeGatherMs: 3_000,
  pokeDevicesMax: 100,
  /** The longest wait before FCM is tried again when it does not say how long. */
  pushBackoffSMax: 30,
  /** How long ago a message that got through proves that FCM works. */
  pushWorkingMs: 30_000,
  /** An access token is renewed so long before it ends. */
  pushTokenSpareMs: 5 * 60_000,
  pushReasonLengthMax: 300,
  queueConcurrency: 2,
  queueTriesMax: 5,
  /** How often jobs of workers that died are looked for; freed when met twice. */
  queueSweepMs: 5_000,
  queueRestartMs: 1_000,
  loaderKeysMax: 100,
  loaderWaitMs: 2,
  syncRowsMax: 500,
  syncBytesMax: 512 * 1024,
  syncRowsSlow: 50,
  syncBytesSlow: 32 * 1024,
  pageRowsSlow: 10,
  /** Months of a report by category: 60 of them, all used each month, are 1,440 rows of the rollup. */
  reportMonthsMax: 24,
  /** Months of one by account. */
  worthMonthsMax: 60,
  tombstoneDays: 90,
  /** Held by the database too. */
  billsMax: 200,
  billRuleLengthMax: 500,
  billIntervalMax: 10_000,
  billCountMax: 100_000,
  /** Occurrences are raised so long before their day, so that early payments find them. */
  billHorizonDays: 62,
  /** A schedule that began earlier raises what lies this far back, and no more. */
  billPastDays: 731,
  /** How far from its day a payment is looked for. The database holds it. */
  billMatchDays: 7,
  billReminderDaysMax: 30,
  billRemindersMax: 5,
  /** A reminder that could not be told in time is told up to so long after; then it is left out. */
  billReminderLateDays: 31,
  billPaymentsMax: 100,
  billForecastMonthsMax: 24,
  /** Occurrences that one transaction raises at most. */
  billChunkRows: 500,
  billChunkHouseholds: 100,
  /** Bills that one transaction of the worker goes on with. */
  billChunkBills: 20,
  /** How long ended sessions and used links are kept. */
  endedSessionDays: 30,
  /** How long a preview waits for its commit. */
  previewDays: 7,
  /** How long a lost answer to a refresh may be asked for again with the old token. */
  refreshRetryMs: 10_000,
  confirmLinkMinutes: 24 * 60,
  recoveryLinkMinutes: 10,
  /** How long a new second factor waits for its first code. */
  pendingFactorMinutes: 10,
  /** Wrong codes of an account, from whatever address, until none is taken for a while: its password is known to whoever tries. */
  wrongCodesMax: 10,
  wrongCodeMinutes: 15,
  recoveryCodes: 10,
  passwordHashesAtOnce: 2,
  passwordHashesWaitingMax: 64,
  loginWindowMs: 15 * 60_000,
  rateWindowMs: 60_000,
  /** How far the moment of a signature may be from now; open_push() remembers signatures three times as long. */
  signatureAgeS: 300,
  /** Held by the database: refusals.ts names the constraint. */
  feedsMax: 100,
  feedRowsMax: 500,
  feedKeyBytes: 32,
  /** How long the secret before a rotation still works. */
  feedOverlapHours: 24,
  rateKeysMax: 100_000,
  /** How long a call waits for Redis; then it is taken for stalled, and all go on without. */
  redisAnswerMs: 50,
  redisConnectMs: 1_000,
  /** Until Redis is tried again, doubled each time up to the second. */
  redisRetryMs: 200,
  redisRetryMsMax: 2_000,
  sessionsCachedMax: 20_000,
  /** How long what Redis has of a session may be believed, and how old it may be when it is written there. */
  sharedSessionMs: 60_000,
  sharedSessionWriteMs: 5_000,
  /** How long a process remembers what it heard of sessions, and must have listened before it believes Redis. */
  sharedSessionHearingMs: 90_000,
  sessionsHeardMax: 50_000,
  sessionsPerUserMax: 50,
  /** A rate this much older than the day it is asked for is none: weekends and holidays are shorter. As in the SQL functions rates_on and rates_between. */
  rateAgeDaysMax: 10,
  rateFileBytesMax: 20 * 1024 * 1024,
  rateChunkRows: 5_000,
  rateCurrenciesMax: 200,
  /** From the request for a file of rates until it is there, redirects and all. */
  rateDownloadMs: 30_000,
  redirectsMax: 5,
  shutdownMs: 7_500,
  /** Of one metric; there are about 350 statements and 150 operations. */
  metricSeriesMax: 1_000,
  /** How often the machine and the service are looked at, and of that every sixth time what costs more. */
  watchMs: 10_000,
  watchSlowRounds: 6,
  /** What is gathered may take the database no longer. */
  watchStatementMsMax: 1_000,
  /** A process that gathers and died gives way after so long. */
  watchLeaseS: 30,
  watchTablesMax: 200,
  slowStatementsShown: 20,
  /** How long the advisor's evidence is kept, and how long by five minutes before it is by the hour. */
  evidenceDays: 30,
  evidenceFineHours: 48,
  /** Reading a table of fewer rows from end to end is no matter. */
  largeTableRows: 10_000,
  /** A statement above this is slow: it is counted, and its plan is logged at most once a minute. */
  slowStatementMs: 100,
  slowStatementLogMs: 60_000,
  slowStatementsWaitingMax: 10,
  /** A request above this has a line in the log. */
  slowRequestMs: 500,
  /** How often the strain of the process is looked at. */
  shedLookMs: 100,
  /** Of each signal: below the first it is calm, from the second on too much, from the third on writes and auth are refused too. */
  strain: {
    loopMs: [25, 50, 1_000],
    poolWaiting: [50, 100, 450],
    readsInFlight: [75, 150, 3_000],
    heapShare: [0.8, 0.85, 0.95],
    memoryShare: [0.65, 0.7, 0.9],
  },
  /** With fewer requests to answer, a slow event loop is not their fault. */
  shedRequestsMin: 20,
  /** Looks in a row that find too much before anything is refused. */
  shedLooksMin: 2,
  /** Percent of a class that a look adds, takes back when it is calm, and when it is neither. */
  shedStepUp: 25,
  shedStepDown: 10,
  shedStepSlow: 1,
  shedRetryS: 5,
  /** When a write that was refused because the service is read-only may be sent again. */
  readOnlyRetryS: 30,
  /** How often flags are read while their changes cannot be heard. */
  flagsLookMs: 500,
  flagOperatorLengthMax: 200,
  flagReasonLengthMax: 500,
  flagChangesShown: 50,
  /** Lines that requests may write in a second; the rest are counted. */
  requestLinesPerSecondMax: 20,
  /** The console's plots: a quarter of an hour. */
  consoleSampleMs: 5_000,
  consoleHistoryRows: 180,
  /** And its table of operations: so many snapshots, so far apart. */
  consoleSnapshotMs: 60_000,
  consoleSnapshots: 6,
  consoleBodyBytesMax: 64 * 1024,
  consoleSessionsMax: 100,
  consoleSessionMs: 12 * 3_600_000,
  /** A page that is open asks all the time. */
  consoleIdleMs: 3_600_000,
  /** Passwords tried by one address in `loginWindowMs`, and by all of them. */
  consoleTriesMax: 10,
  consoleTriesOfAllMax: 100,
  consoleNameLengthMax: 60,
  /** Dead letters that are shown, and that one call retries or discards. */
  consoleJobsMax: 200,
  consoleStatementsShown: 15,
  consoleTextLengthMax: 2_000,
  /** How old a count of all people may be. */
  consoleCountMs: 60_000,
  consoleCountWaitMs: 1_000,
} as const

assert(limits.pageRowsDefault <= limits.pageRowsMax, 'The default page must not exceed the longest.')
assert(limits.pageRowsMax < limits.statementRowsMax, 'A page must fit in one statement.')
assert(limits.statementTimeoutMs < limits.requestTimeoutMs, 'A statement must end before its request does.')
assert(limits.lockTimeoutMs < limits.statementTimeoutMs, 'A lock wait must end before its statement does.')
assert(limits.statementTimeoutMs < limits.readerStallMs, 'PostgreSQL must have ended a statement before we call the reader stuck.')
assert(limits.poolWaitMsMax < limits.requestTimeoutMs, 'Waiting for a connection must end before the request does.')
assert(limits.poolConnectionsIdle <= limits.poolConnectionsMax, 'Idle connections are part of the pool.')
assert(limits.poolConnectionsMax + limits.readingConnectionsMax <= limits.connectionsMax, 'Those that read are among all connections.')
assert(limits.importChunkRows >= 100, 'Bulk writes go in chunks of 100 or more.')
assert(limits.ruleChunkRows >= 100, 'Bulk writes go in chunks of 100 or more.')
assert(limits.importRowsMax <= limits.ruleRowsMax, 'What one import brought can be looked at by one run of rules.')
assert(limits.feedRowsMax * 2 <= limits.statementRowsMax, 'What a push names, by two ids each, must fit in one statement.')
assert(limits.pageRowsMax <= limits.syncRowsMax, 'A page must fit in one sync answer.')
assert(limits.syncRowsMax < limits.statementRowsMax, 'A sync answer must fit in one statement.')
assert(limits.batchOperationsMax <= limits.loaderKeysMax, 'The rows of one batch must fit in one statement.')
assert(limits.pushLeaseS * 1000 > 4 * limits.pushTimeoutMs, 'A delivery is held for as long as it may take: two tries and two tokens.')
assert(limits.wrongCodesMax <= 100, 'The moments of wrong codes are kept in the row of the factor.')
assert(limits.restoreDays < limits.tombstoneDays, 'What can be restored must still be told as deleted.')
assert(limits.billReminderDaysMax < limits.billHorizonDays, 'An occurrence is there before its first reminder.')
assert(limits.billMatchDays < limits.billHorizonDays, 'An occurrence is there before its first payment.')
for (const [calm, over, severe] of Object.values(limits.strain)) {
  assert(calm < over && over < severe, 'What is severe is more than what is too much, and that more than what is calm.')
}
assert(limits.strain.poolWaiting[2] < limits.poolWaitersMax, 'Writes are shed before the pool refuses whoever comes.')
assert(limits.sharedSessionHearingMs >= limits.sharedSessionMs + 4 * limits.sharedSessionWriteMs, 'A revocation outlives what it revokes.')
assert(limits.shedStepUp > limits.shedStepDown && limits.shedStepDown > limits.shedStepSlow, 'Shedding begins faster than it ends.')
assert((5 * 100 * limits.shedLookMs) / limits.shedStepDown <= 5_000, 'All is taken again 5 s after it became calm.')
assert(limits.watchLeaseS * 1000 > 2 * limits.watchMs, 'A process that gathers must not lose its turn by one late round.')
assert(limits.watchStatementMsMax * 5 <= limits.watchMs, 'A round must end before the next one begins.')
assert(limits.evidenceFineHours > 24, 'The last day is judged by five minutes.')
assert(limits.billChunkRows <= limits.statementRowsMax, 'A chunk of occurrences must fit in one statement.')
assert(limits.consoleHistoryRows * limits.consoleSampleMs >= 15 * 60_000, 'The plots reach back a quarter of an hour.')
assert(limits.consoleJobsMax <= limits.statementRowsMax, 'The jobs that the console shows must fit in one statement.')
