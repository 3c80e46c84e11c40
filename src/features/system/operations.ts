// System data: what every app needs before anyone has signed in. The same for all, so it is public and cached.
import { z } from 'zod'
import { namesTag } from '../../http/conditional.ts'
import { operation, type Operation } from '../../http/operation.ts'
import type { Catalog, SystemName } from './catalog.ts'

const list = (row: z.ZodType) => z.strictObject({ data: z.array(row), nextCursor: z.null() })

const shapes: Record<SystemName, [string, z.ZodType]> = {
  institutions: [
    'Banks and other institutions, with the file formats their customers can download',
    list(z.looseObject({ id: z.string(), name: z.string(), country: z.string() })),
  ],
  categories: [
    'The categories that a household starts with',
    list(z.looseObject({ key: z.string(), name: z.string(), kind: z.enum(['income', 'expense']) })),
  ],
  currencies: [
    'ISO 4217: the currencies in force with their minor digits',
    list(z.strictObject({ code: z.string(), numeric: z.string(), exponent: z.int(), name: z.string() })),
  ],
  countries: ['ISO 3166-1: countries', list(z.looseObject({ alpha2: z.string(), alpha3: z.string(), name: z.string() }))],
  timezones: ['IANA time zones', list(z.strictObject({ id: z.string() }))],
  'config/mobile': ["The mobile app's configuration", z.looseObject({})],
}

export function systemOperations(catalog: Catalog): Operation[] {
  return Object.entries(shapes).map(([name, [summary, answer]]) =>
    operation({
      name: `system.${name.replace('/mobile', '')}`,
      summary,
      tag: 'System data',
      method: 'GET',
      path: `/api/system/${name}`,
      access: 'anonymous',
      criticality: 'list',
      effect: 'read',
      answer,
      alsoStatuses: { 304: 'Nothing changed since If-None-Match' },
      run: async (context) => {
        const { entry, hit } = await catalog.read(name as SystemName)
        const headers = {
          'cache-control': 'public, max-age=300',
          'x-cache': hit ? 'HIT' : 'MISS',
          etag: entry.etag,
          vary: 'Accept-Encoding',
        }
        if (namesTag(context.ifNoneMatch, entry.etag)) return { status: 304, headers }
        return { headers, bytes: { content: entry.bytes, mediaType: 'application/json; charset=utf-8', encoded: entry.encoded } }
      },
    }),
  )
}
