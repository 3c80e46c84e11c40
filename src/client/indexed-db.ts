// A replica in the browser's IndexedDB.
import { emptyMeta, type Batch, type Kept, type Meta, type Storage } from './storage.ts'
import type { Kind, Row } from './rows.ts'

const version = 1

/** Opens the database of this name, one for each user who signs in on the device. */
export async function openIndexedDb(name: string): Promise<Storage & { close: () => void }> {
  const database = await new Promise<IDBDatabase>((resolve, reject) => {
    const opening = indexedDB.open(name, version)
    opening.onupgradeneeded = () => {
      opening.result.createObjectStore('rows')
      opening.result.createObjectStore('meta')
    }
    opening.onsuccess = () => resolve(opening.result)
    opening.onerror = () => reject(opening.error ?? new Error('IndexedDB cannot be opened'))
  })
  const transact = async (mode: IDBTransactionMode, work: (rows: IDBObjectStore, meta: IDBObjectStore) => void): Promise<void> => {
    await new Promise<void>((resolve, reject) => {
      const transaction = database.transaction(['rows', 'meta'], mode)
      transaction.oncomplete = () => resolve()
      transaction.onerror = () => reject(transaction.error ?? new Error('IndexedDB failed'))
      transaction.onabort = () => reject(transaction.error ?? new Error('IndexedDB gave up'))
      work(transaction.objectStore('rows'), transaction.objectStore('meta'))
    })
  }
  return {
    load: async (): Promise<Kept> => {
      let rows: [Kind, string, Row][] = []
      let meta: Partial<Meta> | undefined
      await transact('readonly', (rowStore, metaStore) => {
        const all = rowStore.getAll()
        all.onsuccess = () => (rows = all.result as typeof rows)
        const kept = metaStore.get('meta')
        kept.onsuccess = () => (meta = kept.result as typeof meta)
      })
      return { rows, meta: { ...emptyMeta, ...meta } }
    },
    commit: async (batch: Batch) => {
      await transact('readwrite', (rowStore, metaStore) => {
        for (const [kind, key, row] of batch.rows) {
          if (row) rowStore.put([kind, key, row], `${kind} ${key}`)
          else rowStore.delete(`${kind} ${key}`)
        }
        if (!batch.meta) return
        const kept = metaStore.get('meta')
        kept.onsuccess = () => metaStore.put({ ...emptyMeta, ...(kept.result as Partial<Meta> | undefined), ...batch.meta }, 'meta')
      })
    },
    close: () => database.close(),
  }
}
