// A statement: its name, its SQL, and the types of what goes in and comes out, which CI proves against the schema.
import { createHash } from 'node:crypto'

/** PostgreSQL types as they arrive in JavaScript (see the parsers in types.ts). */
type Values = {
  uuid: string
  text: string
  int4: number
  int8: number
  numeric: string
  bool: boolean
  date: string
  timestamptz: string
  jsonb: unknown
  bytea: Buffer
  'text[]': string[]
  'uuid[]': string[]
  'int4[]': number[]
  'int8[]': (number | null)[]
  'date[]': (string | null)[]
  'bool[]': (boolean | null)[]
}
export type PostgresType = keyof Values
/** A type, or with `?` one that may be null. */
export type ColumnType = PostgresType | `${PostgresType}?`
export type Shape = Record<string, ColumnType>

type Value<T extends ColumnType> = T extends `${infer U extends PostgresType}?`
  ? Values[U] | null
  : T extends PostgresType
    ? Values[T]
    : never
export type Row<S extends Shape> = { [K in keyof S]: Value<S[K]> }

export type Statement<P extends Shape = Shape, C extends Shape = Shape> = {
  readonly name: string
  /** What PostgreSQL knows it by once it is prepared. */
  readonly preparedName: string
  readonly text: string
  readonly parameters: P
  readonly columns: C
  /** Names in the order of $1, $2, ... */
  readonly order: readonly string[]
}

const statements = new Map<string, Statement>()

/** Every statement declared so far, by name. */
export function declaredStatements(): ReadonlyMap<string, Statement> {
  return statements
}

/**
 * Declares a statement. `:name` in the text is a parameter; every parameter must be used. Names are unique: they name the
 * prepared statement on the connection and label its time in the metrics.
 */
export function statement<const P extends Shape, const C extends Shape>(
  name: string,
  parameters: P,
  columns: C,
  text: string,
): Statement<P, C> {
  const known = statements.get(name)
  if (known) throw new Error(`The statement ${name} is declared twice.`)
  const made = compile(name, parameters, columns, text)
  statements.set(name, made)
  return made
}

/** The same for a text that is put together at run time from a bounded set of parts: declared once for each name. */
export function composedStatement<const P extends Shape, const C extends Shape>(
  name: string,
  parameters: P,
  columns: C,
  text: () => string,
): Statement<P, C> {
  const known = statements.get(name)
  if (known) return known as unknown as Statement<P, C>
  const made = compile(name, parameters, columns, text())
  statements.set(name, made)
  return made
}

/** PostgreSQL cuts a name after 63 bytes, and two that are alike up to there would be one: a long one ends in a digest. */
function preparedNameOf(name: string): string {
  return name.length <= 63 ? name : `${name.slice(0, 46)} ${createHash('sha256').update(name).digest('hex').slice(0, 16)}`
}

function compile<P extends Shape, C extends Shape>(name: string, parameters: P, columns: C, text: string): Statement<P, C> {
  const order: string[] = []
  const compiled = text.replace(/(?<![:\w]):([a-zA-Z]\w*)/g, (_, parameter: string) => {
    const type = parameters[parameter]
    if (type === undefined) throw new Error(`The statement ${name} has no parameter ${parameter}.`)
    if (!order.includes(parameter)) order.push(parameter)
    return `$${order.indexOf(parameter) + 1}::${type.replace('?', '')}`
  })
  for (const parameter of Object.keys(parameters)) {
    if (!order.includes(parameter)) throw new Error(`The statement ${name} does not use its parameter ${parameter}.`)
  }
  return { name, preparedName: preparedNameOf(name), text: compiled.trim(), parameters, columns, order }
}
