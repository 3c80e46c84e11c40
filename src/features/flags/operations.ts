// What an app asks before it shows something: which features are on for its user.
import { z } from 'zod'
import { operation, type Operation } from '../../http/operation.ts'
import { featureNames, type FeatureName } from '../../values/flags.ts'
import type { Flags } from './flags.ts'

const shape = z.strictObject({
  readOnly: z.boolean().meta({ description: 'Nothing can be written at the moment: what the user does waits on the device.' }),
  features: z.strictObject(
    Object.fromEntries(featureNames.map((name): [string, z.ZodBoolean] => [name, z.boolean()])) as Record<FeatureName, z.ZodBoolean>,
  ),
})

export function flagOperations(flags: Flags): Operation[] {
  return [
    operation({
      name: 'me.features',
      summary: 'Which features are on for you',
      description:
        'Features that are off refuse with `feature-off`. They may change at any time: ask at the start and after such a refusal.',
      tag: 'Me',
      method: 'GET',
      path: '/api/me/features',
      access: 'user',
      criticality: 'list',
      effect: 'read',
      answer: shape,
      run: (context) => {
        const user = context.principal!.userId
        const features = Object.fromEntries(featureNames.map((name) => [name, flags.isOn(name, user)]))
        return Promise.resolve({ body: { readOnly: flags.readOnly, features } })
      },
    }),
  ]
}
