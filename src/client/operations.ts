// Generated from the OpenAPI document by `npm run client-types`; do not edit.

/** What each operation takes and answers, by its operationId. */
export type Operations = {
  /** DELETE /api/accounts/{id}: Delete an account without transactions */
  'accounts.delete': {
    params: { id: string }
    query: Record<never, never>
    body: undefined
    answer: undefined
  }
  /** DELETE /api/bills/{id}/occurrences/{date}/payments/{transactionId}: Take a transaction off an occurrence */
  'bills.unpay': {
    params: { id: string; date: string; transactionId: string }
    query: Record<never, never>
    body: undefined
    answer: {
      id: string
      billId: string
      date: string
      status: 'due' | 'overdue' | 'paid' | 'skipped'
      currency: string
      amountMin: number
      amountMax: number
      paidAmount: number
      remaining: number
      payments: {
        transactionId: string
        amount: number
        origin: 'matched' | 'hand' | 'posted'
      }[]
      skipped: boolean
      paid: boolean
      createdAt: string
      updatedAt: string
      revision: number
    }
  }
  /** DELETE /api/bills/{id}: Delete a bill with its occurrences */
  'bills.delete': {
    params: { id: string }
    query: Record<never, never>
    body: undefined
    answer: undefined
  }
  /** DELETE /api/budgets/{id}: Delete a budget */
  'budgets.delete': {
    params: { id: string }
    query: Record<never, never>
    body: undefined
    answer: undefined
  }
  /** DELETE /api/categories/{id}: Delete a category that nothing uses */
  'categories.delete': {
    params: { id: string }
    query: Record<never, never>
    body: undefined
    answer: undefined
  }
  /** DELETE /api/devices/{id}: Forget a device: it is pushed to no more */
  'devices.delete': {
    params: { id: string }
    query: Record<never, never>
    body: undefined
    answer: undefined
  }
  /** DELETE /api/feeds/{id}: End a feed at once */
  'feeds.delete': {
    params: { id: string }
    query: Record<never, never>
    body: undefined
    answer: undefined
  }
  /** DELETE /api/households/{id}/invitations/{invitationId}: Revoke an invitation */
  'invitations.revoke': {
    params: { id: string; invitationId: string }
    query: Record<never, never>
    body: undefined
    answer: undefined
  }
  /** DELETE /api/households/{id}/members/{userId}: Remove a member, or leave */
  'members.remove': {
    params: { id: string; userId: string }
    query: Record<never, never>
    body: undefined
    answer: undefined
  }
  /** DELETE /api/households/{id}: Delete a household for all of its members */
  'households.remove': {
    params: { id: string }
    query: Record<never, never>
    body: undefined
    answer: undefined
  }
  /** DELETE /api/imports/{id}: Undo a committed import as a whole, or discard a preview */
  'imports.undo': {
    params: { id: string }
    query: Record<never, never>
    body: undefined
    answer: undefined
  }
  /** DELETE /api/me/sessions/{id}: End one session */
  'me.endSession': {
    params: { id: string }
    query: Record<never, never>
    body: undefined
    answer: undefined
  }
  /** DELETE /api/me/sessions: End every session but this one */
  'me.endOtherSessions': {
    params: Record<never, never>
    query: Record<never, never>
    body: undefined
    answer: undefined
  }
  /** DELETE /api/me: Erase yourself, and the households that only you belong to */
  'me.erase': {
    params: Record<never, never>
    query: Record<never, never>
    body: {
      password?: string
      code?: string
    }
    answer: undefined
  }
  /** DELETE /api/rules/runs/{id}: Undo a run */
  'rules.runs.undo': {
    params: { id: string }
    query: Record<never, never>
    body: undefined
    answer: {
      undone: number
      kept: number
    }
  }
  /** DELETE /api/rules/{id}: Delete a rule */
  'rules.delete': {
    params: { id: string }
    query: Record<never, never>
    body: undefined
    answer: undefined
  }
  /** DELETE /api/transactions/{id}: Delete a transaction */
  'transactions.delete': {
    params: { id: string }
    query: Record<never, never>
    body: undefined
    answer: undefined
  }
  /** DELETE /api/transfers/{id}: Delete a transfer with both legs */
  'transfers.delete': {
    params: { id: string }
    query: Record<never, never>
    body: undefined
    answer: undefined
  }
  /** GET /api/accounts/{id}: One account */
  'accounts.read': {
    params: { id: string }
    query: { fields?: string }
    body: undefined
    answer: {
      id: string
      name: string
      kind: 'checking' | 'savings' | 'cash' | 'creditCard' | 'loan' | 'investment' | 'other'
      currency: string
      institutionId: string | null
      note: string
      openingBalance: number
      balance: number
      pendingBalance: number
      closedAt: string | null
      createdAt: string
      updatedAt: string
      revision: number
    }
  }
  /** GET /api/accounts: All accounts, closed ones included */
  'accounts.list': {
    params: Record<never, never>
    query: { limit?: number; cursor?: string; updatedSince?: string; fields?: string }
    body: undefined
    answer: {
      data: {
        id: string
        name: string
        kind: 'checking' | 'savings' | 'cash' | 'creditCard' | 'loan' | 'investment' | 'other'
        currency: string
        institutionId: string | null
        note: string
        openingBalance: number
        balance: number
        pendingBalance: number
        closedAt: string | null
        createdAt: string
        updatedAt: string
        revision: number
      }[]
      nextCursor: string | null
      included?: Record<string, Record<string, unknown>[]>
      prefetched?: {
        data: {
          id: string
          name: string
          kind: 'checking' | 'savings' | 'cash' | 'creditCard' | 'loan' | 'investment' | 'other'
          currency: string
          institutionId: string | null
          note: string
          openingBalance: number
          balance: number
          pendingBalance: number
          closedAt: string | null
          createdAt: string
          updatedAt: string
          revision: number
        }[]
        nextCursor: string | null
      }
    }
  }
  /** GET /api/audit: The audit trail, newest first */
  'audit.list': {
    params: Record<never, never>
    query: {
      limit?: number
      cursor?: string
      entity?: string
      kind?:
        | 'household'
        | 'member'
        | 'account'
        | 'category'
        | 'transaction'
        | 'transfer'
        | 'import'
        | 'invitation'
        | 'budget'
        | 'rule'
        | 'bill'
        | 'occurrence'
        | 'feed'
      actor?: string
      from?: string
      to?: string
      fields?: string
    }
    body: undefined
    answer: {
      data: {
        number: number
        revision: number
        kind: string
        entityId: string
        entityName: string | null
        operation: 'create' | 'update' | 'delete' | 'restore'
        changes: Record<string, unknown> | null
        actorId: string | null
        actorName: string | null
        deviceId: string | null
        requestId: string | null
        at: string
        hash: string
      }[]
      nextCursor: string | null
      included?: Record<string, Record<string, unknown>[]>
      prefetched?: {
        data: {
          number: number
          revision: number
          kind: string
          entityId: string
          entityName: string | null
          operation: 'create' | 'update' | 'delete' | 'restore'
          changes: Record<string, unknown> | null
          actorId: string | null
          actorName: string | null
          deviceId: string | null
          requestId: string | null
          at: string
          hash: string
        }[]
        nextCursor: string | null
      }
    }
  }
  /** GET /api/bills/forecast: What bills will take and bring in the coming months */
  'bills.forecast': {
    params: Record<never, never>
    query: { months?: number }
    body: undefined
    answer: {
      from: string
      to: string
      bills: {
        billId: string
        payee: string
        accountId: string | null
        categoryId: string | null
        currency: string
        amountMin: number
        amountMax: number
        dates: string[]
      }[]
      months: {
        month: string
        sums: {
          currency: string
          amountMin: number
          amountMax: number
          count: number
        }[]
      }[]
    }
  }
  /** GET /api/bills/occurrences: Occurrences of all bills, oldest first */
  'bills.allOccurrences': {
    params: Record<never, never>
    query: {
      limit?: number
      cursor?: string
      from?: string
      to?: string
      status?: 'open' | 'due' | 'overdue' | 'paid' | 'skipped'
      bill?: string
      fields?: string
    }
    body: undefined
    answer: {
      data: {
        id: string
        billId: string
        date: string
        status: 'due' | 'overdue' | 'paid' | 'skipped'
        currency: string
        amountMin: number
        amountMax: number
        paidAmount: number
        remaining: number
        payments: {
          transactionId: string
          amount: number
          origin: 'matched' | 'hand' | 'posted'
        }[]
        skipped: boolean
        paid: boolean
        createdAt: string
        updatedAt: string
        revision: number
      }[]
      nextCursor: string | null
      included?: Record<string, Record<string, unknown>[]>
      prefetched?: {
        data: {
          id: string
          billId: string
          date: string
          status: 'due' | 'overdue' | 'paid' | 'skipped'
          currency: string
          amountMin: number
          amountMax: number
          paidAmount: number
          remaining: number
          payments: {
            transactionId: string
            amount: number
            origin: 'matched' | 'hand' | 'posted'
          }[]
          skipped: boolean
          paid: boolean
          createdAt: string
          updatedAt: string
          revision: number
        }[]
        nextCursor: string | null
      }
    }
  }
  /** GET /api/bills/{id}/occurrences: Occurrences of a bill, oldest first */
  'bills.occurrences': {
    params: { id: string }
    query: {
      limit?: number
      cursor?: string
      from?: string
      to?: string
      status?: 'open' | 'due' | 'overdue' | 'paid' | 'skipped'
      fields?: string
    }
    body: undefined
    answer: {
      data: {
        id: string
        billId: string
        date: string
        status: 'due' | 'overdue' | 'paid' | 'skipped'
        currency: string
        amountMin: number
        amountMax: number
        paidAmount: number
        remaining: number
        payments: {
          transactionId: string
          amount: number
          origin: 'matched' | 'hand' | 'posted'
        }[]
        skipped: boolean
        paid: boolean
        createdAt: string
        updatedAt: string
        revision: number
      }[]
      nextCursor: string | null
      included?: Record<string, Record<string, unknown>[]>
      prefetched?: {
        data: {
          id: string
          billId: string
          date: string
          status: 'due' | 'overdue' | 'paid' | 'skipped'
          currency: string
          amountMin: number
          amountMax: number
          paidAmount: number
          remaining: number
          payments: {
            transactionId: string
            amount: number
            origin: 'matched' | 'hand' | 'posted'
          }[]
          skipped: boolean
          paid: boolean
          createdAt: string
          updatedAt: string
          revision: number
        }[]
        nextCursor: string | null
      }
    }
  }
  /** GET /api/bills/{id}: One bill */
  'bills.read': {
    params: { id: string }
    query: { fields?: string }
    body: undefined
    answer: {
      id: string
      payee: string
      accountId: string | null
      currency: string
      categoryId: string | null
      amountMin: number
      amountMax: number
      schedule: {
        startsOn: string
        rule: string
        weekend: 'keep' | 'before' | 'after'
      }
      endsOn: string | null
      reminderDays: number[]
      autoPost: boolean
      note: string
      nextDue: string | null
      overdueCount: number
      createdAt: string
      updatedAt: string
      revision: number
    }
  }
  /** GET /api/bills: All bills */
  'bills.list': {
    params: Record<never, never>
    query: { limit?: number; cursor?: string; updatedSince?: string; fields?: string }
    body: undefined
    answer: {
      data: {
        id: string
        payee: string
        accountId: string | null
        currency: string
        categoryId: string | null
        amountMin: number
        amountMax: number
        schedule: {
          startsOn: string
          rule: string
          weekend: 'keep' | 'before' | 'after'
        }
        endsOn: string | null
        reminderDays: number[]
        autoPost: boolean
        note: string
        nextDue: string | null
        overdueCount: number
        createdAt: string
        updatedAt: string
        revision: number
      }[]
      nextCursor: string | null
      included?: Record<string, Record<string, unknown>[]>
      prefetched?: {
        data: {
          id: string
          payee: string
          accountId: string | null
          currency: string
          categoryId: string | null
          amountMin: number
          amountMax: number
          schedule: {
            startsOn: string
            rule: string
            weekend: 'keep' | 'before' | 'after'
          }
          endsOn: string | null
          reminderDays: number[]
          autoPost: boolean
          note: string
          nextDue: string | null
          overdueCount: number
          createdAt: string
          updatedAt: string
          revision: number
        }[]
        nextCursor: string | null
      }
    }
  }
  /** GET /api/budgets/{id}: One budget, with what is spent and what remains */
  'budgets.read': {
    params: { id: string }
    query: { on?: string; fields?: string }
    body: undefined
    answer: {
      id: string
      categoryId: string
      name: string
      amount: number
      currency: string
      period: 'weekly' | 'monthly' | 'yearly'
      startsOn: string
      rollover: boolean
      alertLevels: number[]
      note: string
      periodStart: string
      periodEnd: string
      periodAmount: number
      rolledOver: number
      available: number
      spent: number
      pendingSpent: number
      remaining: number
      percent: number | null
      converted: boolean
      unconverted: string[]
      createdAt: string
      updatedAt: string
      revision: number
    }
  }
  /** GET /api/budgets: All budgets, each with what is spent and what remains */
  'budgets.list': {
    params: Record<never, never>
    query: { limit?: number; cursor?: string; updatedSince?: string; on?: string; fields?: string }
    body: undefined
    answer: {
      data: {
        id: string
        categoryId: string
        name: string
        amount: number
        currency: string
        period: 'weekly' | 'monthly' | 'yearly'
        startsOn: string
        rollover: boolean
        alertLevels: number[]
        note: string
        periodStart: string
        periodEnd: string
        periodAmount: number
        rolledOver: number
        available: number
        spent: number
        pendingSpent: number
        remaining: number
        percent: number | null
        converted: boolean
        unconverted: string[]
        createdAt: string
        updatedAt: string
        revision: number
      }[]
      nextCursor: string | null
      included?: Record<string, Record<string, unknown>[]>
      prefetched?: {
        data: {
          id: string
          categoryId: string
          name: string
          amount: number
          currency: string
          period: 'weekly' | 'monthly' | 'yearly'
          startsOn: string
          rollover: boolean
          alertLevels: number[]
          note: string
          periodStart: string
          periodEnd: string
          periodAmount: number
          rolledOver: number
          available: number
          spent: number
          pendingSpent: number
          remaining: number
          percent: number | null
          converted: boolean
          unconverted: string[]
          createdAt: string
          updatedAt: string
          revision: number
        }[]
        nextCursor: string | null
      }
    }
  }
  /** GET /api/categories/{id}: One category */
  'categories.read': {
    params: { id: string }
    query: { fields?: string }
    body: undefined
    answer: {
      id: string
      name: string
      kind: 'income' | 'expense'
      parentId: string | null
      icon: string | null
      color: string | null
      archived: boolean
      systemKey: string | null
      createdAt: string
      updatedAt: string
      revision: number
    }
  }
  /** GET /api/categories: All categories */
  'categories.list': {
    params: Record<never, never>
    query: { limit?: number; cursor?: string; updatedSince?: string; fields?: string }
    body: undefined
    answer: {
      data: {
        id: string
        name: string
        kind: 'income' | 'expense'
        parentId: string | null
        icon: string | null
        color: string | null
        archived: boolean
        systemKey: string | null
        createdAt: string
        updatedAt: string
        revision: number
      }[]
      nextCursor: string | null
      included?: Record<string, Record<string, unknown>[]>
      prefetched?: {
        data: {
          id: string
          name: string
          kind: 'income' | 'expense'
          parentId: string | null
          icon: string | null
          color: string | null
          archived: boolean
          systemKey: string | null
          createdAt: string
          updatedAt: string
          revision: number
        }[]
        nextCursor: string | null
      }
    }
  }
  /** GET /api/devices/{id}: One device */
  'devices.read': {
    params: { id: string }
    query: { fields?: string }
    body: undefined
    answer: {
      id: string
      platform: 'android' | 'ios' | 'web'
      name: string | null
      pushToken: string | null
      current: boolean
      createdAt: string
      updatedAt: string
      lastSeenAt: string
    }
  }
  /** GET /api/devices: Your devices, the one seen last first */
  'devices.list': {
    params: Record<never, never>
    query: { fields?: string }
    body: undefined
    answer: {
      data: {
        id: string
        platform: 'android' | 'ios' | 'web'
        name: string | null
        pushToken: string | null
        current: boolean
        createdAt: string
        updatedAt: string
        lastSeenAt: string
      }[]
      nextCursor: null
    }
  }
  /** GET /api/events: A stream of new revisions (server-sent events) */
  events: {
    params: Record<never, never>
    query: Record<never, never>
    body: undefined
    answer: undefined
  }
  /** GET /api/feeds/{id}: One feed, without its secret */
  'feeds.read': {
    params: { id: string }
    query: { fields?: string }
    body: undefined
    answer: {
      id: string
      accountId: string
      name: string
      paused: boolean
      keyId: string
      oldKeys: {
        keyId: string
        expiresAt: string
      }[]
      lastPushAt: string | null
      counts: {
        pushes: number
        created: number
        updated: number
        removed: number
      }
      createdAt: string
      updatedAt: string
      revision: number
    }
  }
  /** GET /api/feeds: All feeds of the household */
  'feeds.list': {
    params: Record<never, never>
    query: { limit?: number; cursor?: string; updatedSince?: string; fields?: string }
    body: undefined
    answer: {
      data: {
        id: string
        accountId: string
        name: string
        paused: boolean
        keyId: string
        oldKeys: {
          keyId: string
          expiresAt: string
        }[]
        lastPushAt: string | null
        counts: {
          pushes: number
          created: number
          updated: number
          removed: number
        }
        createdAt: string
        updatedAt: string
        revision: number
      }[]
      nextCursor: string | null
      included?: Record<string, Record<string, unknown>[]>
      prefetched?: {
        data: {
          id: string
          accountId: string
          name: string
          paused: boolean
          keyId: string
          oldKeys: {
            keyId: string
            expiresAt: string
          }[]
          lastPushAt: string | null
          counts: {
            pushes: number
            created: number
            updated: number
            removed: number
          }
          createdAt: string
          updatedAt: string
          revision: number
        }[]
        nextCursor: string | null
      }
    }
  }
  /** GET /api/households/{id}/invitations: Invitations that are open, newest first */
  'invitations.list': {
    params: { id: string }
    query: { fields?: string }
    body: undefined
    answer: {
      data: {
        id: string
        role: 'owner' | 'editor' | 'viewer'
        email: string | null
        invitedBy: string
        expiresAt: string
        createdAt: string
        revision: number
      }[]
      nextCursor: null
    }
  }
  /** GET /api/households/{id}/members: Who belongs to the household */
  'members.list': {
    params: { id: string }
    query: { fields?: string }
    body: undefined
    answer: {
      data: {
        userId: string
        displayName: string
        email: string | null
        role: 'owner' | 'editor' | 'viewer'
        createdAt: string
        updatedAt: string
        revision: number
      }[]
      nextCursor: null
    }
  }
  /** GET /api/households/{id}: One household */
  'households.read': {
    params: { id: string }
    query: { fields?: string }
    body: undefined
    answer: {
      id: string
      name: string
      baseCurrency: string
      timeZone: string
      role: 'owner' | 'editor' | 'viewer'
      createdAt: string
      updatedAt: string
      revision: number
    }
  }
  /** GET /api/households: The households you belong to */
  'households.list': {
    params: Record<never, never>
    query: { fields?: string }
    body: undefined
    answer: {
      data: {
        id: string
        name: string
        baseCurrency: string
        timeZone: string
        role: 'owner' | 'editor' | 'viewer'
        createdAt: string
        updatedAt: string
        revision: number
      }[]
      nextCursor: null
    }
  }
  /** GET /api/imports/{id}: One import with all of its rows */
  'imports.read': {
    params: { id: string }
    query: { fields?: string }
    body: undefined
    answer: {
      id: string
      format: string
      fileName: string | null
      fileDigest: string
      status: 'previewed' | 'committed' | 'undone'
      mapping: {
        delimiter: ',' | ';' | '\t' | '|'
        skipRows: number
        date: number
        dateOrder: 'ymd' | 'dmy' | 'mdy'
        decimal: '.' | ','
        amount:
          | {
              column: number
              invert: boolean
            }
          | {
              debit: number
              credit: number
            }
        direction: number | null
        payee: number | null
        note: number | null
        currency: number | null
        externalId: number | null
      } | null
      statements: {
        key: string
        currency: string | null
        label: string | null
        accountId: string | null
      }[]
      warnings: string[]
      summary: {
        new: number
        duplicate: number
        matched: number
        error: number
      }
      result: {
        created: number
        duplicate: number
        matched: number
      } | null
      committedAt: string | null
      undoneAt: string | null
      createdAt: string
      updatedAt: string
      revision: number
      rows: {
        row: number
        line: number
        statement: string
        status: 'new' | 'duplicate' | 'matched' | 'error'
        reason: string | null
        transaction: {
          id: string | null
          accountId: string | null
          date: string
          amount: number
          payee: string
          rawPayee: string | null
          note: string
          externalId: string | null
          status: 'pending' | 'posted'
          original: {
            amount: number
            currency: string
          } | null
        } | null
      }[]
    }
  }
  /** GET /api/imports: Imports, newest first */
  'imports.list': {
    params: Record<never, never>
    query: { limit?: number; cursor?: string; updatedSince?: string; fields?: string }
    body: undefined
    answer: {
      data: {
        id: string
        format: string
        fileName: string | null
        fileDigest: string
        status: 'previewed' | 'committed' | 'undone'
        mapping: {
          delimiter: ',' | ';' | '\t' | '|'
          skipRows: number
          date: number
          dateOrder: 'ymd' | 'dmy' | 'mdy'
          decimal: '.' | ','
          amount:
            | {
                column: number
                invert: boolean
              }
            | {
                debit: number
                credit: number
              }
          direction: number | null
          payee: number | null
          note: number | null
          currency: number | null
          externalId: number | null
        } | null
        statements: {
          key: string
          currency: string | null
          label: string | null
          accountId: string | null
        }[]
        warnings: string[]
        summary: {
          new: number
          duplicate: number
          matched: number
          error: number
        }
        result: {
          created: number
          duplicate: number
          matched: number
        } | null
        committedAt: string | null
        undoneAt: string | null
        createdAt: string
        updatedAt: string
        revision: number
      }[]
      nextCursor: string | null
      included?: Record<string, Record<string, unknown>[]>
      prefetched?: {
        data: {
          id: string
          format: string
          fileName: string | null
          fileDigest: string
          status: 'previewed' | 'committed' | 'undone'
          mapping: {
            delimiter: ',' | ';' | '\t' | '|'
            skipRows: number
            date: number
            dateOrder: 'ymd' | 'dmy' | 'mdy'
            decimal: '.' | ','
            amount:
              | {
                  column: number
                  invert: boolean
                }
              | {
                  debit: number
                  credit: number
                }
            direction: number | null
            payee: number | null
            note: number | null
            currency: number | null
            externalId: number | null
          } | null
          statements: {
            key: string
            currency: string | null
            label: string | null
            accountId: string | null
          }[]
          warnings: string[]
          summary: {
            new: number
            duplicate: number
            matched: number
            error: number
          }
          result: {
            created: number
            duplicate: number
            matched: number
          } | null
          committedAt: string | null
          undoneAt: string | null
          createdAt: string
          updatedAt: string
          revision: number
        }[]
        nextCursor: string | null
      }
    }
  }
  /** GET /api/me/export: All that is held of you */
  'me.export': {
    params: Record<never, never>
    query: Record<never, never>
    body: undefined
    answer: string
  }
  /** GET /api/me/features: Which features are on for you */
  'me.features': {
    params: Record<never, never>
    query: Record<never, never>
    body: undefined
    answer: {
      readOnly: boolean
      features: {
        imports: boolean
        exports: boolean
        reports: boolean
        rules: boolean
        feeds: boolean
        push: boolean
        liveEvents: boolean
        invitations: boolean
      }
    }
  }
  /** GET /api/me/second-factor: Whether a second factor is on */
  'me.secondFactor': {
    params: Record<never, never>
    query: Record<never, never>
    body: undefined
    answer: {
      enabled: boolean
      enabledAt: string | null
      recoveryCodesLeft: number
    }
  }
  /** GET /api/me/sessions: Where you are signed in */
  'me.sessions': {
    params: Record<never, never>
    query: Record<never, never>
    body: undefined
    answer: {
      data: {
        id: string
        deviceName: string | null
        createdAt: string
        lastUsedAt: string
        current: boolean
      }[]
      nextCursor: null
    }
  }
  /** GET /api/me: Your profile and preferences */
  'me.read': {
    params: Record<never, never>
    query: { fields?: string }
    body: undefined
    answer: {
      id: string
      email: string
      displayName: string
      locale: string | null
      tier: 'standard' | 'premium'
      preferences: Record<string, unknown>
      createdAt: string
    }
  }
  /** GET /api/notifications/settings: What you are told of, and your quiet hours */
  'notifications.settings': {
    params: Record<never, never>
    query: { fields?: string }
    body: undefined
    answer: {
      transactionReceived: boolean
      budgetExceeded: boolean
      billReminder: boolean
      quietFrom: string | null
      quietTo: string | null
      timeZone: string | null
    }
  }
  /** GET /api/notifications/{id}: One notification */
  'notifications.read': {
    params: { id: string }
    query: { fields?: string }
    body: undefined
    answer: {
      id: string
      householdId: string
      event: 'transactionReceived' | 'budgetExceeded' | 'billReminder'
      data: Record<string, unknown>
      createdAt: string
      readAt: string | null
    }
  }
  /** GET /api/notifications: Your inbox over all your households, newest first */
  'notifications.list': {
    params: Record<never, never>
    query: { limit?: number; cursor?: string; unread?: 'true' | 'false'; fields?: string }
    body: undefined
    answer: {
      data: {
        id: string
        householdId: string
        event: 'transactionReceived' | 'budgetExceeded' | 'billReminder'
        data: Record<string, unknown>
        createdAt: string
        readAt: string | null
      }[]
      nextCursor: string | null
      included?: Record<string, Record<string, unknown>[]>
      prefetched?: {
        data: {
          id: string
          householdId: string
          event: 'transactionReceived' | 'budgetExceeded' | 'billReminder'
          data: Record<string, unknown>
          createdAt: string
          readAt: string | null
        }[]
        nextCursor: string | null
      }
    }
  }
  /** GET /api/rates: Exchange rates on a day */
  'rates.list': {
    params: Record<never, never>
    query: { on: string; currencies?: string }
    body: undefined
    answer: {
      base: 'EUR'
      data: {
        currency: string
        day: string | null
        rate: string | null
      }[]
    }
  }
  /** GET /api/reports/balance: Balances at the end of a day, as they are known now or were known at an instant */
  'reports.balance': {
    params: Record<never, never>
    query: { date?: string; account?: string; knownAt?: string }
    body: undefined
    answer: {
      date: string
      knownAt: string | null
      currency: string
      data: {
        accountId: string
        currency: string
        balance: number
        converted: number | null
      }[]
      total: number
      rates: {
        currency: string
        day: string
        rate: string
      }[]
      unconverted: {
        currency: string
        amount: number
      }[]
    }
  }
  /** GET /api/reports/cash-flow: What came in and went out, by month */
  'reports.cashFlow': {
    params: Record<never, never>
    query: { from?: string; to?: string }
    body: undefined
    answer: {
      currency: string
      from: string
      to: string
      data: {
        month: string
        inflow: number
        outflow: number
        net: number
        pending: {
          inflow: number
          outflow: number
          net: number
        }
        count: number
      }[]
      total: {
        inflow: number
        outflow: number
        net: number
        pending: {
          inflow: number
          outflow: number
          net: number
        }
        count: number
      }
      rates: {
        currency: string
        from: string
        to: string
        count: number
      }[]
      unconverted: {
        month: string
        currency: string
        from: string
        to: string
        inflow: number
        outflow: number
        net: number
        pending: {
          inflow: number
          outflow: number
          net: number
        }
        count: number
      }[]
    }
  }
  /** GET /api/reports/net-worth: Net worth at the end of each month, and today */
  'reports.netWorth': {
    params: Record<never, never>
    query: { from?: string; to?: string }
    body: undefined
    answer: {
      currency: string
      from: string
      to: string
      data: {
        date: string
        assets: number
        liabilities: number
        net: number
        kinds: {
          kind: string
          amount: number
        }[]
      }[]
      rates: {
        currency: string
        day: string
        rate: string
      }[]
      unconverted: {
        date: string
        currency: string
        amount: number
      }[]
    }
  }
  /** GET /api/reports/spending: Spending or income by category and month */
  'reports.spending': {
    params: Record<never, never>
    query: {
      from?: string
      to?: string
      by?: 'both' | 'month' | 'category'
      kind?: 'expense' | 'income'
      pending?: 'include' | 'exclude'
      account?: string
    }
    body: undefined
    answer: {
      currency: string
      from: string
      to: string
      data: {
        month?: string
        categoryId?: string | null
        amount: number
        pending: number
        count: number
      }[]
      categories: {
        categoryId: string | null
        parentId: string | null
        amount: number
        pending: number
        count: number
        withChildren: {
          amount: number
          pending: number
          count: number
        }
      }[]
      total: {
        amount: number
        pending: number
        count: number
      }
      rates: {
        currency: string
        from: string
        to: string
        count: number
      }[]
      unconverted: {
        month: string
        currency: string
        from: string
        to: string
        amount: number
        pending: number
        count: number
      }[]
    }
  }
  /** GET /api/rules/runs/{id}: One run with what it changed */
  'rules.runs.read': {
    params: { id: string }
    query: { limit?: number; cursor?: string; fields?: string }
    body: undefined
    answer: {
      id: string
      ruleIds: string[] | null
      from: string | null
      to: string | null
      accountId: string | null
      examined: number
      matched: number
      changed: number
      perRule: {
        ruleId: string
        matched: number
        changed: number
      }[]
      startedAt: string
      undoneAt: string | null
      undone: number | null
      kept: number | null
      revision: number
      changes: {
        transactionId: string
        date: string
        amount: number
        payee: string
        ruleIds: string[]
        before: {
          categoryId?: string | null
          payee?: string
          note?: string
        }
        after: {
          categoryId?: string | null
          payee?: string
          note?: string
        }
      }[]
      nextCursor: string | null
    }
  }
  /** GET /api/rules/runs: Runs, newest first */
  'rules.runs.list': {
    params: Record<never, never>
    query: { limit?: number; cursor?: string; fields?: string }
    body: undefined
    answer: {
      data: {
        id: string
        ruleIds: string[] | null
        from: string | null
        to: string | null
        accountId: string | null
        examined: number
        matched: number
        changed: number
        perRule: {
          ruleId: string
          matched: number
          changed: number
        }[]
        startedAt: string
        undoneAt: string | null
        undone: number | null
        kept: number | null
        revision: number
      }[]
      nextCursor: string | null
      included?: Record<string, Record<string, unknown>[]>
      prefetched?: {
        data: {
          id: string
          ruleIds: string[] | null
          from: string | null
          to: string | null
          accountId: string | null
          examined: number
          matched: number
          changed: number
          perRule: {
            ruleId: string
            matched: number
            changed: number
          }[]
          startedAt: string
          undoneAt: string | null
          undone: number | null
          kept: number | null
          revision: number
        }[]
        nextCursor: string | null
      }
    }
  }
  /** GET /api/rules/{id}: One rule */
  'rules.read': {
    params: { id: string }
    query: { fields?: string }
    body: undefined
    answer: {
      id: string
      name: string
      position: number
      enabled: boolean
      match: 'all' | 'any'
      conditions: (
        | {
            field: 'payee' | 'rawPayee' | 'note'
            operator: 'is' | 'contains' | 'startsWith' | 'endsWith'
            value: string
          }
        | {
            field: 'amount'
            operator: 'is' | 'atLeast' | 'atMost'
            value: number
          }
        | {
            field: 'amount'
            operator: 'between'
            value: {
              min: number
              max: number
            }
          }
        | {
            field: 'account'
            operator: 'is'
            value: string
          }
      )[]
      actions: {
        categoryId?: string
        payee?: string
        note?: string
      }
      stop: boolean
      createdAt: string
      updatedAt: string
      revision: number
    }
  }
  /** GET /api/rules: All rules, in the order in which they run */
  'rules.list': {
    params: Record<never, never>
    query: { limit?: number; cursor?: string; updatedSince?: string; fields?: string }
    body: undefined
    answer: {
      data: {
        id: string
        name: string
        position: number
        enabled: boolean
        match: 'all' | 'any'
        conditions: (
          | {
              field: 'payee' | 'rawPayee' | 'note'
              operator: 'is' | 'contains' | 'startsWith' | 'endsWith'
              value: string
            }
          | {
              field: 'amount'
              operator: 'is' | 'atLeast' | 'atMost'
              value: number
            }
          | {
              field: 'amount'
              operator: 'between'
              value: {
                min: number
                max: number
              }
            }
          | {
              field: 'account'
              operator: 'is'
              value: string
            }
        )[]
        actions: {
          categoryId?: string
          payee?: string
          note?: string
        }
        stop: boolean
        createdAt: string
        updatedAt: string
        revision: number
      }[]
      nextCursor: string | null
      included?: Record<string, Record<string, unknown>[]>
      prefetched?: {
        data: {
          id: string
          name: string
          position: number
          enabled: boolean
          match: 'all' | 'any'
          conditions: (
            | {
                field: 'payee' | 'rawPayee' | 'note'
                operator: 'is' | 'contains' | 'startsWith' | 'endsWith'
                value: string
              }
            | {
                field: 'amount'
                operator: 'is' | 'atLeast' | 'atMost'
                value: number
              }
            | {
                field: 'amount'
                operator: 'between'
                value: {
                  min: number
                  max: number
                }
              }
            | {
                field: 'account'
                operator: 'is'
                value: string
              }
          )[]
          actions: {
            categoryId?: string
            payee?: string
            note?: string
          }
          stop: boolean
          createdAt: string
          updatedAt: string
          revision: number
        }[]
        nextCursor: string | null
      }
    }
  }
  /** GET /api/sync: What changed since the cursor */
  sync: {
    params: Record<never, never>
    query: { cursor?: string; limit?: number; kinds?: string }
    body: undefined
    answer: {
      changes: {
        households?: Record<string, unknown>[]
        accounts?: Record<string, unknown>[]
        categories?: Record<string, unknown>[]
        transactions?: Record<string, unknown>[]
        budgets?: Record<string, unknown>[]
        rules?: Record<string, unknown>[]
        bills?: Record<string, unknown>[]
        occurrences?: Record<string, unknown>[]
      }
      removed: {
        type: 'households' | 'accounts' | 'categories' | 'transactions' | 'budgets' | 'rules' | 'bills' | 'occurrences'
        id: string
        householdId: string
      }[]
      nextCursor: string
      hasMore: boolean
      checkpoint: Record<
        string,
        {
          count: number
          digest: string
        }
      > | null
    }
  }
  /** GET /api/system/categories: The categories that a household starts with */
  'system.categories': {
    params: Record<never, never>
    query: Record<never, never>
    body: undefined
    answer: {
      data: {
        key: string
        name: string
        kind: 'income' | 'expense'
      }[]
      nextCursor: null
    }
  }
  /** GET /api/system/config/mobile: The mobile app's configuration */
  'system.config': {
    params: Record<never, never>
    query: Record<never, never>
    body: undefined
    answer: Record<string, unknown>
  }
  /** GET /api/system/countries: ISO 3166-1: countries */
  'system.countries': {
    params: Record<never, never>
    query: Record<never, never>
    body: undefined
    answer: {
      data: {
        alpha2: string
        alpha3: string
        name: string
      }[]
      nextCursor: null
    }
  }
  /** GET /api/system/currencies: ISO 4217: the currencies in force with their minor digits */
  'system.currencies': {
    params: Record<never, never>
    query: Record<never, never>
    body: undefined
    answer: {
      data: {
        code: string
        numeric: string
        exponent: number
        name: string
      }[]
      nextCursor: null
    }
  }
  /** GET /api/system/institutions: Banks and other institutions, with the file formats their customers can download */
  'system.institutions': {
    params: Record<never, never>
    query: Record<never, never>
    body: undefined
    answer: {
      data: {
        id: string
        name: string
        country: string
      }[]
      nextCursor: null
    }
  }
  /** GET /api/system/timezones: IANA time zones */
  'system.timezones': {
    params: Record<never, never>
    query: Record<never, never>
    body: undefined
    answer: {
      data: {
        id: string
      }[]
      nextCursor: null
    }
  }
  /** GET /api/transactions/{id}: One transaction */
  'transactions.read': {
    params: { id: string }
    query: { fields?: string }
    body: undefined
    answer: {
      id: string
      accountId: string
      currency: string
      date: string
      amount: number
      payee: string
      rawPayee: string | null
      note: string
      categoryId: string | null
      splits:
        | {
            amount: number
            categoryId: string | null
            note: string
          }[]
        | null
      status: 'pending' | 'posted' | 'reconciled'
      original: {
        amount: number
        currency: string
        rate: string | null
      } | null
      externalId: string | null
      importId: string | null
      transfer: {
        id: string
        side: 'from' | 'to'
        transactionId: string
        accountId: string
      } | null
      createdAt: string
      updatedAt: string
      revision: number
    }
  }
  /** GET /api/transactions: Transactions, newest first */
  'transactions.list': {
    params: Record<never, never>
    query: {
      limit?: number
      cursor?: string
      account?: string
      category?: string
      from?: string
      to?: string
      status?: 'pending' | 'posted' | 'reconciled'
      amountMin?: number
      amountMax?: number
      updatedSince?: string
      q?: string
      fields?: string
    }
    body: undefined
    answer: {
      data: {
        id: string
        accountId: string
        currency: string
        date: string
        amount: number
        payee: string
        rawPayee: string | null
        note: string
        categoryId: string | null
        splits:
          | {
              amount: number
              categoryId: string | null
              note: string
            }[]
          | null
        status: 'pending' | 'posted' | 'reconciled'
        original: {
          amount: number
          currency: string
          rate: string | null
        } | null
        externalId: string | null
        importId: string | null
        transfer: {
          id: string
          side: 'from' | 'to'
          transactionId: string
          accountId: string
        } | null
        createdAt: string
        updatedAt: string
        revision: number
      }[]
      nextCursor: string | null
      included?: Record<string, Record<string, unknown>[]>
      prefetched?: {
        data: {
          id: string
          accountId: string
          currency: string
          date: string
          amount: number
          payee: string
          rawPayee: string | null
          note: string
          categoryId: string | null
          splits:
            | {
                amount: number
                categoryId: string | null
                note: string
              }[]
            | null
          status: 'pending' | 'posted' | 'reconciled'
          original: {
            amount: number
            currency: string
            rate: string | null
          } | null
          externalId: string | null
          importId: string | null
          transfer: {
            id: string
            side: 'from' | 'to'
            transactionId: string
            accountId: string
          } | null
          createdAt: string
          updatedAt: string
          revision: number
        }[]
        nextCursor: string | null
      }
    }
  }
  /** GET /api/transfers/{id}: One transfer */
  'transfers.read': {
    params: { id: string }
    query: { fields?: string }
    body: undefined
    answer: {
      id: string
      from: {
        id: string
        accountId: string
        currency: string
        date: string
        amount: number
        payee: string
        rawPayee: string | null
        note: string
        categoryId: string | null
        splits:
          | {
              amount: number
              categoryId: string | null
              note: string
            }[]
          | null
        status: 'pending' | 'posted' | 'reconciled'
        original: {
          amount: number
          currency: string
          rate: string | null
        } | null
        externalId: string | null
        importId: string | null
        transfer: {
          id: string
          side: 'from' | 'to'
          transactionId: string
          accountId: string
        } | null
        createdAt: string
        updatedAt: string
        revision: number
      }
      to: {
        id: string
        accountId: string
        currency: string
        date: string
        amount: number
        payee: string
        rawPayee: string | null
        note: string
        categoryId: string | null
        splits:
          | {
              amount: number
              categoryId: string | null
              note: string
            }[]
          | null
        status: 'pending' | 'posted' | 'reconciled'
        original: {
          amount: number
          currency: string
          rate: string | null
        } | null
        externalId: string | null
        importId: string | null
        transfer: {
          id: string
          side: 'from' | 'to'
          transactionId: string
          accountId: string
        } | null
        createdAt: string
        updatedAt: string
        revision: number
      }
      createdAt: string
      updatedAt: string
      revision: number
    }
  }
  /** GET /api/transfers: Transfers, newest first */
  'transfers.list': {
    params: Record<never, never>
    query: { limit?: number; cursor?: string; updatedSince?: string; fields?: string }
    body: undefined
    answer: {
      data: {
        id: string
        from: {
          id: string
          accountId: string
          currency: string
          date: string
          amount: number
          payee: string
          rawPayee: string | null
          note: string
          categoryId: string | null
          splits:
            | {
                amount: number
                categoryId: string | null
                note: string
              }[]
            | null
          status: 'pending' | 'posted' | 'reconciled'
          original: {
            amount: number
            currency: string
            rate: string | null
          } | null
          externalId: string | null
          importId: string | null
          transfer: {
            id: string
            side: 'from' | 'to'
            transactionId: string
            accountId: string
          } | null
          createdAt: string
          updatedAt: string
          revision: number
        }
        to: {
          id: string
          accountId: string
          currency: string
          date: string
          amount: number
          payee: string
          rawPayee: string | null
          note: string
          categoryId: string | null
          splits:
            | {
                amount: number
                categoryId: string | null
                note: string
              }[]
            | null
          status: 'pending' | 'posted' | 'reconciled'
          original: {
            amount: number
            currency: string
            rate: string | null
          } | null
          externalId: string | null
          importId: string | null
          transfer: {
            id: string
            side: 'from' | 'to'
            transactionId: string
            accountId: string
          } | null
          createdAt: string
          updatedAt: string
          revision: number
        }
        createdAt: string
        updatedAt: string
        revision: number
      }[]
      nextCursor: string | null
      included?: Record<string, Record<string, unknown>[]>
      prefetched?: {
        data: {
          id: string
          from: {
            id: string
            accountId: string
            currency: string
            date: string
            amount: number
            payee: string
            rawPayee: string | null
            note: string
            categoryId: string | null
            splits:
              | {
                  amount: number
                  categoryId: string | null
                  note: string
                }[]
              | null
            status: 'pending' | 'posted' | 'reconciled'
            original: {
              amount: number
              currency: string
              rate: string | null
            } | null
            externalId: string | null
            importId: string | null
            transfer: {
              id: string
              side: 'from' | 'to'
              transactionId: string
              accountId: string
            } | null
            createdAt: string
            updatedAt: string
            revision: number
          }
          to: {
            id: string
            accountId: string
            currency: string
            date: string
            amount: number
            payee: string
            rawPayee: string | null
            note: string
            categoryId: string | null
            splits:
              | {
                  amount: number
                  categoryId: string | null
                  note: string
                }[]
              | null
            status: 'pending' | 'posted' | 'reconciled'
            original: {
              amount: number
              currency: string
              rate: string | null
            } | null
            externalId: string | null
            importId: string | null
            transfer: {
              id: string
              side: 'from' | 'to'
              transactionId: string
              accountId: string
            } | null
            createdAt: string
            updatedAt: string
            revision: number
          }
          createdAt: string
          updatedAt: string
          revision: number
        }[]
        nextCursor: string | null
      }
    }
  }
  /** PATCH /api/accounts/{id}: Change, close or reopen an account */
  'accounts.patch': {
    params: { id: string }
    query: { fields?: string }
    body: {
      baseRevision?: number
      name?: string
      kind?: 'checking' | 'savings' | 'cash' | 'creditCard' | 'loan' | 'investment' | 'other'
      currency?: string
      openingBalance?: number
      institutionId?: string | null
      note?: string
      closedAt?: string | null
    }
    answer: {
      id: string
      name: string
      kind: 'checking' | 'savings' | 'cash' | 'creditCard' | 'loan' | 'investment' | 'other'
      currency: string
      institutionId: string | null
      note: string
      openingBalance: number
      balance: number
      pendingBalance: number
      closedAt: string | null
      createdAt: string
      updatedAt: string
      revision: number
    }
  }
  /** PATCH /api/bills/{id}/occurrences/{date}: Skip an occurrence, or take that back */
  'bills.skip': {
    params: { id: string; date: string }
    query: { fields?: string }
    body: {
      baseRevision?: number
      status: 'skipped' | 'due'
    }
    answer: {
      id: string
      billId: string
      date: string
      status: 'due' | 'overdue' | 'paid' | 'skipped'
      currency: string
      amountMin: number
      amountMax: number
      paidAmount: number
      remaining: number
      payments: {
        transactionId: string
        amount: number
        origin: 'matched' | 'hand' | 'posted'
      }[]
      skipped: boolean
      paid: boolean
      createdAt: string
      updatedAt: string
      revision: number
    }
  }
  /** PATCH /api/bills/{id}: Change a bill */
  'bills.patch': {
    params: { id: string }
    query: { fields?: string }
    body: {
      payee?: string
      accountId?: string | null
      categoryId?: string | null
      amountMin?: number
      amountMax?: number
      currency?: string
      schedule?: {
        startsOn: string
        rule: string
        weekend?: 'keep' | 'before' | 'after'
      }
      endsOn?: string | null
      reminderDays?: number[]
      autoPost?: boolean
      note?: string
      baseRevision?: number
    }
    answer: {
      id: string
      payee: string
      accountId: string | null
      currency: string
      categoryId: string | null
      amountMin: number
      amountMax: number
      schedule: {
        startsOn: string
        rule: string
        weekend: 'keep' | 'before' | 'after'
      }
      endsOn: string | null
      reminderDays: number[]
      autoPost: boolean
      note: string
      nextDue: string | null
      overdueCount: number
      createdAt: string
      updatedAt: string
      revision: number
    }
  }
  /** PATCH /api/budgets/{id}: Change a budget */
  'budgets.patch': {
    params: { id: string }
    query: { fields?: string }
    body: {
      categoryId?: string
      name?: string
      amount?: number
      currency?: string
      period?: 'weekly' | 'monthly' | 'yearly'
      startsOn?: string
      rollover?: boolean
      alertLevels?: number[]
      note?: string
      baseRevision?: number
    }
    answer: {
      id: string
      categoryId: string
      name: string
      amount: number
      currency: string
      period: 'weekly' | 'monthly' | 'yearly'
      startsOn: string
      rollover: boolean
      alertLevels: number[]
      note: string
      periodStart: string
      periodEnd: string
      periodAmount: number
      rolledOver: number
      available: number
      spent: number
      pendingSpent: number
      remaining: number
      percent: number | null
      converted: boolean
      unconverted: string[]
      createdAt: string
      updatedAt: string
      revision: number
    }
  }
  /** PATCH /api/categories/{id}: Change, move or archive a category */
  'categories.patch': {
    params: { id: string }
    query: { fields?: string }
    body: {
      name?: string
      kind?: 'income' | 'expense'
      parentId?: string | null
      icon?: string | null
      color?: string | null
      archived?: boolean
      baseRevision?: number
    }
    answer: {
      id: string
      name: string
      kind: 'income' | 'expense'
      parentId: string | null
      icon: string | null
      color: string | null
      archived: boolean
      systemKey: string | null
      createdAt: string
      updatedAt: string
      revision: number
    }
  }
  /** PATCH /api/devices/{id}: Change a device: a new token, another name */
  'devices.patch': {
    params: { id: string }
    query: Record<never, never>
    body: {
      platform?: 'android' | 'ios' | 'web'
      pushToken?: string | null
      name?: string | null
    }
    answer: {
      id: string
      platform: 'android' | 'ios' | 'web'
      name: string | null
      pushToken: string | null
      current: boolean
      createdAt: string
      updatedAt: string
      lastSeenAt: string
    }
  }
  /** PATCH /api/feeds/{id}: Rename a feed, pause it or let it go on */
  'feeds.patch': {
    params: { id: string }
    query: { fields?: string }
    body: {
      baseRevision?: number
      name?: string
      paused?: boolean
    }
    answer: {
      id: string
      accountId: string
      name: string
      paused: boolean
      keyId: string
      oldKeys: {
        keyId: string
        expiresAt: string
      }[]
      lastPushAt: string | null
      counts: {
        pushes: number
        created: number
        updated: number
        removed: number
      }
      createdAt: string
      updatedAt: string
      revision: number
    }
  }
  /** PATCH /api/households/{id}/members/{userId}: Change a member's role */
  'members.patch': {
    params: { id: string; userId: string }
    query: Record<never, never>
    body: {
      role: 'owner' | 'editor' | 'viewer'
    }
    answer: {
      userId: string
      displayName: string
      email: string | null
      role: 'owner' | 'editor' | 'viewer'
      createdAt: string
      updatedAt: string
      revision: number
    }
  }
  /** PATCH /api/households/{id}: Change name, base currency or time zone */
  'households.patch': {
    params: { id: string }
    query: Record<never, never>
    body: {
      name?: string
      baseCurrency?: string
      timeZone?: string
    }
    answer: {
      id: string
      name: string
      baseCurrency: string
      timeZone: string
      role: 'owner' | 'editor' | 'viewer'
      createdAt: string
      updatedAt: string
      revision: number
    }
  }
  /** PATCH /api/imports/{id}: Read the file again with another mapping or account, before the commit */
  'imports.patch': {
    params: { id: string }
    query: Record<never, never>
    body: {
      mapping?: {
        delimiter?: ',' | ';' | '\t' | '|'
        skipRows?: number
        date?: number
        dateOrder?: 'ymd' | 'dmy' | 'mdy'
        decimal?: '.' | ','
        amount?:
          | {
              column: number
              invert: boolean
            }
          | {
              debit: number
              credit: number
            }
        direction?: number | null
        payee?: number | null
        note?: number | null
        currency?: number | null
        externalId?: number | null
      }
      accountId?: string
      dateOrder?: 'dmy' | 'mdy'
    }
    answer: {
      id: string
      format: string
      fileName: string | null
      fileDigest: string
      status: 'previewed' | 'committed' | 'undone'
      mapping: {
        delimiter: ',' | ';' | '\t' | '|'
        skipRows: number
        date: number
        dateOrder: 'ymd' | 'dmy' | 'mdy'
        decimal: '.' | ','
        amount:
          | {
              column: number
              invert: boolean
            }
          | {
              debit: number
              credit: number
            }
        direction: number | null
        payee: number | null
        note: number | null
        currency: number | null
        externalId: number | null
      } | null
      statements: {
        key: string
        currency: string | null
        label: string | null
        accountId: string | null
      }[]
      warnings: string[]
      summary: {
        new: number
        duplicate: number
        matched: number
        error: number
      }
      result: {
        created: number
        duplicate: number
        matched: number
      } | null
      committedAt: string | null
      undoneAt: string | null
      createdAt: string
      updatedAt: string
      revision: number
      rows: {
        row: number
        line: number
        statement: string
        status: 'new' | 'duplicate' | 'matched' | 'error'
        reason: string | null
        transaction: {
          id: string | null
          accountId: string | null
          date: string
          amount: number
          payee: string
          rawPayee: string | null
          note: string
          externalId: string | null
          status: 'pending' | 'posted'
          original: {
            amount: number
            currency: string
          } | null
        } | null
      }[]
    }
  }
  /** PATCH /api/me: Change your profile and preferences */
  'me.patch': {
    params: Record<never, never>
    query: Record<never, never>
    body: {
      displayName?: string
      locale?: string
      preferences?: Record<string, string | number | boolean | null>
    }
    answer: {
      id: string
      email: string
      displayName: string
      locale: string | null
      tier: 'standard' | 'premium'
      preferences: Record<string, unknown>
      createdAt: string
    }
  }
  /** PATCH /api/notifications/settings: Choose what you are told of, and your quiet hours */
  'notifications.patchSettings': {
    params: Record<never, never>
    query: Record<never, never>
    body: {
      transactionReceived?: boolean
      budgetExceeded?: boolean
      billReminder?: boolean
      quietFrom?: string | null
      quietTo?: string | null
      timeZone?: string | null
    }
    answer: {
      transactionReceived: boolean
      budgetExceeded: boolean
      billReminder: boolean
      quietFrom: string | null
      quietTo: string | null
      timeZone: string | null
    }
  }
  /** PATCH /api/notifications/{id}: Mark one as read, or as unread */
  'notifications.patch': {
    params: { id: string }
    query: Record<never, never>
    body: {
      read?: boolean
    }
    answer: {
      id: string
      householdId: string
      event: 'transactionReceived' | 'budgetExceeded' | 'billReminder'
      data: Record<string, unknown>
      createdAt: string
      readAt: string | null
    }
  }
  /** PATCH /api/rules/{id}: Change, move, enable or disable a rule */
  'rules.patch': {
    params: { id: string }
    query: { fields?: string }
    body: {
      name?: string
      position?: number
      enabled?: boolean
      match?: 'all' | 'any'
      conditions?: (
        | {
            field: 'payee' | 'rawPayee' | 'note'
            operator: 'is' | 'contains' | 'startsWith' | 'endsWith'
            value: string
          }
        | {
            field: 'amount'
            operator: 'is' | 'atLeast' | 'atMost'
            value: number
          }
        | {
            field: 'amount'
            operator: 'between'
            value: {
              min: number
              max: number
            }
          }
        | {
            field: 'account'
            operator: 'is'
            value: string
          }
      )[]
      actions?: {
        categoryId?: string
        payee?: string
        note?: string
      }
      stop?: boolean
      baseRevision?: number
    }
    answer: {
      id: string
      name: string
      position: number
      enabled: boolean
      match: 'all' | 'any'
      conditions: (
        | {
            field: 'payee' | 'rawPayee' | 'note'
            operator: 'is' | 'contains' | 'startsWith' | 'endsWith'
            value: string
          }
        | {
            field: 'amount'
            operator: 'is' | 'atLeast' | 'atMost'
            value: number
          }
        | {
            field: 'amount'
            operator: 'between'
            value: {
              min: number
              max: number
            }
          }
        | {
            field: 'account'
            operator: 'is'
            value: string
          }
      )[]
      actions: {
        categoryId?: string
        payee?: string
        note?: string
      }
      stop: boolean
      createdAt: string
      updatedAt: string
      revision: number
    }
  }
  /** PATCH /api/transactions/{id}: Change a transaction */
  'transactions.patch': {
    params: { id: string }
    query: { fields?: string }
    body: {
      accountId?: string
      date?: string
      amount?: number
      payee?: string
      note?: string
      categoryId?: string | null
      splits?:
        | {
            amount: number
            categoryId?: string | null
            note?: string
          }[]
        | null
      status?: 'pending' | 'posted' | 'reconciled'
      original?: {
        amount: number
        currency: string
      } | null
      baseRevision?: number
    }
    answer: {
      id: string
      accountId: string
      currency: string
      date: string
      amount: number
      payee: string
      rawPayee: string | null
      note: string
      categoryId: string | null
      splits:
        | {
            amount: number
            categoryId: string | null
            note: string
          }[]
        | null
      status: 'pending' | 'posted' | 'reconciled'
      original: {
        amount: number
        currency: string
        rate: string | null
      } | null
      externalId: string | null
      importId: string | null
      transfer: {
        id: string
        side: 'from' | 'to'
        transactionId: string
        accountId: string
      } | null
      createdAt: string
      updatedAt: string
      revision: number
    }
  }
  /** PATCH /api/transfers/{id}: Change a transfer */
  'transfers.patch': {
    params: { id: string }
    query: { fields?: string }
    body: {
      fromAccountId?: string
      toAccountId?: string
      date?: string
      amount?: number
      toAmount?: number
      note?: string
      baseRevision?: number
    }
    answer: {
      id: string
      from: {
        id: string
        accountId: string
        currency: string
        date: string
        amount: number
        payee: string
        rawPayee: string | null
        note: string
        categoryId: string | null
        splits:
          | {
              amount: number
              categoryId: string | null
              note: string
            }[]
          | null
        status: 'pending' | 'posted' | 'reconciled'
        original: {
          amount: number
          currency: string
          rate: string | null
        } | null
        externalId: string | null
        importId: string | null
        transfer: {
          id: string
          side: 'from' | 'to'
          transactionId: string
          accountId: string
        } | null
        createdAt: string
        updatedAt: string
        revision: number
      }
      to: {
        id: string
        accountId: string
        currency: string
        date: string
        amount: number
        payee: string
        rawPayee: string | null
        note: string
        categoryId: string | null
        splits:
          | {
              amount: number
              categoryId: string | null
              note: string
            }[]
          | null
        status: 'pending' | 'posted' | 'reconciled'
        original: {
          amount: number
          currency: string
          rate: string | null
        } | null
        externalId: string | null
        importId: string | null
        transfer: {
          id: string
          side: 'from' | 'to'
          transactionId: string
          accountId: string
        } | null
        createdAt: string
        updatedAt: string
        revision: number
      }
      createdAt: string
      updatedAt: string
      revision: number
    }
  }
  /** POST /api/accounts/{id}/restore: Bring a deleted account back, within 30 days */
  'accounts.restore': {
    params: { id: string }
    query: { fields?: string }
    body: undefined
    answer: {
      id: string
      name: string
      kind: 'checking' | 'savings' | 'cash' | 'creditCard' | 'loan' | 'investment' | 'other'
      currency: string
      institutionId: string | null
      note: string
      openingBalance: number
      balance: number
      pendingBalance: number
      closedAt: string | null
      createdAt: string
      updatedAt: string
      revision: number
    }
  }
  /** POST /api/accounts: Open an account */
  'accounts.create': {
    params: Record<never, never>
    query: { fields?: string }
    body: {
      id?: string
      name: string
      kind: 'checking' | 'savings' | 'cash' | 'creditCard' | 'loan' | 'investment' | 'other'
      currency: string
      openingBalance?: number
      institutionId?: string | null
      note?: string
    }
    answer: {
      id: string
      name: string
      kind: 'checking' | 'savings' | 'cash' | 'creditCard' | 'loan' | 'investment' | 'other'
      currency: string
      institutionId: string | null
      note: string
      openingBalance: number
      balance: number
      pendingBalance: number
      closedAt: string | null
      createdAt: string
      updatedAt: string
      revision: number
    }
  }
  /** POST /api/auth/login: Sign in */
  'auth.login': {
    params: Record<never, never>
    query: Record<never, never>
    body: {
      email: string
      password: string
      totp?: string
      deviceName?: string
    }
    answer: {
      accessToken: string
      refreshToken: string
      expiresIn: number
      user: {
        id: string
        email: string
        displayName: string
        locale: string | null
        tier: 'standard' | 'premium'
        preferences: Record<string, unknown>
        createdAt: string
      }
    }
  }
  /** POST /api/auth/logout: End this session */
  'auth.logout': {
    params: Record<never, never>
    query: Record<never, never>
    body: undefined
    answer: undefined
  }
  /** POST /api/auth/password: Change the password; every other session ends */
  'auth.password': {
    params: Record<never, never>
    query: Record<never, never>
    body: {
      currentPassword: string
      newPassword: string
    }
    answer: undefined
  }
  /** POST /api/auth/recovery/confirm: Set a new password with the mailed token; every session ends */
  'auth.recover': {
    params: Record<never, never>
    query: Record<never, never>
    body: {
      token: string
      newPassword: string
    }
    answer: undefined
  }
  /** POST /api/auth/recovery: Ask for a link that sets a new password */
  'auth.recovery': {
    params: Record<never, never>
    query: Record<never, never>
    body: {
      email: string
    }
    answer: {
      status: 'check-email'
    }
  }
  /** POST /api/auth/refresh: Exchange the refresh token for new tokens */
  'auth.refresh': {
    params: Record<never, never>
    query: Record<never, never>
    body: {
      refreshToken: string
    }
    answer: {
      accessToken: string
      refreshToken: string
      expiresIn: number
    }
  }
  /** POST /api/auth/register/confirm: Finish a sign-up with the mailed token */
  'auth.confirm': {
    params: Record<never, never>
    query: Record<never, never>
    body: {
      token: string
      password: string
      deviceName?: string
    }
    answer: {
      accessToken: string
      refreshToken: string
      expiresIn: number
      user: {
        id: string
        email: string
        displayName: string
        locale: string | null
        tier: 'standard' | 'premium'
        preferences: Record<string, unknown>
        createdAt: string
      }
      household: {
        id: string
      }
    }
  }
  /** POST /api/auth/register: Sign up */
  'auth.register': {
    params: Record<never, never>
    query: Record<never, never>
    body: {
      email: string
      password: string
      displayName?: string
      currency?: string
      timeZone?: string
      deviceName?: string
      invitation?: string
    }
    answer:
      | {
          accessToken: string
          refreshToken: string
          expiresIn: number
          user: {
            id: string
            email: string
            displayName: string
            locale: string | null
            tier: 'standard' | 'premium'
            preferences: Record<string, unknown>
            createdAt: string
          }
          household: {
            id: string
          }
        }
      | {
          status: 'check-email'
        }
  }
  /** POST /api/batch: Up to 10 calls in one request */
  batch: {
    params: Record<never, never>
    query: Record<never, never>
    body: {
      operations: {
        id: string
        method: 'GET' | 'POST' | 'PATCH' | 'DELETE'
        path: string
        headers?: Record<string, string>
        body?: unknown
      }[]
      atomic?: boolean
    }
    answer: {
      results: {
        id: string
        status: number
        headers: Record<string, string>
        body: unknown
      }[]
    }
  }
  /** POST /api/bills/{id}/occurrences/{date}/payments: Say that a transaction pays an occurrence */
  'bills.pay': {
    params: { id: string; date: string }
    query: { fields?: string }
    body: {
      transactionId: string
    }
    answer: {
      id: string
      billId: string
      date: string
      status: 'due' | 'overdue' | 'paid' | 'skipped'
      currency: string
      amountMin: number
      amountMax: number
      paidAmount: number
      remaining: number
      payments: {
        transactionId: string
        amount: number
        origin: 'matched' | 'hand' | 'posted'
      }[]
      skipped: boolean
      paid: boolean
      createdAt: string
      updatedAt: string
      revision: number
    }
  }
  /** POST /api/bills/{id}/restore: Bring a deleted bill back, within 30 days */
  'bills.restore': {
    params: { id: string }
    query: { fields?: string }
    body: undefined
    answer: {
      id: string
      payee: string
      accountId: string | null
      currency: string
      categoryId: string | null
      amountMin: number
      amountMax: number
      schedule: {
        startsOn: string
        rule: string
        weekend: 'keep' | 'before' | 'after'
      }
      endsOn: string | null
      reminderDays: number[]
      autoPost: boolean
      note: string
      nextDue: string | null
      overdueCount: number
      createdAt: string
      updatedAt: string
      revision: number
    }
  }
  /** POST /api/bills: Add a bill or recurring income */
  'bills.create': {
    params: Record<never, never>
    query: { fields?: string }
    body: {
      id?: string
      payee: string
      accountId?: string | null
      categoryId?: string | null
      amountMin: number
      amountMax: number
      currency?: string
      schedule: {
        startsOn: string
        rule: string
        weekend?: 'keep' | 'before' | 'after'
      }
      endsOn?: string | null
      reminderDays?: number[]
      autoPost?: boolean
      note?: string
    }
    answer: {
      id: string
      payee: string
      accountId: string | null
      currency: string
      categoryId: string | null
      amountMin: number
      amountMax: number
      schedule: {
        startsOn: string
        rule: string
        weekend: 'keep' | 'before' | 'after'
      }
      endsOn: string | null
      reminderDays: number[]
      autoPost: boolean
      note: string
      nextDue: string | null
      overdueCount: number
      createdAt: string
      updatedAt: string
      revision: number
    }
  }
  /** POST /api/budgets/{id}/restore: Bring a deleted budget back, within 30 days */
  'budgets.restore': {
    params: { id: string }
    query: { fields?: string }
    body: undefined
    answer: {
      id: string
      categoryId: string
      name: string
      amount: number
      currency: string
      period: 'weekly' | 'monthly' | 'yearly'
      startsOn: string
      rollover: boolean
      alertLevels: number[]
      note: string
      periodStart: string
      periodEnd: string
      periodAmount: number
      rolledOver: number
      available: number
      spent: number
      pendingSpent: number
      remaining: number
      percent: number | null
      converted: boolean
      unconverted: string[]
      createdAt: string
      updatedAt: string
      revision: number
    }
  }
  /** POST /api/budgets: Set a budget */
  'budgets.create': {
    params: Record<never, never>
    query: { fields?: string }
    body: {
      categoryId: string
      name?: string
      amount: number
      currency?: string
      period: 'weekly' | 'monthly' | 'yearly'
      startsOn?: string
      rollover?: boolean
      alertLevels?: number[]
      note?: string
      id?: string
    }
    answer: {
      id: string
      categoryId: string
      name: string
      amount: number
      currency: string
      period: 'weekly' | 'monthly' | 'yearly'
      startsOn: string
      rollover: boolean
      alertLevels: number[]
      note: string
      periodStart: string
      periodEnd: string
      periodAmount: number
      rolledOver: number
      available: number
      spent: number
      pendingSpent: number
      remaining: number
      percent: number | null
      converted: boolean
      unconverted: string[]
      createdAt: string
      updatedAt: string
      revision: number
    }
  }
  /** POST /api/categories/{id}/restore: Bring a deleted category back, within 30 days */
  'categories.restore': {
    params: { id: string }
    query: { fields?: string }
    body: undefined
    answer: {
      id: string
      name: string
      kind: 'income' | 'expense'
      parentId: string | null
      icon: string | null
      color: string | null
      archived: boolean
      systemKey: string | null
      createdAt: string
      updatedAt: string
      revision: number
    }
  }
  /** POST /api/categories: Add a category */
  'categories.create': {
    params: Record<never, never>
    query: { fields?: string }
    body: {
      id?: string
      name: string
      kind: 'income' | 'expense'
      parentId?: string | null
      icon?: string | null
      color?: string | null
      archived?: boolean
    }
    answer: {
      id: string
      name: string
      kind: 'income' | 'expense'
      parentId: string | null
      icon: string | null
      color: string | null
      archived: boolean
      systemKey: string | null
      createdAt: string
      updatedAt: string
      revision: number
    }
  }
  /** POST /api/devices: Register this device, at each start of the app */
  'devices.create': {
    params: Record<never, never>
    query: Record<never, never>
    body: {
      id?: string
      platform: 'android' | 'ios' | 'web'
      pushToken?: string | null
      name?: string | null
    }
    answer: {
      id: string
      platform: 'android' | 'ios' | 'web'
      name: string | null
      pushToken: string | null
      current: boolean
      createdAt: string
      updatedAt: string
      lastSeenAt: string
    }
  }
  /** POST /api/exports: Take your data with you */
  'exports.create': {
    params: Record<never, never>
    query: Record<never, never>
    body:
      | {
          kind: 'household'
        }
      | {
          kind: 'transactions'
          accountId?: string
          from?: string
          to?: string
        }
    answer: string
  }
  /** POST /api/feeds/{id}/rotate: Give a feed a new secret */
  'feeds.rotate': {
    params: { id: string }
    query: { fields?: string }
    body: {
      immediately?: boolean
    }
    answer: {
      id: string
      accountId: string
      name: string
      paused: boolean
      keyId: string
      oldKeys: {
        keyId: string
        expiresAt: string
      }[]
      lastPushAt: string | null
      counts: {
        pushes: number
        created: number
        updated: number
        removed: number
      }
      createdAt: string
      updatedAt: string
      revision: number
      secret?: string
    }
  }
  /** POST /api/feeds/{id}/transactions: Push a bank's transactions, signed */
  'feeds.push': {
    params: { id: string }
    query: Record<never, never>
    body: {
      transactions: {
        externalId: string
        date: string
        amount: number
        currency?: string
        payee: string
        rawPayee?: string
        note?: string
        status: 'pending' | 'posted'
        pendingExternalId?: string
        original?: {
          amount: number
          currency: string
        } | null
      }[]
      removed?: string[]
    }
    answer: {
      created: number
      updated: number
      unchanged: number
      removed: number
      results: {
        externalId: string
        transactionId: string | null
        outcome: 'created' | 'updated' | 'adopted' | 'unchanged' | 'kept' | 'deleted' | 'removed'
      }[]
    }
  }
  /** POST /api/feeds: Make a feed into an account */
  'feeds.create': {
    params: Record<never, never>
    query: { fields?: string }
    body: {
      id?: string
      accountId: string
      name: string
    }
    answer: {
      id: string
      accountId: string
      name: string
      paused: boolean
      keyId: string
      oldKeys: {
        keyId: string
        expiresAt: string
      }[]
      lastPushAt: string | null
      counts: {
        pushes: number
        created: number
        updated: number
        removed: number
      }
      createdAt: string
      updatedAt: string
      revision: number
      secret?: string
    }
  }
  /** POST /api/households/{id}/invitations: Invite somebody */
  'invitations.create': {
    params: { id: string }
    query: Record<never, never>
    body: {
      role: 'owner' | 'editor' | 'viewer'
      email?: string
      expiresInHours?: number
    }
    answer: {
      id: string
      role: 'owner' | 'editor' | 'viewer'
      email: string | null
      invitedBy: string
      expiresAt: string
      createdAt: string
      revision: number
      token: string
      link: string | null
      mailed: boolean
    }
  }
  /** POST /api/households/{id}/restore: Bring a deleted household back */
  'households.restore': {
    params: { id: string }
    query: Record<never, never>
    body: undefined
    answer: {
      id: string
      name: string
      baseCurrency: string
      timeZone: string
      role: 'owner' | 'editor' | 'viewer'
      createdAt: string
      updatedAt: string
      revision: number
    }
  }
  /** POST /api/households: Found another household */
  'households.create': {
    params: Record<never, never>
    query: Record<never, never>
    body: {
      id?: string
      name: string
      baseCurrency: string
      timeZone: string
    }
    answer: {
      id: string
      name: string
      baseCurrency: string
      timeZone: string
      role: 'owner' | 'editor' | 'viewer'
      createdAt: string
      updatedAt: string
      revision: number
    }
  }
  /** POST /api/imports/{id}/commit: Do what the preview said */
  'imports.commit': {
    params: { id: string }
    query: Record<never, never>
    body: {
      accounts?: Record<string, string>
      skipErrors?: boolean
    }
    answer: {
      created: number
      duplicate: number
      matched: number
    }
  }
  /** POST /api/imports: Read a bank's file and preview what it would add */
  'imports.preview': {
    params: Record<never, never>
    query: {
      accountId?: string
      format?: 'auto' | 'ofx' | 'qfx' | 'qif' | 'csv' | 'camt053' | 'mt940' | 'djinn'
      dateOrder?: 'dmy' | 'mdy'
    }
    body: Blob | Uint8Array
    answer: {
      id: string
      format: string
      fileName: string | null
      fileDigest: string
      status: 'previewed' | 'committed' | 'undone'
      mapping: {
        delimiter: ',' | ';' | '\t' | '|'
        skipRows: number
        date: number
        dateOrder: 'ymd' | 'dmy' | 'mdy'
        decimal: '.' | ','
        amount:
          | {
              column: number
              invert: boolean
            }
          | {
              debit: number
              credit: number
            }
        direction: number | null
        payee: number | null
        note: number | null
        currency: number | null
        externalId: number | null
      } | null
      statements: {
        key: string
        currency: string | null
        label: string | null
        accountId: string | null
      }[]
      warnings: string[]
      summary: {
        new: number
        duplicate: number
        matched: number
        error: number
      }
      result: {
        created: number
        duplicate: number
        matched: number
      } | null
      committedAt: string | null
      undoneAt: string | null
      createdAt: string
      updatedAt: string
      revision: number
      rows: {
        row: number
        line: number
        statement: string
        status: 'new' | 'duplicate' | 'matched' | 'error'
        reason: string | null
        transaction: {
          id: string | null
          accountId: string | null
          date: string
          amount: number
          payee: string
          rawPayee: string | null
          note: string
          externalId: string | null
          status: 'pending' | 'posted'
          original: {
            amount: number
            currency: string
          } | null
        } | null
      }[]
    }
  }
  /** POST /api/invitations/accept: Join a household */
  'invitations.accept': {
    params: Record<never, never>
    query: Record<never, never>
    body: {
      token: string
    }
    answer: {
      id: string
      name: string
      baseCurrency: string
      timeZone: string
      role: 'owner' | 'editor' | 'viewer'
      createdAt: string
      updatedAt: string
      revision: number
    }
  }
  /** POST /api/invitations/preview: What an invitation leads to */
  'invitations.preview': {
    params: Record<never, never>
    query: Record<never, never>
    body: {
      token: string
    }
    answer: {
      household: {
        name: string
      }
      role: 'owner' | 'editor' | 'viewer'
      expiresAt: string
    }
  }
  /** POST /api/me/second-factor/confirm: Turn the second factor on with its first code; every other session ends */
  'me.confirmSecondFactor': {
    params: Record<never, never>
    query: Record<never, never>
    body: {
      code: string
    }
    answer: {
      enabledAt: string
      recoveryCodes: string[]
    }
  }
  /** POST /api/me/second-factor/disable: Turn the second factor off */
  'me.disableSecondFactor': {
    params: Record<never, never>
    query: Record<never, never>
    body: {
      password: string
      code: string
    }
    answer: undefined
  }
  /** POST /api/me/second-factor/recovery-codes: New recovery codes; the old ones are void */
  'me.renewRecoveryCodes': {
    params: Record<never, never>
    query: Record<never, never>
    body: {
      password: string
      code: string
    }
    answer: {
      recoveryCodes: string[]
    }
  }
  /** POST /api/me/second-factor: Begin to set up a second factor */
  'me.beginSecondFactor': {
    params: Record<never, never>
    query: Record<never, never>
    body: {
      password: string
      code?: string
    }
    answer: {
      secret: string
      uri: string
      expiresIn: number
    }
  }
  /** POST /api/notifications/read: Mark everything as read */
  'notifications.readAll': {
    params: Record<never, never>
    query: Record<never, never>
    body: {
      upTo?: string
    }
    answer: {
      marked: number
    }
  }
  /** POST /api/rules/preview: What a rule, or some rules, would change in history */
  'rules.preview': {
    params: Record<never, never>
    query: Record<never, never>
    body: {
      rule?: {
        id?: string
        name?: string
        position?: number
        enabled?: boolean
        match: 'all' | 'any'
        conditions: (
          | {
              field: 'payee' | 'rawPayee' | 'note'
              operator: 'is' | 'contains' | 'startsWith' | 'endsWith'
              value: string
            }
          | {
              field: 'amount'
              operator: 'is' | 'atLeast' | 'atMost'
              value: number
            }
          | {
              field: 'amount'
              operator: 'between'
              value: {
                min: number
                max: number
              }
            }
          | {
              field: 'account'
              operator: 'is'
              value: string
            }
        )[]
        actions: {
          categoryId?: string
          payee?: string
          note?: string
        }
        stop?: boolean
      }
      ruleIds?: string[]
      from?: string
      to?: string
      accountId?: string
    }
    answer: {
      examined: number
      matched: number
      changed: number
      data: {
        transactionId: string
        date: string
        amount: number
        payee: string
        ruleIds: string[]
        before: {
          categoryId?: string | null
          payee?: string
          note?: string
        }
        after: {
          categoryId?: string | null
          payee?: string
          note?: string
        }
      }[]
      truncated: boolean
    }
  }
  /** POST /api/rules/run: Apply rules to history */
  'rules.run': {
    params: Record<never, never>
    query: Record<never, never>
    body: {
      ruleIds?: string[]
      from?: string
      to?: string
      accountId?: string
    }
    answer: {
      id: string
      ruleIds: string[] | null
      from: string | null
      to: string | null
      accountId: string | null
      examined: number
      matched: number
      changed: number
      perRule: {
        ruleId: string
        matched: number
        changed: number
      }[]
      startedAt: string
      undoneAt: string | null
      undone: number | null
      kept: number | null
      revision: number
    }
  }
  /** POST /api/rules/{id}/restore: Bring a deleted rule back to its position, within 30 days */
  'rules.restore': {
    params: { id: string }
    query: { fields?: string }
    body: undefined
    answer: {
      id: string
      name: string
      position: number
      enabled: boolean
      match: 'all' | 'any'
      conditions: (
        | {
            field: 'payee' | 'rawPayee' | 'note'
            operator: 'is' | 'contains' | 'startsWith' | 'endsWith'
            value: string
          }
        | {
            field: 'amount'
            operator: 'is' | 'atLeast' | 'atMost'
            value: number
          }
        | {
            field: 'amount'
            operator: 'between'
            value: {
              min: number
              max: number
            }
          }
        | {
            field: 'account'
            operator: 'is'
            value: string
          }
      )[]
      actions: {
        categoryId?: string
        payee?: string
        note?: string
      }
      stop: boolean
      createdAt: string
      updatedAt: string
      revision: number
    }
  }
  /** POST /api/rules: Add a rule */
  'rules.create': {
    params: Record<never, never>
    query: { fields?: string }
    body: {
      id?: string
      name: string
      position?: number
      enabled?: boolean
      match: 'all' | 'any'
      conditions: (
        | {
            field: 'payee' | 'rawPayee' | 'note'
            operator: 'is' | 'contains' | 'startsWith' | 'endsWith'
            value: string
          }
        | {
            field: 'amount'
            operator: 'is' | 'atLeast' | 'atMost'
            value: number
          }
        | {
            field: 'amount'
            operator: 'between'
            value: {
              min: number
              max: number
            }
          }
        | {
            field: 'account'
            operator: 'is'
            value: string
          }
      )[]
      actions: {
        categoryId?: string
        payee?: string
        note?: string
      }
      stop?: boolean
    }
    answer: {
      id: string
      name: string
      position: number
      enabled: boolean
      match: 'all' | 'any'
      conditions: (
        | {
            field: 'payee' | 'rawPayee' | 'note'
            operator: 'is' | 'contains' | 'startsWith' | 'endsWith'
            value: string
          }
        | {
            field: 'amount'
            operator: 'is' | 'atLeast' | 'atMost'
            value: number
          }
        | {
            field: 'amount'
            operator: 'between'
            value: {
              min: number
              max: number
            }
          }
        | {
            field: 'account'
            operator: 'is'
            value: string
          }
      )[]
      actions: {
        categoryId?: string
        payee?: string
        note?: string
      }
      stop: boolean
      createdAt: string
      updatedAt: string
      revision: number
    }
  }
  /** POST /api/transactions/{id}/restore: Bring a deleted transaction back, within 30 days */
  'transactions.restore': {
    params: { id: string }
    query: { fields?: string }
    body: undefined
    answer: {
      id: string
      accountId: string
      currency: string
      date: string
      amount: number
      payee: string
      rawPayee: string | null
      note: string
      categoryId: string | null
      splits:
        | {
            amount: number
            categoryId: string | null
            note: string
          }[]
        | null
      status: 'pending' | 'posted' | 'reconciled'
      original: {
        amount: number
        currency: string
        rate: string | null
      } | null
      externalId: string | null
      importId: string | null
      transfer: {
        id: string
        side: 'from' | 'to'
        transactionId: string
        accountId: string
      } | null
      createdAt: string
      updatedAt: string
      revision: number
    }
  }
  /** POST /api/transactions: Add a transaction */
  'transactions.create': {
    params: Record<never, never>
    query: { fields?: string }
    body: {
      id?: string
      accountId: string
      date: string
      amount: number
      payee?: string
      note?: string
      categoryId?: string | null
      splits?:
        | {
            amount: number
            categoryId?: string | null
            note?: string
          }[]
        | null
      status?: 'pending' | 'posted' | 'reconciled'
      externalId?: string | null
      original?: {
        amount: number
        currency: string
      } | null
    }
    answer: {
      id: string
      accountId: string
      currency: string
      date: string
      amount: number
      payee: string
      rawPayee: string | null
      note: string
      categoryId: string | null
      splits:
        | {
            amount: number
            categoryId: string | null
            note: string
          }[]
        | null
      status: 'pending' | 'posted' | 'reconciled'
      original: {
        amount: number
        currency: string
        rate: string | null
      } | null
      externalId: string | null
      importId: string | null
      transfer: {
        id: string
        side: 'from' | 'to'
        transactionId: string
        accountId: string
      } | null
      createdAt: string
      updatedAt: string
      revision: number
    }
  }
  /** POST /api/transfers/{id}/restore: Bring a deleted transfer back, within 30 days */
  'transfers.restore': {
    params: { id: string }
    query: { fields?: string }
    body: undefined
    answer: {
      id: string
      from: {
        id: string
        accountId: string
        currency: string
        date: string
        amount: number
        payee: string
        rawPayee: string | null
        note: string
        categoryId: string | null
        splits:
          | {
              amount: number
              categoryId: string | null
              note: string
            }[]
          | null
        status: 'pending' | 'posted' | 'reconciled'
        original: {
          amount: number
          currency: string
          rate: string | null
        } | null
        externalId: string | null
        importId: string | null
        transfer: {
          id: string
          side: 'from' | 'to'
          transactionId: string
          accountId: string
        } | null
        createdAt: string
        updatedAt: string
        revision: number
      }
      to: {
        id: string
        accountId: string
        currency: string
        date: string
        amount: number
        payee: string
        rawPayee: string | null
        note: string
        categoryId: string | null
        splits:
          | {
              amount: number
              categoryId: string | null
              note: string
            }[]
          | null
        status: 'pending' | 'posted' | 'reconciled'
        original: {
          amount: number
          currency: string
          rate: string | null
        } | null
        externalId: string | null
        importId: string | null
        transfer: {
          id: string
          side: 'from' | 'to'
          transactionId: string
          accountId: string
        } | null
        createdAt: string
        updatedAt: string
        revision: number
      }
      createdAt: string
      updatedAt: string
      revision: number
    }
  }
  /** POST /api/transfers: Move money between two accounts */
  'transfers.create': {
    params: Record<never, never>
    query: { fields?: string }
    body: {
      id?: string
      fromAccountId: string
      toAccountId: string
      date: string
      amount: number
      toAmount?: number
      note?: string
    }
    answer: {
      id: string
      from: {
        id: string
        accountId: string
        currency: string
        date: string
        amount: number
        payee: string
        rawPayee: string | null
        note: string
        categoryId: string | null
        splits:
          | {
              amount: number
              categoryId: string | null
              note: string
            }[]
          | null
        status: 'pending' | 'posted' | 'reconciled'
        original: {
          amount: number
          currency: string
          rate: string | null
        } | null
        externalId: string | null
        importId: string | null
        transfer: {
          id: string
          side: 'from' | 'to'
          transactionId: string
          accountId: string
        } | null
        createdAt: string
        updatedAt: string
        revision: number
      }
      to: {
        id: string
        accountId: string
        currency: string
        date: string
        amount: number
        payee: string
        rawPayee: string | null
        note: string
        categoryId: string | null
        splits:
          | {
              amount: number
              categoryId: string | null
              note: string
            }[]
          | null
        status: 'pending' | 'posted' | 'reconciled'
        original: {
          amount: number
          currency: string
          rate: string | null
        } | null
        externalId: string | null
        importId: string | null
        transfer: {
          id: string
          side: 'from' | 'to'
          transactionId: string
          accountId: string
        } | null
        createdAt: string
        updatedAt: string
        revision: number
      }
      createdAt: string
      updatedAt: string
      revision: number
    }
  }
}

/** Where each operation is. */
export const routes = {
  'accounts.create': ['POST', '/api/accounts'],
  'accounts.delete': ['DELETE', '/api/accounts/{id}'],
  'accounts.list': ['GET', '/api/accounts'],
  'accounts.patch': ['PATCH', '/api/accounts/{id}'],
  'accounts.read': ['GET', '/api/accounts/{id}'],
  'accounts.restore': ['POST', '/api/accounts/{id}/restore'],
  'audit.list': ['GET', '/api/audit'],
  'auth.confirm': ['POST', '/api/auth/register/confirm'],
  'auth.login': ['POST', '/api/auth/login'],
  'auth.logout': ['POST', '/api/auth/logout'],
  'auth.password': ['POST', '/api/auth/password'],
  'auth.recover': ['POST', '/api/auth/recovery/confirm'],
  'auth.recovery': ['POST', '/api/auth/recovery'],
  'auth.refresh': ['POST', '/api/auth/refresh'],
  'auth.register': ['POST', '/api/auth/register'],
  batch: ['POST', '/api/batch'],
  'bills.allOccurrences': ['GET', '/api/bills/occurrences'],
  'bills.create': ['POST', '/api/bills'],
  'bills.delete': ['DELETE', '/api/bills/{id}'],
  'bills.forecast': ['GET', '/api/bills/forecast'],
  'bills.list': ['GET', '/api/bills'],
  'bills.occurrences': ['GET', '/api/bills/{id}/occurrences'],
  'bills.patch': ['PATCH', '/api/bills/{id}'],
  'bills.pay': ['POST', '/api/bills/{id}/occurrences/{date}/payments'],
  'bills.read': ['GET', '/api/bills/{id}'],
  'bills.restore': ['POST', '/api/bills/{id}/restore'],
  'bills.skip': ['PATCH', '/api/bills/{id}/occurrences/{date}'],
  'bills.unpay': ['DELETE', '/api/bills/{id}/occurrences/{date}/payments/{transactionId}'],
  'budgets.create': ['POST', '/api/budgets'],
  'budgets.delete': ['DELETE', '/api/budgets/{id}'],
  'budgets.list': ['GET', '/api/budgets'],
  'budgets.patch': ['PATCH', '/api/budgets/{id}'],
  'budgets.read': ['GET', '/api/budgets/{id}'],
  'budgets.restore': ['POST', '/api/budgets/{id}/restore'],
  'categories.create': ['POST', '/api/categories'],
  'categories.delete': ['DELETE', '/api/categories/{id}'],
  'categories.list': ['GET', '/api/categories'],
  'categories.patch': ['PATCH', '/api/categories/{id}'],
  'categories.read': ['GET', '/api/categories/{id}'],
  'categories.restore': ['POST', '/api/categories/{id}/restore'],
  'devices.create': ['POST', '/api/devices'],
  'devices.delete': ['DELETE', '/api/devices/{id}'],
  'devices.list': ['GET', '/api/devices'],
  'devices.patch': ['PATCH', '/api/devices/{id}'],
  'devices.read': ['GET', '/api/devices/{id}'],
  events: ['GET', '/api/events'],
  'exports.create': ['POST', '/api/exports'],
  'feeds.create': ['POST', '/api/feeds'],
  'feeds.delete': ['DELETE', '/api/feeds/{id}'],
  'feeds.list': ['GET', '/api/feeds'],
  'feeds.patch': ['PATCH', '/api/feeds/{id}'],
  'feeds.push': ['POST', '/api/feeds/{id}/transactions'],
  'feeds.read': ['GET', '/api/feeds/{id}'],
  'feeds.rotate': ['POST', '/api/feeds/{id}/rotate'],
  'households.create': ['POST', '/api/households'],
  'households.list': ['GET', '/api/households'],
  'households.patch': ['PATCH', '/api/households/{id}'],
  'households.read': ['GET', '/api/households/{id}'],
  'households.remove': ['DELETE', '/api/households/{id}'],
  'households.restore': ['POST', '/api/households/{id}/restore'],
  'imports.commit': ['POST', '/api/imports/{id}/commit'],
  'imports.list': ['GET', '/api/imports'],
  'imports.patch': ['PATCH', '/api/imports/{id}'],
  'imports.preview': ['POST', '/api/imports'],
  'imports.read': ['GET', '/api/imports/{id}'],
  'imports.undo': ['DELETE', '/api/imports/{id}'],
  'invitations.accept': ['POST', '/api/invitations/accept'],
  'invitations.create': ['POST', '/api/households/{id}/invitations'],
  'invitations.list': ['GET', '/api/households/{id}/invitations'],
  'invitations.preview': ['POST', '/api/invitations/preview'],
  'invitations.revoke': ['DELETE', '/api/households/{id}/invitations/{invitationId}'],
  'me.beginSecondFactor': ['POST', '/api/me/second-factor'],
  'me.confirmSecondFactor': ['POST', '/api/me/second-factor/confirm'],
  'me.disableSecondFactor': ['POST', '/api/me/second-factor/disable'],
  'me.endOtherSessions': ['DELETE', '/api/me/sessions'],
  'me.endSession': ['DELETE', '/api/me/sessions/{id}'],
  'me.erase': ['DELETE', '/api/me'],
  'me.export': ['GET', '/api/me/export'],
  'me.features': ['GET', '/api/me/features'],
  'me.patch': ['PATCH', '/api/me'],
  'me.read': ['GET', '/api/me'],
  'me.renewRecoveryCodes': ['POST', '/api/me/second-factor/recovery-codes'],
  'me.secondFactor': ['GET', '/api/me/second-factor'],
  'me.sessions': ['GET', '/api/me/sessions'],
  'members.list': ['GET', '/api/households/{id}/members'],
  'members.patch': ['PATCH', '/api/households/{id}/members/{userId}'],
  'members.remove': ['DELETE', '/api/households/{id}/members/{userId}'],
  'notifications.list': ['GET', '/api/notifications'],
  'notifications.patch': ['PATCH', '/api/notifications/{id}'],
  'notifications.patchSettings': ['PATCH', '/api/notifications/settings'],
  'notifications.read': ['GET', '/api/notifications/{id}'],
  'notifications.readAll': ['POST', '/api/notifications/read'],
  'notifications.settings': ['GET', '/api/notifications/settings'],
  'rates.list': ['GET', '/api/rates'],
  'reports.balance': ['GET', '/api/reports/balance'],
  'reports.cashFlow': ['GET', '/api/reports/cash-flow'],
  'reports.netWorth': ['GET', '/api/reports/net-worth'],
  'reports.spending': ['GET', '/api/reports/spending'],
  'rules.create': ['POST', '/api/rules'],
  'rules.delete': ['DELETE', '/api/rules/{id}'],
  'rules.list': ['GET', '/api/rules'],
  'rules.patch': ['PATCH', '/api/rules/{id}'],
  'rules.preview': ['POST', '/api/rules/preview'],
  'rules.read': ['GET', '/api/rules/{id}'],
  'rules.restore': ['POST', '/api/rules/{id}/restore'],
  'rules.run': ['POST', '/api/rules/run'],
  'rules.runs.list': ['GET', '/api/rules/runs'],
  'rules.runs.read': ['GET', '/api/rules/runs/{id}'],
  'rules.runs.undo': ['DELETE', '/api/rules/runs/{id}'],
  sync: ['GET', '/api/sync'],
  'system.categories': ['GET', '/api/system/categories'],
  'system.config': ['GET', '/api/system/config/mobile'],
  'system.countries': ['GET', '/api/system/countries'],
  'system.currencies': ['GET', '/api/system/currencies'],
  'system.institutions': ['GET', '/api/system/institutions'],
  'system.timezones': ['GET', '/api/system/timezones'],
  'transactions.create': ['POST', '/api/transactions'],
  'transactions.delete': ['DELETE', '/api/transactions/{id}'],
  'transactions.list': ['GET', '/api/transactions'],
  'transactions.patch': ['PATCH', '/api/transactions/{id}'],
  'transactions.read': ['GET', '/api/transactions/{id}'],
  'transactions.restore': ['POST', '/api/transactions/{id}/restore'],
  'transfers.create': ['POST', '/api/transfers'],
  'transfers.delete': ['DELETE', '/api/transfers/{id}'],
  'transfers.list': ['GET', '/api/transfers'],
  'transfers.patch': ['PATCH', '/api/transfers/{id}'],
  'transfers.read': ['GET', '/api/transfers/{id}'],
  'transfers.restore': ['POST', '/api/transfers/{id}/restore'],
} as const satisfies Record<keyof Operations, readonly [string, string]>
