// One line of a terminal that says how far a run is: redrawn in place, silent where nobody looks.

const widthCells = 24
const redrawMs = 200

export type ProgressLine = {
  show: (done: number, total: number) => void
  /** What follows, in steps of unlike length. */
  step: (what: string, done: number, total: number) => void
  end: () => void
}

export function progressLine(stream: NodeJS.WriteStream, unit: string): ProgressLine {
  if (!stream.isTTY) return { show: () => {}, step: () => {}, end: () => {} }
  let first: { done: number; atMs: number } | undefined
  let shownMs = -Infinity
  return {
    show: (done, total) => {
      const nowMs = performance.now()
      first ??= { done, atMs: nowMs }
      if (nowMs - shownMs < redrawMs && done < total) return
      shownMs = nowMs
      const share = total === 0 ? 1 : done / total
      const perSecond = ((done - first.done) / Math.max(1, nowMs - first.atMs)) * 1_000
      const left = perSecond > 0 ? `, ${duration((total - done) / perSecond)} left` : ''
      stream.write(
        `\r[${bar(share)}] ${Math.floor(share * 100)} %  ${done.toLocaleString('en')} of ${total.toLocaleString('en')} ${unit}, ` +
          `${Math.round(perSecond).toLocaleString('en')}/s${left}\u001b[K`,
      )
    },
    step: (what, done, total) => {
      first ??= { done: 0, atMs: performance.now() }
      stream.write(`\r[${bar(done / total)}] ${done} of ${total} ${what}\u001b[K`)
    },
    end: () => void (first && stream.write('\n')),
  }
}

function bar(share: number): string {
  return '#'.repeat(Math.round(share * widthCells)).padEnd(widthCells, '.')
}

function duration(seconds: number): string {
  const whole = Math.round(seconds)
  return whole < 3_600
    ? `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`
    : `${Math.floor(whole / 3_600)} h ${Math.floor((whole % 3_600) / 60)} min`
}
