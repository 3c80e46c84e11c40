// The words banks head their columns with, in nine languages, and what a column under such a word holds.
import type { CsvRecord } from './csv-table.ts'

export type Role =
  | 'date'
  | 'amount'
  | 'debit'
  | 'credit'
  | 'direction'
  | 'payee'
  | 'description'
  | 'note'
  | 'currency'
  | 'externalId'
  | 'account'
  | 'accountName'
  | 'status'
  | 'fee'
  | 'balance'
  | 'originalAmount'
  | 'originalCurrency'

/** Words of each role, the better ones first: a file often has several dates, and the booking date is the one to take. */
const words: Record<Role, string> = {
  date: `booking date|posting date|posted date|post date|date posted|posted|buchungstag|buchungsdatum|buchung|boekdatum
    boekingsdatum|datum boeking|date comptable|date de comptabilisation|date operation|date d operation
    date de l operation|fecha contable|fecha operacion|fecha de operacion|f contable|data contabile|data registrazione
    data operazione|data mov|data movimento|data lancamento|data do lancamento|data ksiegowania|data operacji
    bokföringsdag|bokföringsdatum|bokförd|completed date|date completed|finished on|transaction date|trans date
    transactiedatum|transaktionsdatum|transaktionsdag|date transaction|date de transaction|data transakcji|data da compra
    datum|date|fecha|data|dato|started date|date started|date time|datetime|timestamp|created|created on|value date
    valutadatum|wertstellung|valuta|rentedatum|date valeur|date de valeur|fecha valor|data valuta|data valor|data waluty
    valutadag|räntedatum`,
  amount: `amount|transaction amount|amount net|net amount|net|betrag|umsatz|netto|bedrag|transactiebedrag
    bedrag transactie|montant|montant de l operation|montant operation|importe|importe movimiento|importo
    importo movimento|valor|montante|kwota|kwota transakcji|kwota operacji|belopp|gross|gross amount|brutto|value
    source amount after fees|debit credit amount|cantidad|sum`,
  debit: `debit|debit amount|debits|paid out|money out|withdrawal|withdrawals|withdrawal amount|withdrawn|soll|belastung
    belastungen|lastschrift|ausgabe|ausgaben|ausgang|debet|uitgaven|af|debito|debitos|débit|debe|cargo|cargos|gasto
    gastos|adeudo|addebiti|addebito|dare|uscite|uscita|obciążenia|obciążenie|wydatki|uttag|utgift|ut|out|spent|charges
    charge|dépense|dépenses|saídas`,
  credit: `credit|credit amount|credits|paid in|money in|deposit|deposits|deposit amount|haben|gutschrift|gutschriften
    einnahme|einnahmen|eingang|inkomsten|bij|credito|creditos|crédit|haber|abono|abonos|ingreso|ingresos|accrediti
    accredito|avere|entrate|entrata|uznania|uznanie|wpływy|insättning|inkomst|in|received|recette|recettes|entradas`,
  direction: `af bij|debit credit|debet credit|credit debit|debit or credit|dr cr|cr dr|d c|dc|c d|db cr|soll haben|s h|sh
    credit debit indicator|debit credit indicator|dc indicator|direction|sign|sens|signe|segno|signo|richting|in out
    transaction type|details|type|tipo|typ|art|kind`,
  payee: `payee|counterparty|counterparty name|counter party|partner name|name of partner|partnername|merchant
    merchant name|beneficiary|beneficiary name|payee name|payer payee|beguenstigter zahlungspflichtiger
    zahlungsempfaenger in|zahlungsempfaenger|zahlungspflichtige r|name zahlungsbeteiligter|zahlungsbeteiligter
    auftraggeber empfaenger|empfaenger auftraggeber|auftraggeber beguenstigter|beguenstigter auftraggeber|beguenstigter
    empfaenger|gegenpartei|naam tegenpartij|tegenpartij|naam omschrijving|naam|name description|contrepartie
    nom de la contrepartie|beneficiaire|tiers|ordenante beneficiario|beneficiario|contraparte|controparte
    beneficiario ordinante|nadawca odbiorca|odbiorca|nadawca|kontrahent|dane kontrahenta|motpart|mottagare
    avsändare mottagare|target name|name|nom|nombre|nome|namn`,
  description: `description|transaction description|narrative|transaction details|particulars|beschreibung|umsatztext
    buchungstext|transaktionsbeschreibung|booking text|omschrijving|libelle|libelle operation|libelle de l operation
    libelle simplifie|concepto|movimiento|descripcion|descrizione|descrizione operazione|causale|descricao|historico
    opis|opis operacji|opis transakcji|beskrivning|transaktion|specifikation|rubrik|text|details`,
  note: `verwendungszweck|vorgangsverwendungszweck|zahlungsreferenz|payment reference|reference text|memo|note|notes
    purpose|remittance information|mededelingen|mededeling|notifications|betalingskenmerk|communication|communications
    motif|commentaire|informations complementaires|observaciones|concepto ampliado|nota|notas|tytuł|tytułem
    tytuł operacji|meddelande|referens|additional information|message|payment details|subject|comment|comments|reference
    info`,
  currency: `currency|ccy|currency code|waehrung|whg|valuta|munt|muntsoort|devise|monnaie|divisa|moneda|moeda|waluta
    source currency|buchungswaehrung`,
  externalId: `transaction id|transaction reference|transaction number|transaction no|unique id|unique transaction id
    fitid|entry reference|bank reference|reference number|booking id|id|transaktions id|transaktionsid
    transaktionsnummer|transaktionscode|umsatz id|transactie id|transactienummer|transactiereferentie|volgnr
    id transaction|id de transaction|numero de transaction|reference de l operation|id transaccion
    codigo de transaccion|numero operacion|id transazione|codice transazione|id transacao|identificador
    id da transacao|id transakcji|numer transakcji|nr transakcji|transfer id|transferwise id`,
  account: `auftragskonto|iban auftragskonto|own account|eigenes konto|rekening|iban bban|rekeningnummer|account number
    account no|account|numero de compte|compte|numero de cuenta|cuenta|conto|conta|numer rachunku|rachunek|kontonummer
    kontonr|konto|iban`,
  accountName: `account name|bezeichnung auftragskonto|kontobezeichnung|kontoname|rekeningnaam|nom du compte
    nombre de cuenta|nazwa rachunku|produkt|product`,
  status: 'status|state|umsatzstatus|booking status|statut|estado|stato|stan|info',
  fee: 'fee|fees|fee amount|gebuehr|entgelt|frais|commission|commissione|comision|taxa|prowizja|avgift',
  balance: 'balance|running balance|saldo|solde|kontostand|saldo na mutatie|bokfört saldo|saldo nach buchung',
  originalAmount: `original amount|foreign amount|local amount|originalbetrag|betrag in fremdwährung|oorspronkelijk bedrag
    amount in foreign currency|originalbelopp|kwota oryginalna|importo originale|montant d origine|importe original`,
  originalCurrency: `original currency|foreign currency|local currency|originalwährung|fremdwährung
    oorspronkelijke munt|originalvaluta|waluta oryginalna|valuta originale|devise d origine|divisa original`,
}

/** Single words that hint at a role within a longer header, tried after the exact ones; none for the other roles. */
const hints: Partial<Record<Role, RegExp>> = {
  date: /\b(?:date|datum|fecha|data)\b/,
  amount: /\b(?:amount|betrag|bedrag|montant|importe|importo|kwota|belopp)\b/,
  debit: /\b(?:debit|paid out|money out|withdrawals?)\b/,
  credit: /\b(?:credit|paid in|money in|deposits?)\b/,
  payee: /\b(?:payee|merchant|counterparty|zahlungsempfanger|begunstigter)\b/,
  description: /\b(?:description|libelle|beschreibung|omschrijving|descripcion|descrizione|descricao|opis)\b/,
  balance: /\b(?:balance|saldo|solde|kontostand)\b/,
}
// An amount of another kind is not the amount of the entry.
const otherAmounts = /\b(?:original|ursprungsbetrag|foreign|local|fees?|tax|vat|balance|saldo|solde|limit|cashback|exchange)\b/

const ranks = new Map<string, Map<Role, number>>()
for (const role of Object.keys(words) as Role[]) {
  for (const [rank, word] of words[role].split(/\s*[|\n]\s*/).entries()) {
    const key = plainHeader(word)
    const roles = ranks.get(key) ?? new Map<Role, number>()
    if (!roles.has(role)) roles.set(role, rank)
    ranks.set(key, roles)
  }
}

export type HeaderCell = {
  /** Roles the header may mean, each with its rank: the lower, the better. */
  roles: Map<Role, number>
  /** A currency the header names, as `Amount (EUR)` does. */
  currency: string | null
}

export function readHeader(cells: readonly string[], isCurrency: (code: string) => boolean): HeaderCell[] {
  return cells.map((cell) => {
    if (cell.length > 80) return { roles: new Map(), currency: null }
    const { text, currency } = withoutCurrency(cell, isCurrency)
    const roles = new Map(ranks.get(text) ?? [])
    if (roles.size === 0) {
      for (const role of Object.keys(hints) as Role[]) {
        if (hints[role]?.test(text) && !(role === 'amount' && otherAmounts.test(text))) roles.set(role, 1000)
      }
    }
    return { roles, currency: roles.size > 0 ? currency : null }
  })
}

/** The header among the first records: the one with most known words, a date and an amount among them. */
export function findHeader(records: readonly CsvRecord[], isCurrency: (code: string) => boolean): number | undefined {
  let best: { index: number; known: number } | undefined
  for (const [index, { cells }] of records.slice(0, 100).entries()) {
    const header = readHeader(cells, isCurrency)
    const has = (role: Role): boolean => header.some(({ roles }) => roles.has(role))
    // Words with digits are data, whatever else stands there: `Date: 31.01.2024` in a preamble is no header.
    if (!has('date') || !(has('amount') || has('debit') || has('credit'))) continue
    const known = header.filter(({ roles }) => roles.size > 0).length
    if (known >= 2 && (!best || known > best.known)) best = { index, known }
  }
  return best?.index
}

function withoutCurrency(cell: string, isCurrency: (code: string) => boolean): { text: string; currency: string | null } {
  const text = plainHeader(cell)
  const found = /^(.+?)(?: in)? ([a-z]{3})$/.exec(text)
  const code = found?.[2]?.toUpperCase()
  if (found?.[1] !== undefined && code !== undefined && !ranks.has(text) && isCurrency(code)) {
    return { text: found[1], currency: code }
  }
  return { text, currency: cell.includes('€') ? 'EUR' : cell.includes('£') ? 'GBP' : null }
}

/** A header without case, accents, umlauts in either spelling and punctuation. */
function plainHeader(text: string): string {
  return text
    .normalize('NFD')
    .toLowerCase()
    .replace(/\p{M}/gu, '')
    .replaceAll('ł', 'l')
    .replaceAll('ß', 'ss')
    .replace(/([aou])e/g, '$1')
    .replace(/[^a-z0-9]+/g, ' ')
    .trim()
}
