// IANA time zones, as far as this process knows their rules.

/** The present names of zones that ICU still lists by former ones; phones report either. */
const renamed = [
  'Africa/Asmara',
  'America/Argentina/Buenos_Aires',
  'America/Argentina/Catamarca',
  'America/Argentina/Cordoba',
  'America/Argentina/Jujuy',
  'America/Argentina/Mendoza',
  'America/Atikokan',
  'America/Indiana/Indianapolis',
  'America/Kentucky/Louisville',
  'America/Nuuk',
  'Asia/Ho_Chi_Minh',
  'Asia/Kathmandu',
  'Asia/Kolkata',
  'Asia/Yangon',
  'Atlantic/Faroe',
  'Europe/Kyiv',
  'Pacific/Chuuk',
  'Pacific/Kanton',
  'Pacific/Pohnpei',
]

const listed: readonly string[] = [...new Set([...Intl.supportedValuesOf('timeZone'), ...renamed, 'UTC'])].toSorted()
const known = new Set(listed)

/** The names to choose from, former ones among them, in alphabetical order. */
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
