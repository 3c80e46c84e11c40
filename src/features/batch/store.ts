// SQL of atomic batches.
import { statement } from '../../resources/statement.ts'

export const checkConstraintsNow = statement('batch.checkNow', {}, {}, 'set constraints all immediate')
export const deferConstraints = statement('batch.defer', {}, {}, 'set constraints all deferred')
