// Versions of PgBouncer, and what they can. Pure.

export type Version = { major: number; minor: number; text: string }

/** Reads 1.25, 1.21.0 or the first line of `pgbouncer --version`; undefined for anything else. */
export function versionOf(text: string): Version | undefined {
  const [, numbers, major, minor] = /^(?:PgBouncer )?((\d{1,3})\.(\d{1,3})(?:\.\d{1,3})?)(?![\d.])/i.exec(text.trim()) ?? []
  return numbers === undefined ? undefined : { major: Number(major), minor: Number(minor), text: numbers }
}

/** Whether it keeps prepared statements in transaction mode. An older one does not start with the setting. */
export function keepsStatements({ major, minor }: Version): boolean {
  return major > 1 || (major === 1 && minor >= 21)
}
