// djinn replica: makes a streaming replica of the database, and runs one with the embedded PostgreSQL.
import { resolve } from 'node:path'
import { Command } from 'commander'
import { withOwnerUrl } from '../app/resources.ts'
import { readConfig } from '../resources/config.ts'
import { runReplica, serverOwner } from '../resources/embedded-replica.ts'
import { makeReplicaFolder } from '../resources/replica-folder.ts'

type CreateOptions = { from?: string; dir: string; slot: string; json?: boolean }
type RunOptions = { dir: string; listen: string; port: string }

export function replicaCommand(): Command {
  const command = new Command('replica').description('Make a read replica of the database by streaming replication, or run one')
  command
    .command('create')
    .description('Copy the database into a new data directory that follows the primary from then on; the primary goes on meanwhile')
    .option('--from <url>', 'the primary, by a login that may replicate; DATABASE_DIRECT_URL, or the embedded one, unless given')
    .requiredOption('--dir <folder>', 'the data directory to make: empty, or not there')
    .option('--slot <name>', "what keeps the primary's log for this replica; each has its own", 'djinn_replica')
    .option('--json', 'report as JSON')
    .addHelpText(
      'after',
      '\nExample, on the server of the replica:\n' +
        '  PGPASSWORD=... djinn replica create --from postgres://djinn_replica@10.0.0.2/djinn --dir /var/lib/djinn/replica\n' +
        '  djinn replica run --dir /var/lib/djinn/replica --listen 10.0.0.3 --port 5432\n' +
        'and on those of the API: DATABASE_REPLICA_URLS=postgres://djinn_api:...@10.0.0.3/djinn',
    )
    .action(create)
  command
    .command('run')
    .description('Run the data directory of a replica with the embedded PostgreSQL, until SIGINT or SIGTERM')
    .requiredOption('--dir <folder>', 'the data directory that djinn replica create made')
    .option('--listen <address>', 'where it listens', '127.0.0.1')
    .option('--port <port>', 'on which port', '5433')
    .addHelpText('after', '\nExample:\n  djinn replica run --dir /var/lib/djinn/replica --listen 10.0.0.3 --port 5432')
    .action(run)
  return command
}

async function create(options: CreateOptions) {
  if (!/^[a-z0-9_]{1,63}$/.test(options.slot)) {
    throw new Error(`--slot must be 1 to 63 of a to z, 0 to 9 and _, not ${JSON.stringify(options.slot)}`)
  }
  if (options.from !== undefined && !/^postgres(ql)?:\/\/./.test(options.from)) {
    throw new Error('--from must be a URL such as postgres://djinn_replica@10.0.0.2/djinn')
  }
  const folder = resolve(options.dir)
  let toldMs = performance.now()
  const onProgress = (bytes: number, ofBytes: number) => {
    if (performance.now() - toldMs < 1_000) return
    toldMs = performance.now()
    console.error(`${megabytes(bytes)} of about ${megabytes(ofBytes)} copied`)
  }
  const make = (from: string) => makeReplicaFolder({ from, folder, slot: options.slot, owner: serverOwner(), onProgress })
  const made = options.from === undefined ? await withOwnerUrl(readConfig(), make) : await make(options.from)
  if (options.json) {
    console.log(JSON.stringify({ folder, ...made }))
    return
  }
  for (const warning of made.warnings) console.error(`Attention: ${warning}.`)
  console.log(
    [
      `${folder} is a replica of PostgreSQL ${made.major}: ${made.files} files, ${megabytes(made.bytes)}. The primary keeps its log for it in the slot ${made.slot}.`,
      `Start it: djinn replica run --dir ${folder}, or a PostgreSQL ${made.major} of your own on this data directory (docs/replicas.md).`,
      'Then name it to the API: DATABASE_REPLICA_URLS=postgres://djinn_api:...@HOST:PORT/djinn',
      `To give it up: stop it, unset the variable, and on the primary: select pg_drop_replication_slot('${made.slot}')`,
    ].join('\n'),
  )
}

async function run(options: RunOptions) {
  const port = Number(options.port)
  if (!/^\d{1,5}$/.test(options.port) || port < 1 || port > 65_535) {
    throw new Error(`--port must be a port from 1 to 65535, not ${JSON.stringify(options.port)}`)
  }
  const replica = await runReplica({ folder: resolve(options.dir), listen: options.listen, port })
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void replica.stop())
  console.log(`The replica takes reads on ${options.listen}:${port}.`)
  await new Promise<void>((resolveEnded, reject) => {
    replica.child.once('exit', (code) => (code === 0 ? resolveEnded() : reject(new Error(`PostgreSQL ended with ${String(code)}`))))
  })
}

const megabytes = (bytes: number) => `${(bytes / 1_048_576).toFixed(0)} MB`
