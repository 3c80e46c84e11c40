// What is known of runs between two calls: schema `seed`, made by the first run and of no use to the service.
import type pg from 'pg'
import type { Facts } from './tables.ts'

export type Wanted = { seed: number; users: number; transactions: number }
export type Run = Facts & { done: Set<number>; takenUp: boolean }

/** Raised when the same numbers would make other rows: a run that began before is not gone on with then. */
const form = 2

export async function openProgress(client: pg.Client) {
  await client.query(`
    create schema if not exists seed;
    create table if not exists seed.runs (
      seed integer primary key, form integer not null, users integer not null, transactions integer not null,
      began_at timestamptz not null, password_hash text not null);
    create table if not exists seed.batches (
      seed integer not null references seed.runs, number integer not null, transactions integer not null, primary key (seed, number));
    create table if not exists seed.indexes (name text primary key, definition text not null);
    grant usage on schema seed to public;
    grant select on seed.indexes to public`)
}

/** Finds the run of the seed or begins it; refuses one that was begun with other numbers. */
export async function beginRun(client: pg.Client, wanted: Wanted, hashPassword: () => Promise<string>): Promise<Run> {
  const find = async () =>
    (
      await client.query<{ form: number; users: number; transactions: number; atMs: number; hash: string }>(
        `select form, users, transactions, (extract(epoch from began_at) * 1000)::float8 as "atMs", password_hash as hash
        from seed.runs where seed = $1`,
        [wanted.seed],
      )
    ).rows[0]
  let run = await find()
  const takenUp = run !== undefined
  if (!run) {
    await client.query(
      `insert into seed.runs (seed, form, users, transactions, began_at, password_hash) values ($1, $2, $3, $4, date_trunc('second', now()), $5)`,
      [wanted.seed, form, wanted.users, wanted.transactions, await hashPassword()],
    )
    run = (await find())!
  }
  if (run.form !== form) throw new Error(`seed ${wanted.seed} was begun by another version, which makes other rows; take another --seed`)
  if (run.users !== wanted.users || run.transactions !== wanted.transactions) {
    throw new Error(
      `seed ${wanted.seed} was begun with --users ${run.users} --transactions ${run.transactions}; go on with these, or take another --seed`,
    )
  }
  const { rows } = await client.query<{ number: number }>('select number from seed.batches where seed = $1', [wanted.seed])
  return { seed: wanted.seed, atMs: run.atMs, passwordHash: run.hash, done: new Set(rows.map(({ number }) => number)), takenUp }
}
