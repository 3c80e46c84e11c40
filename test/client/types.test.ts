// What ties the client to the server: types made from its document, and nothing else.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test } from 'node:test'
import { clientTypes, typesFile } from '../../rigs/client-types/generate.ts'

test('the types are those of the OpenAPI document as it is now; else run `npm run client-types`', async () => {
  const formatter = fileURLToPath(new URL('../../node_modules/.bin/oxfmt', import.meta.url))
  const { status, stdout, stderr } = spawnSync(formatter, ['--stdin-filepath=src/client/operations.ts'], {
    input: await clientTypes(),
    encoding: 'utf8',
  })
  assert.equal(status, 0, stderr)
  const [kept, wanted] = [readFileSync(typesFile, 'utf8').split('\n'), stdout.split('\n')]
  const line = wanted.findIndex((text, index) => text !== kept[index])
  assert.equal(kept[line], wanted[line], `line ${line + 1} differs`)
  assert.equal(kept.length, wanted.length)
})

test('the client runs without the server: it imports its own files, uuidv7, and of the server nothing', () => {
  const files = globSync('src/client/*.ts')
  assert.ok(files.length > 10)
  let imports = 0
  for (const file of files) {
    for (const [, statement = '', target = ''] of readFileSync(file, 'utf8').matchAll(/^(import|export)[^;\n]*? from '([^']+)'/gm)) {
      imports++
      const own = target.startsWith('./') && dirname(normalize(join(dirname(file), target))) === 'src/client'
      assert.ok(own || target === 'uuidv7', `${file}: ${statement} from ${target}`)
    }
    assert.doesNotMatch(readFileSync(file, 'utf8'), /\bimport\(|\brequire\(|\bprocess\.|\bBuffer\b/, `${file} runs in browsers too`)
  }
  assert.ok(imports > 20, 'the pattern finds the imports')
})
