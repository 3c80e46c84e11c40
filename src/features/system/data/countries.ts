export const countries: { alpha2: string }[] = []
