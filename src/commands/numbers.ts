// Options that are numbers.
import { InvalidArgumentError } from 'commander'

export const wholeNumber = (min: number, max: number) => (text: string) => {
  if (!/^\d+$/.test(text) || Number(text) < min || Number(text) > max) {
    throw new InvalidArgumentError(`It must be a whole number from ${min} to ${max}.`)
  }
  return Number(text)
}
