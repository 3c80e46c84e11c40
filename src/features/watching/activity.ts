// How many users were active in the last hour, over all processes: sketches (HyperLogLog) that can be united, of nobody in particular.

export const registers = 4_096
export const slotMinutes = 5
const slotsOfHour = 60 / slotMinutes
const hashBits = 20
/** Of m = 4,096: the estimate is within 1.6 % two times of three. */
const alpha = 0.7213 / (1 + 1.079 / registers)

export type Sketch = Uint8Array

export class Activity {
  readonly #slots = new Map<number, Sketch>()

  /** Notes a user. Of a UUIDv7 the last 32 bits are random. */
  seen(userId: string, nowMs: number) {
    const hash = mix(Number.parseInt(userId.slice(-8), 16) >>> 0)
    const sketch = this.#slot(slotOf(nowMs))
    const register = hash >>> hashBits
    const rank = Math.min(hashBits, Math.clz32((hash << (32 - hashBits)) >>> 0)) + 1
    if (sketch[register]! < rank) sketch[register] = rank
  }

  /** Takes over what other processes saw. */
  unite(slot: number, other: Sketch) {
    const sketch = this.#slot(slot)
    for (let register = 0; register < registers; register++) {
      if (sketch[register]! < other[register]!) sketch[register] = other[register]!
    }
  }

  /** The slots of the last hour, oldest first; older ones are forgotten. */
  recent(nowMs: number): { slot: number; sketch: Sketch }[] {
    const from = firstSlot(nowMs)
    for (const slot of this.#slots.keys()) if (slot < from) this.#slots.delete(slot)
    return [...this.#slots].map(([slot, sketch]) => ({ slot, sketch })).toSorted((one, other) => one.slot - other.slot)
  }

  users(nowMs: number): number {
    const all = new Uint8Array(registers)
    for (const { sketch } of this.recent(nowMs)) {
      for (let register = 0; register < registers; register++) if (all[register]! < sketch[register]!) all[register] = sketch[register]!
    }
    return estimate(all)
  }

  #slot(slot: number): Sketch {
    let sketch = this.#slots.get(slot)
    if (sketch === undefined) this.#slots.set(slot, (sketch = new Uint8Array(registers)))
    return sketch
  }
}

export function slotOf(nowMs: number): number {
  return Math.floor(nowMs / (slotMinutes * 60_000))
}

/** The hour back from now begins within this slot. */
export function firstSlot(nowMs: number): number {
  return slotOf(nowMs) - slotsOfHour
}

/** Flajolet et al. 2007; few users are counted by the registers that are still empty, which is nearly exact. */
function estimate(sketch: Sketch): number {
  let sum = 0
  let empty = 0
  for (const rank of sketch) {
    sum += 2 ** -rank
    if (rank === 0) empty++
  }
  const raw = (alpha * registers * registers) / sum
  return Math.round(raw <= 2.5 * registers && empty > 0 ? registers * Math.log(registers / empty) : raw)
}

/** The finaliser of MurmurHash3: every bit of the input moves every bit of the result. */
function mix(value: number): number {
  let hash = value
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}
