// IANA time zones, as far as this process knows their rules.

const listed: readonly string[] = [...new Set([...Intl.supportedValuesOf('timeZone'), 'UTC'])].toSorted()
const known = new Set(listed)

/** The names to choose from, one for each zone, in alphabetical order. */
export function timeZones(): readonly string[] {
  return listed
}

/** Whether the text names a zone, also by an older or newer name of it (`Europe/Kiev`, `Europe/Kyiv`). */
export function isTimeZone(id: string): boolean {
  if (known.has(id)) return true
  // A fixed offset such as `+01:00` is no zone: it would be wrong for half of the year. `Intl` takes it all the same.
  if (!/^[A-Za-z][A-Za-z0-9_+/-]{0,63}$/.test(id)) return false
  try {
    new Intl.DateTimeFormat('en', { timeZone: id })
    return true
  } catch {
    return false
  }
}
