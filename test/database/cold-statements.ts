// Declared statements that phones do not send all day, and why the plans test leaves them out. What is not named here must run there.

export const coldStatements: readonly { why: string; names: readonly string[] }[] = [
  {
    why: 'of a moment that no test of plans brings about: two calls with one key at once, an event stream, a 304; each reads by key, or calls what runs here',
    names: 'replay.find events.revisions events.liveSessions revisions.read'.split(' '),
  },
  {
    why: 'says why a write was refused, after it was: one row by its key',
    names:
      'accounts.standing bills.standing budgets.standing categories.standing feeds.standing imports.standing members.standing occurrences.standing rules.standing transactions.standing transfers.standing transactions.accountCurrency transfers.accounts bills.account occurrences.payingCurrency rules.missing rules.hasAccount refreshTokens.state'.split(
        ' ',
      ),
  },
  {
    why: 'declared beside its like, and not sent: the feature has a statement of its own in its place, or never changes or shows it so',
    names:
      'bills.insertOne budgets.insert budgets.byIds occurrences.byIds occurrences.remove occurrences.restore categories.insertDefaults feeds.insert feeds.changed feeds.remove feeds.restore imports.changed imports.insert imports.patch imports.remove imports.restore rules.insertOne transactions.insertMany transactions.remove transfers.byIds transfers.changed rules.insertRun rules.finishRun'.split(
        ' ',
      ),
  },
  {
    why: 'once in the life of a user or a session',
    names:
      'users.insert users.lock users.patch users.setPassword sessions.revokeOthers emailRequests.insert emailRequests.handle emailLinks.insert emailLinks.end emailLinks.use secondFactors.state secondFactors.acceptStep secondFactors.countWrong secondFactors.keepPending secondFactors.lockPending secondFactors.enable secondFactors.drop recoveryCodes.find recoveryCodes.use recoveryCodes.drop recoveryCodes.insert devices.ofToken devices.freeToken devices.put devices.dropOldest devices.remove'.split(
        ' ',
      ),
  },
  {
    why: 'once in the life of a household or a membership',
    names:
      'households.enter households.insert households.patch households.deletion households.delete households.restore categories.byKey invitations.insert invitations.insertToken invitations.state invitations.revoke invitations.readToken invitations.accept invitations.queueMail invitations.readMail invitations.requeueMail members.insert members.read members.setRole members.delete invitations.isOpenFor feeds.insertKey feeds.endKeysLater feeds.endKeys feeds.nameKey'.split(
        ' ',
      ),
  },
  {
    why: 'housekeeping of all households, in bounded steps, on a schedule',
    names:
      'replay.sweep sessions.sweep emailRequests.sweep emailRequests.take erasure.orphans erasure.user households.eraseSome households.toErase invitations.sweep feeds.sweepSignatures imports.stalePreviews notifications.forget budgets.forget bills.forget rules.forgetRuns rules.forgetRules bills.dueHouseholds bills.lock bills.alarms bills.post bills.raise bills.remind queue.abandoned queue.free queue.dropReplaced'.split(
        ' ',
      ),
  },
  {
    why: 'the whole household at once, in pages along its keys',
    names:
      'exports.household exports.beginRestore exports.setHousehold exports.checkNow exports.keepRestore exports.readRestore exports.enterHousehold exports.ownData exports.inbox exports.names'.split(
        ' ',
      ),
  },
  {
    why: 'of a file that a person uploads: test/routes/imports-* count its statements',
    names:
      'imports.keepFile imports.readFile imports.dropFile imports.dropRows imports.stage imports.classify imports.summarise imports.assignAccount imports.accounts imports.remembered imports.insertNew imports.adoptMatched imports.removeImported imports.releaseMatched'.split(
        ' ',
      ),
  },
  {
    why: 'of the watch, which one process keeps on the direct connection, on a timer and cut off after a second',
    names:
      'watch.bound watch.take watch.leave activity.lock activity.write activity.forget watch.database watch.replication watch.jobs watch.tables watch.size watch.place watch.backups'.split(
        ' ',
      ),
  },
  {
    why: 'where there are replicas: how far the log of the primary is, once a look; it reads no table',
    names: ['replicas.primary'],
  },
  {
    why: 'evidence and advice, of the whole service: a row a process and five minutes, read by an operator',
    names:
      'evidence.write evidence.read evidence.takeOldestHour evidence.forget evidence.backup facts.read facts.declare facts.forget indexes.names slowKinds.read'.split(
        ' ',
      ),
  },
  {
    why: 'the first look of an operator',
    names:
      'inspect.server inspect.activity inspect.tables inspect.unusedIndexes inspect.bloat inspect.replicas inspect.queue inspect.backups'.split(
        ' ',
      ),
  },
  {
    why: 'of backups and restores, which an operator or a timer runs; erasures are read by their time, along an index',
    names:
      'backups.cluster backups.stand backups.insert backups.archiving backups.lastCommit backups.eraseAgain backups.beginNewHistory backups.heads backups.strangeHeads erasures.read'.split(
        ' ',
      ),
  },
  {
    why: 'flags, some ten rows, read when one is switched',
    names: 'flags.read flags.lock flags.sign flags.write flags.reset flags.changes flags.lastChanges'.split(' '),
  },
  {
    why: 'of rules that a person tries or runs over all rows',
    names: 'rules.countScope rules.preview rules.dropOldRuns rules.readRun rules.undoChunk rules.markUndone rules.runChunk'.split(' '),
  },
  {
    why: 'of rates, which are of no household',
    names: 'rates.between rates.list rates.add rates.differing rates.correct rates.dropDemo rates.currencies'.split(' '),
  },
  {
    why: "the worker's, a push at a time, by key",
    names:
      'pushes.read pushes.requeue pushes.fanOut deliveries.read deliveries.lease deliveries.sent deliveries.failed deliveries.release deliveries.requeue devices.clearToken pokes.devices pokes.requeue pokes.queue'.split(
        ' ',
      ),
  },
  {
    why: 'of a push that takes rows back',
    names: 'feeds.withdrawPushed feeds.releaseAdopted'.split(' '),
  },
  {
    why: 'tells the process something of no household',
    names:
      'system.read health.ready installation.read queue.deadLetters queue.retry queue.discard queue.count queue.byTask batch.checkNow batch.defer'.split(
        ' ',
      ),
  },
  {
    why: 'reads everything, to prove it',
    names:
      'invariants.broken_balances invariants.broken_monthly_totals invariants.broken_category_totals invariants.broken_account_months invariants.broken_balance_changes invariants.broken_splits invariants.broken_transfers invariants.broken_bills invariants.broken_rules invariants.broken_budgets invariants.broken_revisions invariants.broken_digests invariants.broken_feeds invariants.broken_rates invariants.broken_owners invariants.broken_journal invariants.broken_flags invariants.noTimeout'.split(
        ' ',
      ),
  },
]
