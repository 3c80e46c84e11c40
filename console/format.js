// Figures as people read them.
const plain = new Intl.NumberFormat('en-GB', { maximumFractionDigits: 0 })
const units = ['B', 'KB', 'MB', 'GB', 'TB']

/** What is not known is a dash, and never a zero. */
const known = (value, format) => (value === null || value === undefined || Number.isNaN(value) ? '–' : format(value))

export const count = (value) => known(value, (number) => plain.format(number))
export const perSecond = (value) => known(value, (number) => (number < 10 ? trimmed(number, 1) : plain.format(number)))
export const milliseconds = (value) =>
  known(value, (number) => (number >= 1_000 ? `${trimmed(number / 1_000, 1)} s` : `${trimmed(number, number < 10 ? 1 : 0)} ms`))
export const percent = (value, places = 0) => known(value, (number) => `${trimmed(number * 100, places)} %`)
export const bytes = (value) =>
  known(value, (number) => {
    let size = number
    let unit = 0
    while (size >= 1_000 && unit < units.length - 1) {
      size /= 1_000
      unit++
    }
    return `${trimmed(size, size < 10 && unit > 0 ? 1 : 0)} ${units[unit]}`
  })
export const duration = (seconds) =>
  known(seconds, (number) => {
    if (number < 90) return `${Math.round(number)} s`
    if (number < 5_400) return `${Math.round(number / 60)} min`
    if (number < 172_800) return `${trimmed(number / 3_600, 1)} h`
    return `${trimmed(number / 86_400, 1)} days`
  })
export const clock = (atMs) => known(atMs, (moment) => new Date(moment).toLocaleTimeString('en-GB'))
export const moment = (text) => known(text, (value) => new Date(value).toLocaleString('en-GB', { dateStyle: 'medium', timeStyle: 'short' }))

function trimmed(number, places) {
  const fixed = number.toFixed(places)
  return Number(fixed) >= 1_000 ? plain.format(number) : fixed
}
