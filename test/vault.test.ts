// Secrets that are read back: sealed for one purpose, under one key, and whole or not at all.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Vault } from '../src/resources/vault.ts'

const vault = new Vault('a secret of the operator, long enough to be one')

test('what was sealed opens, and no two seals of it look alike', () => {
  const one = vault.seal('the key', 'feed')
  assert.equal(vault.open(one, 'feed'), 'the key')
  assert.notDeepEqual(one, vault.seal('the key', 'feed'))
  assert.ok(!one.includes('the key'))
})

test('another purpose, another key or a changed byte opens nothing', () => {
  const sealed = vault.seal('the key', 'feed')
  assert.throws(() => vault.open(sealed, 'second factor'))
  assert.throws(() => new Vault('another secret, which is as long as the first').open(sealed, 'feed'))
  for (let byte = 0; byte < sealed.length; byte++) {
    const changed = Buffer.from(sealed)
    changed[byte]! ^= 1
    assert.throws(() => vault.open(changed, 'feed'), `byte ${byte}`)
  }
  assert.throws(() => vault.open(sealed.subarray(0, 20), 'feed'))
})
