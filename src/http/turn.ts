// Turns of the event loop: answers that wait for nothing leave together when theirs ends, which wakes who reads them once and not for each.

let turn = 0
let ending: Promise<void> | undefined

function begin(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(() => {
      turn++
      ending = undefined
      resolve()
    })
  })
}

/** A number for as long as this turn lasts. */
export function currentTurn(): number {
  ending ??= begin()
  return turn
}

/** When all that was ready to run in this turn has run. */
export function turnEnd(): Promise<void> {
  return (ending ??= begin())
}
