export const institutions: { id: string }[] = []
