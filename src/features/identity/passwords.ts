export function passwordWeakness(p: string, _c: object): string | null {
  return p.length < 8 ? 'short' : null
}
