// The console's parts, put together for its first visitor.
import type { ConsoleParts } from '../features/console/calls.ts'
import { Console } from '../features/console/console.ts'
import { FlagRefused, listFlags, setFlag } from '../features/flags/administration.ts'
import { flags as declaredFlags, type FlagName } from '../values/flags.ts'
import { Failure } from '../values/failure.ts'
import { explainedAdviceOf } from './advice.ts'
import type { Resources } from './resources.ts'

export function openConsole(resources: Resources, here: Pick<ConsoleParts, 'version' | 'apiAddress' | 'history' | 'recent'>): Console {
  const { config, log, metrics, directDatabase, queue, watch, notifications, flags } = resources
  return new Console(config.console, {
    ...here,
    ...{ log, metrics, queue, database: directDatabase },
    watch: {
      figures: () => watch.figures(),
      machine: () => ({ disks: watch.machine?.disks ?? {}, memory: watch.machine?.memory ?? null }),
      slowest: () => [...watch.slow.latest.values()],
    },
    listening: () => notifications.listening,
    readOnly: () => flags.readOnly,
    flags: {
      list: async () => (await listFlags(directDatabase)).map((flag) => ({ ...flag, choices: choicesOf(flag.name) })),
      set: async (wanted) => {
        try {
          await setFlag(directDatabase, wanted)
        } catch (error) {
          if (error instanceof FlagRefused) throw new Failure('invalid-request', error.message, { at: `/${error.about}` })
          throw error
        }
      },
    },
    advise: () => explainedAdviceOf(directDatabase),
  })
}

function choicesOf(name: FlagName): readonly string[] {
  const declared = declaredFlags[name]
  return declared.kind === 'choice' ? declared.values : []
}
