// Dutch and SWIFT :86: texts of code words between slashes: ABN AMRO, ING, Rabobank and the banks that follow them.
import type { Told } from './mt940-narrative.ts'

// Only words that banks document: what a person writes holds slashes too.
const words =
  'EREF PREF KREF MREF MARF CREF IREF RREF CSID CNTP REMI TRTP TRCD IBAN BIC NAME ADDR ORDP BENM ULTC ULTD ULTB ID ' +
  'PURP RTRN ISDT INIT OCMT EXCH CHGS SVCL BUSP UCRD NRTX'
const codeWord = new RegExp(`/(${words.replaceAll(' ', '|')})/`, 'g')

const roles = new Set(['ORDP', 'BENM', 'ULTC', 'ULTD', 'ULTB', 'INIT'])

/** Reads a text such as `/TRTP/SEPA/IBAN/…/NAME/X/REMI/Y/EREF/Z`; null when it holds no code word. */
export function narrateCodeWords(text: string): Told | null {
  const values: { word: string; role: string; value: string }[] = []
  let role = ''
  const marks: { word: string; start: number; end: number }[] = []
  // An empty word may share its closing slash with the next one, so the search goes on at that slash.
  codeWord.lastIndex = 0
  for (let found = codeWord.exec(text); found; found = codeWord.exec(text)) {
    marks.push({ word: found[1] ?? '', start: found.index, end: codeWord.lastIndex })
    codeWord.lastIndex--
  }
  if (marks.length === 0) return null
  marks.forEach(({ word, end }, index) => {
    const next = marks[index + 1]
    if (roles.has(word)) role = word
    values.push({ word, role, value: text.slice(end, Math.max(end, next ? next.start : text.length)).trim() })
  })
  const first = (word: string, ...ofRoles: string[]): string | null =>
    values.find((each) => each.word === word && ofRoles.includes(each.role) && each.value !== '')?.value ?? null

  const name = counterparty(values) ?? first('NAME', '', 'ORDP', 'BENM') ?? first('NAME', 'ULTC', 'ULTD', 'ULTB')
  const remittance = values.filter((each) => each.word === 'REMI').map((each) => remittanceText(each.value))
  const kind = values.find((each) => each.word === 'TRTP')?.value
  const stated = values.find((each) => each.word === 'OCMT')?.value ?? ''
  const ofPurchase = /^([A-Z]{3})(\d{1,15},\d{0,3})(?:\/|$)/.exec(stated)
  return {
    name: name === null ? null : name.replace(/\/$/, ''),
    note: remittance.filter((each) => each !== '').join(' ') || null,
    kind: kind || null,
    original: ofPurchase ? { currency: ofPurchase[1] ?? '', amount: ofPurchase[2] ?? '' } : null,
  }
}

/** ING: account, bank, name and city within one code word. */
function counterparty(values: readonly { word: string; value: string }[]): string | null {
  const value = values.find((each) => each.word === 'CNTP')?.value
  return value?.split('/')[2]?.trim() || null
}

/** ING says first whether the text is free (USTD) or a payment reference (STRD) of some issuer. */
function remittanceText(value: string): string {
  const text = value.replace(/^(?:USTD\/[^/]{0,35}\/|STRD\/[^/]{0,35}\/)/, '')
  // Only then does it close with a slash of its own, so one that a person wrote stays.
  return (text === value ? text : text.replace(/\/{1,3}$/, '')).trim()
}
