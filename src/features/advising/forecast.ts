// When a value will pass its threshold, by a line through what it was day by day. Pure.

/** Days of the epoch, and the day's highest. */
export type Point = { day: number; value: number }

export const forecastRule = {
  /** Of fewer days no trend is told. */
  daysMin: 7,
  /** The slope must be so many times its standard error: chance alone gives that once in 20. */
  surenessMin: 2,
  /** What lies further ahead is no forecast. */
  daysAheadMax: 365,
} as const

export type Line = { slope: number; intercept: number; sureness: number }

/** Least squares, with how many standard errors the slope is; null for fewer points than make a line with an error. */
export function fit(points: readonly { x: number; y: number }[]): Line | null {
  const n = points.length
  if (n < 3) return null
  const meanX = points.reduce((sum, { x }) => sum + x, 0) / n
  const meanY = points.reduce((sum, { y }) => sum + y, 0) / n
  const sxx = points.reduce((sum, { x }) => sum + (x - meanX) ** 2, 0)
  if (sxx === 0) return null
  const slope = points.reduce((sum, { x, y }) => sum + (x - meanX) * (y - meanY), 0) / sxx
  const intercept = meanY - slope * meanX
  const squares = points.reduce((sum, { x, y }) => sum + (y - intercept - slope * x) ** 2, 0)
  const error = Math.sqrt(squares / (n - 2) / sxx)
  // What rounding leaves of points on a line is no error.
  const exact = error <= 1e-9 * Math.max(Math.abs(slope), 1e-12)
  return { slope, intercept, sureness: exact ? (slope === 0 ? 0 : Infinity) : Math.abs(slope) / error }
}

/** The first day after today on which the line is above the threshold, or null when nothing leads there. */
export function forecastDay(points: readonly Point[], threshold: number, today: number): number | null {
  if (points.length < forecastRule.daysMin) return null
  const line = fit(points.map(({ day, value }) => ({ x: day - today, y: value })))
  if (!line || line.slope <= 0 || line.sureness < forecastRule.surenessMin) return null
  const ahead = Math.max(1, Math.ceil((threshold - line.intercept) / line.slope))
  return ahead > forecastRule.daysAheadMax ? null : today + ahead
}

export const dateOf = (day: number) => new Date(day * 86_400_000).toISOString().slice(0, 10)
