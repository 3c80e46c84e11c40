// The flags of the service: what can be switched while it runs, which values each takes, and on which side of a share a user is.

/** `choice`: one of its words; `switch`: on or off; `share`: on, off, or for so many percent of the users. */
type Declared =
  | { kind: 'choice'; values: readonly [string, ...string[]]; default: string; summary: string }
  | { kind: 'switch'; default: 'on' | 'off'; summary: string }
  | { kind: 'share'; default: 'on' | 'off'; summary: string }

export const registrations = ['open', 'invite', 'closed'] as const
export type Registration = (typeof registrations)[number]

/** What the whole service does. */
const serviceFlags = {
  registration: {
    kind: 'choice',
    values: registrations,
    default: 'open',
    summary: 'Who may sign up: anybody, whoever has an open invitation to a household, or nobody',
  },
  readOnly: { kind: 'switch', default: 'off', summary: 'Refuses whatever writes; reads, signing in and refreshing tokens go on' },
} as const satisfies Record<string, Declared>

/** Parts that phones can do without: sync, batch and the ledger itself are none. Operations name theirs by `feature`. */
const featureFlags = {
  imports: { kind: 'share', default: 'on', summary: "Reading and committing banks' files; what was imported can still be undone" },
  exports: { kind: 'share', default: 'on', summary: "The household's document and CSV; the own data of a person can always be had" },
  reports: { kind: 'share', default: 'on', summary: 'Reports, and the forecast of bills' },
  rules: { kind: 'share', default: 'on', summary: 'Making and running rules; off, imports and feeds go without them' },
  feeds: { kind: 'share', default: 'on', summary: "Making feeds, and banks' pushes; a share decides about making them" },
  push: { kind: 'share', default: 'on', summary: 'Messages to devices; the inbox has them all the same' },
  liveEvents: { kind: 'share', default: 'on', summary: 'Streams of live events; without them apps sync every few minutes' },
  invitations: { kind: 'share', default: 'on', summary: 'Inviting to a household; invitations that are out can still be accepted' },
} as const satisfies Record<string, Declared>

export const flags = { ...serviceFlags, ...featureFlags }
export type FlagName = keyof typeof flags
export type FeatureName = keyof typeof featureFlags
export const flagNames = Object.keys(flags) as FlagName[]
export const featureNames = Object.keys(featureFlags) as FeatureName[]

/** A share is counted in hundredths of a percent. */
export const wholeShare = 10_000

export function isFlagName(name: string): name is FlagName {
  return Object.hasOwn(flags, name)
}

/** What a flag takes, in words. */
export function valuesOf(name: FlagName): string {
  const declared: Declared = flags[name]
  if (declared.kind === 'choice') return declared.values.join(', ')
  return declared.kind === 'switch' ? 'on, off' : 'on, off, or a percentage of the users such as 25% or 0.5%'
}

/** A value as it is kept: one spelling for each, or null for what the flag does not take. */
export function readFlagValue(name: FlagName, text: string): string | null {
  const declared: Declared = flags[name]
  if (declared.kind === 'choice') return declared.values.includes(text) ? text : null
  if (text === 'on' || text === 'off') return text
  const [, percent] = declared.kind === 'share' ? (/^(\d{1,3}(?:\.\d{1,2})?)%$/.exec(text) ?? []) : []
  if (percent === undefined || Number(percent) > 100) return null
  return Number(percent) === 0 ? 'off' : Number(percent) === 100 ? 'on' : `${Number(percent)}%`
}

/** The share of a kept value, of `wholeShare`. */
export function shareOf(value: string): number {
  return value === 'on' ? wholeShare : value === 'off' ? 0 : Math.round(Number(value.slice(0, -1)) * 100)
}

/** FNV-1a over the characters; the state that a hash goes on from. */
function fold(state: number, text: string): number {
  let hash = state
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193)
  return hash
}

/** Where the hashes of a flag begin, so that each flag divides the users in another way. */
export function seedOf(name: FeatureName): number {
  return fold(0x811c9dc5, `${name} `)
}

/** Where a user stands in a flag, from 0 to `wholeShare` - 1, for ever: a share is all who stand below it, so one that grows takes nobody out. */
export function standingOf(seed: number, user: string): number {
  let hash = fold(seed, user)
  // What MurmurHash3 ends with: FNV alone leaves ids that differ in their last character side by side.
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return ((hash ^ (hash >>> 16)) >>> 0) % wholeShare
}
