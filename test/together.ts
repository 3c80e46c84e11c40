// Runs files of tests one after the other in this process, each as a test of its file's name: the service is loaded and compiled once for all.
import { relative } from 'node:path'
import { after, test } from 'node:test'
import { pathToFileURL } from 'node:url'
// Imported first, so that what it closes at last is closed after the last file.
import { closeServices } from './harness.ts'

export function runTogether(files: readonly string[]) {
  for (const file of files) {
    // A file's tests become tests of this one, which ends when all of them have; only then the next file is loaded.
    void test(relative(process.cwd(), file), async () => {
      after(closeServices)
      await import(pathToFileURL(file).href)
    })
  }
}
