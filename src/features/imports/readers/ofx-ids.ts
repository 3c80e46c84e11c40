// Makes the FITIDs of one account's rows fit to tell its entries apart, for not every bank keeps them unique.
import type { StatementRow } from '../statement.ts'

/**
 * An id of zeroes is none. Rows that are alike in all else keep the id they share; a different row that repeats an id
 * gets `~2`, `~3` behind it in order of appearance, so that the same file answers the same ids and no row is lost.
 */
export function settleIds(rows: readonly StatementRow[]): void {
  const byId = new Map<string, StatementRow[]>()
  for (const row of rows) {
    if (row.externalId !== null && /^0+$/.test(row.externalId)) row.externalId = null
    if (row.externalId === null) continue
    const sharing = byId.get(row.externalId)
    if (sharing) sharing.push(row)
    else byId.set(row.externalId, [row])
  }
  for (const [id, sharing] of byId) {
    if (sharing.length > 1) tellApart(id, sharing, byId)
  }
}

function tellApart(id: string, sharing: readonly StatementRow[], sent: ReadonlyMap<string, unknown>): void {
  const ids = new Map<string, string>()
  let number = 1
  for (const row of sharing) {
    const likeness = JSON.stringify([row.date, row.amountMinor, row.rawPayee, row.note])
    let settled = ids.get(likeness)
    if (settled === undefined) {
      settled = number === 1 ? id : `${id}~${number}`
      // A bank may use such an id itself.
      while (number > 1 && sent.has(settled)) settled = `${id}~${++number}`
      number++
      ids.set(likeness, settled)
    }
    row.externalId = settled
  }
}
