// What reads are asked for and answered with, whichever server answers.
import type { Scope } from './scope.ts'
import type { Statement } from './statement.ts'

export type Read = { statement: Statement<never, never> | Statement; parameters: object }

export type ReadTogether = {
  /** The household's revision, null without a household. */
  revision: number | null
  /** When it was raised, in seconds of the epoch. */
  raisedS: number
  /** The rows of each read. */
  results: object[][]
}

export type ReadOptions = {
  snapshot?: boolean
  apart?: boolean
  /** The household's revision that the rows must be of, or of a later one, where the caller knows it. */
  atLeast?: number
}

/** Where reads of a household are answered: by the primary, or by whoever is as far. */
export type Reads = { readTogether: (scope: Scope, reads: Read[], options?: ReadOptions) => Promise<ReadTogether> }
