// Words for a shell: ssh hands one text to the login's shell, which must find exactly these words in it. Pure.

const plain = /^[A-Za-z0-9_/.:@%+,-]+$/

/** Within single quotes a POSIX shell reads every character as itself but the quote. */
export function quoted(word: string): string {
  if (word.includes('\0')) throw new Error('a word for a shell holds no NUL')
  return plain.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}

export const shellText = (words: readonly string[]) => words.map(quoted).join(' ')
