// The rule for new passwords.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { passwordWeakness } from '../src/features/identity/passwords.ts'

const ana = { email: 'ana.longname@example.org', displayName: 'Ana Longname' }
const weak = async (password: string) => assert.ok(await passwordWeakness(password, ana), password)
const fine = async (password: string) => assert.equal(await passwordWeakness(password, ana), null, password)

test('a password has 8 to 256 characters, counted as a person counts them', async () => {
  await weak('kT9#vqZ')
  await fine('kT9#vqZw')
  await weak('🐢🦊🐙🦀🐝🐳🦉')
  await fine('🐢🦊🐙🦀🐝🐳🦉🐧')
  await fine('xK4 '.repeat(64))
  await weak(`${'xK4 '.repeat(64)}x`)
})

test('common passwords are refused in any case, others need no special characters', async () => {
  for (const password of ['password', 'Password1', '12345678', 'qwertyuiop', 'iloveyou1', 'trustno1', 'P@SSW0RD', 'baseball', '1q2w3e4r']) {
    await weak(password)
  }
  for (const password of ['correct horse battery staple', 'turnip lantern gravel', 'мой дом на холме']) await fine(password)
})

test('compatibility spellings of a common password are the same password', async () => {
  await weak('ｐａｓｓｗｏｒｄ')
})

test('the address, the name and the service make no password, digits around them or not', async () => {
  for (const password of ['ana.longname', 'ana.longname1984', '12ANA LONGNAME!', 'ana.longname@example.org', 'Djinn2026!', '1234djinn']) {
    await weak(password)
  }
  await fine('ana.longname likes turnips')
})

test('few characters repeated and control characters are refused', async () => {
  await weak('abababababab')
  await weak('zzzzzzzzzzzzzzzz')
  await weak('turnip\u0000lantern')
  await weak('turnip\nlantern')
})
