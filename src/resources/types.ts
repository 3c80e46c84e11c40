// How values of PostgreSQL arrive in JavaScript.
import pg from 'pg'

export const types = new pg.TypeOverrides()
// Amounts, revisions and counts all stay within 2^53-1 (checked by the schema), so a number holds them exactly.
types.setTypeParser(20, Number)
types.setTypeParser(1016, (text) => (text === '{}' ? [] : text.slice(1, -1).split(',').map(Number)))
types.setTypeParser(1082, (text) => text)
types.setTypeParser(1184, instant)

/** RFC 3339 in UTC from PostgreSQL's text, which is UTC too: every session sets its zone. */
function instant(text: string): string {
  return text.endsWith('+00') ? `${text.slice(0, 10)}T${text.slice(11, -3)}Z` : new Date(text).toISOString()
}
