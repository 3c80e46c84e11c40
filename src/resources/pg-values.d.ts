// What pg makes of a JavaScript value before it goes to PostgreSQL; its types do not tell of it.
declare module 'pg/lib/utils.js' {
  const utils: { prepareValue: (value: unknown) => string | Buffer | null }
  export default utils
}
