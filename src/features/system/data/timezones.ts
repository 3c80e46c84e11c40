// stub
export function timeZones(): string[] { return [...Intl.supportedValuesOf('timeZone'), 'UTC'] }
export function isTimeZone(id: string): boolean { try { new Intl.DateTimeFormat('en', { timeZone: id }); return !/^[+-]/.test(id) } catch { return false } }
