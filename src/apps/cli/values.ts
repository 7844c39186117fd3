import { InvalidArgumentError } from 'commander'

/** Values of options; commander shows the message beside the option. */
export const list = (text: string): string[] => {
  const names = text.split(',').map((name) => name.trim())
  if (names.some((name) => name === '')) throw new InvalidArgumentError('Give names with commas between them.')
  return names
}

export function whole(text: string): number {
  if (!/^\d{1,12}$/.test(text)) throw new InvalidArgumentError('Give a whole number.')
  return Number(text)
}

/** From a fifth of a second to a day. */
export function seconds(text: string): number {
  const value = Number(text)
  if (text.trim() === '' || !(value >= 0.2 && value <= 86_400))
    throw new InvalidArgumentError('Give seconds from 0.2 to 86400.')
  return value
}

/** The same option again and again. */
export const again = (text: string, before: readonly string[] = []): string[] => [...before, text]

/** PUBLIC=UPSTREAM, again and again; PUBLIC alone is both. */
export function mapping(text: string, before: Readonly<Record<string, string>> = {}): Record<string, string> {
  const at = text.indexOf('=')
  const [name, upstream] = at < 0 ? [text, text] : [text.slice(0, at), text.slice(at + 1)]
  if (name === '' || upstream === '') throw new InvalidArgumentError('Give PUBLIC=UPSTREAM.')
  return { ...before, [name]: upstream }
}
