// The one place where whatever was thrown becomes an RFC 9457 problem document.
import { Failure, type FailurePoint } from '../values/failure.ts'
import { refusalCodes, type RefusalCode } from '../values/refusal-codes.ts'
import { isConnectionError } from '../resources/connection-error.ts'

export type Problem = {
  type: string
  title: string
  status: number
  detail: string
  instance: string
  code: RefusalCode
  requestId: string
  errors: FailurePoint[]
  [extra: string]: unknown
}

/** Constraints of the schema, what breaking them means to the caller, and where it points. */
const constraints: Record<string, [RefusalCode, string, string]> = {
  account_open: ['account-closed', 'The account is closed; open it again first.', '/accountId'],
  feed_account: ['account-not-found', 'There is no such account in this household.', '/accountId'],
  transaction_account: ['account-not-found', 'There is no such account in this household.', '/accountId'],
  transaction_category: ['category-not-found', 'There is no such category in this household.', '/categoryId'],
  split_category: ['category-not-found', 'A split names a category that is not in this household.', '/splits'],
  category_parent: ['category-not-found', 'There is no such parent category in this household.', '/parentId'],
  category_not_below_itself: ['category-cycle', 'A category cannot stand under itself.', '/parentId'],
  category_depth: ['category-cycle', 'Categories nest at most 8 deep.', '/parentId'],
  category_of_parents_kind: ['category-kind-mismatch', 'A category and the one above it are of one kind.', '/kind'],
  category_unused: ['in-use', 'Transactions, budgets or categories below still use it; archive it instead.', ''],
  category_budgeted: ['category-kind-mismatch', 'A category with a budget stays one of expenses.', '/kind'],
  budget_category: ['category-not-found', 'There is no such category in this household.', '/categoryId'],
  budget_of_expenses: ['category-kind-mismatch', 'A budget is of an expense category.', '/categoryId'],
  budgets_one_a_period: ['already-exists', 'The category has a budget of this period and currency.', '/categoryId'],
  budgets_limit: ['limit-reached', 'A household has at most 200 budgets.', ''],
  accounts_limit: ['limit-reached', 'A household has at most 500 accounts.', ''],
  categories_limit: ['limit-reached', 'A household has at most 1,000 categories.', ''],
  bills_limit: ['limit-reached', 'A household has at most 200 bills.', ''],
  bill_account: ['account-not-found', 'There is no such account in this household.', '/accountId'],
  bill_category: ['category-not-found', 'There is no such category in this household.', '/categoryId'],
  bill_range: ['invalid-request', 'The lower end of the range is at most the upper one.', '/amountMax'],
  bill_auto_post: [
    'invalid-request',
    'A bill that makes its transactions has an account and one amount: amountMin and amountMax are equal.',
    '/autoPost',
  ],
  bill_amount_in_range: ['amount-out-of-range', 'Amounts stay within +-(2^53-1) minor units.', '/amountMin'],
  bill_paid_in_range: ['amount-out-of-range', 'What pays the bill would leave +-(2^53-1) minor units.', '/transactionId'],
  bill_payments_limit: ['limit-reached', 'An occurrence is paid by at most 100 transactions.', '/transactionId'],
  account_without_bills: ['in-use', 'A bill names the account; change the bill first.', ''],
  category_without_bills: ['in-use', 'A bill names the category; change the bill first.', ''],
  feeds_limit: ['limit-reached', 'A household has at most 100 feeds.', ''],
  memberships_limit: ['limit-reached', 'A user belongs to at most 50 households.', ''],
  caller_is_member: ['not-found', 'There is no such household.', 'Djinn-Household:'],
  caller_has_role: ['forbidden', 'Your role in the household was lowered a moment ago.', ''],
  members_limit: ['limit-reached', 'A household has at most 50 members.', ''],
  household_has_owner: ['last-owner', 'A household needs an owner: make somebody else one first.', ''],
  invitations_limit: ['limit-reached', 'A household has at most 20 open invitations; revoke one first.', ''],
  invitation_mails_limit: ['limit-reached', 'A user has at most 50 invitations a day mailed.', '/email'],
  category_unruled: ['in-use', 'A rule sets it; change the rule, or archive the category instead.', ''],
  rule_category: ['category-not-found', 'There is no such category in this household.', '/actions/categoryId'],
  rule_account: ['account-not-found', 'A condition names an account that is not in this household.', '/conditions'],
  rules_limit: ['limit-reached', 'A household has at most 500 rules.', ''],
  account_unruled: ['in-use', 'A rule looks for it; change the rule, or close the account instead.', ''],
  account_unused: ['in-use', 'The account has transactions; close it instead.', ''],
  splits_sum_to_amount: ['split-sum-mismatch', 'The splits must sum to the amount.', '/splits'],
  reconciled_stays: [
    'transaction-reconciled',
    'Its amount, date and account stay while it is reconciled; set its status to posted first.',
    '/status',
  ],
  transfer_between_two_accounts: ['transfer-to-itself', 'A transfer needs two different accounts.', '/toAccountId'],
  transfer_balances: ['currency-mismatch', 'The legs of a transfer in one currency are equal and opposite.', '/toAmount'],
  amount_in_range: ['amount-out-of-range', 'Amounts stay within +-(2^53-1) minor units.', '/amount'],
  balance_in_range: ['amount-out-of-range', 'The balance of the account would leave +-(2^53-1) minor units.', '/amount'],
  total_in_range: ['amount-out-of-range', 'What flows through a month of the account would leave +-(2^53-1) minor units.', '/amount'],
  pending_balance_in_range: ['amount-out-of-range', 'The pending balance of the account would leave +-(2^53-1) minor units.', '/amount'],
  transactions_external_id: ['already-exists', 'The account has a transaction with this externalId.', '/externalId'],
  quiet_hours_have_two_ends: [
    'invalid-request',
    'Quiet hours have a beginning and an end, which differ; null for both ends them.',
    '/quietTo',
  ],
  // A new leg of a transfer, whose id follows from the transfer's.
  transactions_pkey: ['already-exists', 'A transaction has the id of one of its legs.', '/id'],
  households_pkey: ['already-exists', 'The id is taken.', '/id'],
  // The user was erased a moment ago, and this process has not heard of it yet.
  idempotency_keys_user_id_fkey: ['unauthenticated', 'The session has ended.', 'Authorization:'],
  users_email_key_key: ['email-taken', 'An account with this e-mail address exists.', '/email'],
}

/** What a thrown value means to the caller. Anything unknown is a bug: `internal`, to be logged by the caller. */
export function toFailure(error: unknown): Failure {
  if (error instanceof Failure) return error
  const { code = '', constraint, message = '' } = error as { code?: string; constraint?: string; message?: string }
  if (code.startsWith('23') && constraint !== undefined && constraints[constraint]) {
    const [refusal, detail, at] = constraints[constraint]
    return new Failure(refusal, detail, { at, cause: error })
  }
  if (code === '57014') return new Failure('timeout', 'A statement took longer than the database may.', { retryAfterS: 1, cause: error })
  if (code === '55P03') return new Failure('unavailable', 'Another write to this household takes long.', { retryAfterS: 1, cause: error })
  if (code === '40001' || code === '40P01')
    return new Failure('unavailable', 'Writes collided; send it again.', { retryAfterS: 1, cause: error })
  if (isConnectionError(error)) return new Failure('unavailable', 'The database cannot be reached.', { retryAfterS: 1, cause: error })
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE' || code === 'FST_REQ_FILE_TOO_LARGE')
    return new Failure('too-large', 'The body is larger than this path takes.')
  if (code === 'FST_ERR_CTP_INVALID_CONTENT_LENGTH')
    return new Failure('invalid-request', 'The body is not as long as Content-Length says.', { at: 'Content-Length:' })
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE')
    return new Failure('unsupported-media-type', 'Content-Type is not a media type.', { at: 'Content-Type:' })
  if (code === 'FST_ERR_BAD_URL' || code === 'FST_ERR_MAX_PARAM_LENGTH') return new Failure('not-found', 'There is no such path.')
  if (/^FST_(ERR_)?(REQ|INVALID|PARTS|FILES|FIELDS|PROTO|MULTIPART)/.test(code)) return new Failure('invalid-request', message)
  return new Failure('internal', 'The request failed for a reason that we have to look into.', { cause: error })
}

/** The document of a failure (RFC 9457). No stack and no SQL ever gets into it. */
export function toProblem(failure: Failure, instance: string, requestId: string): Problem {
  const [status, title] = refusalCodes[failure.code]
  return {
    type: `/docs#${failure.code}`,
    title,
    status,
    detail: failure.message,
    instance,
    code: failure.code,
    requestId,
    errors: failure.errors,
    ...failure.extra,
  }
}
