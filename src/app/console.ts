// The console's parts, put together for its first visitor.
import type { ConsoleParts } from '../features/console/calls.ts'
import { Console } from '../features/console/console.ts'
import type { Resources } from './resources.ts'

export function openConsole(resources: Resources, here: Pick<ConsoleParts, 'version' | 'apiAddress' | 'history' | 'recent'>): Console {
  const { config, log, metrics, directDatabase, queue, watch, notifications } = resources
  return new Console(config.console, {
    ...here,
    ...{ log, metrics, queue, database: directDatabase },
    watch: {
      figures: () => watch.figures(),
      machine: () => ({ disks: watch.machine?.disks ?? {}, memory: watch.machine?.memory ?? null }),
      slowest: () => [...watch.slow.latest.values()],
    },
    listening: () => notifications.listening,
    flags: null,
    advise: null,
  })
}
