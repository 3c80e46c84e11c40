// The executable: one verb a file in commands/.
import { run } from './commands/run.ts'

await run(process.argv.slice(2))
