// Flags set as an operator does, for tests that wait until the service knows.
import { setFlag, type Wanted } from '../../src/features/flags/administration.ts'
import type { Flags } from '../../src/features/flags/flags.ts'
import type { Djinn } from '../harness.ts'

/** Comes back when the process has taken notice of the next change. */
export function noticed(by: Flags): Promise<void> {
  return new Promise((resolve) => by.onChange(resolve))
}

/** Sets a flag and waits until this process knows it. */
export async function setOn(djinn: Djinn, name: string, value: string, more: Partial<Wanted> = {}) {
  const heard = noticed(djinn.resources.flags)
  const done = await setFlag(djinn.resources.directDatabase, { name, value, by: 'test', ...more })
  if (done.changed) await heard
  return done
}
