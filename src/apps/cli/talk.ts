import { styleText } from 'node:util'

/** Talk goes to stderr, so that stdout holds data alone. Colour only where a person reads it (`NO_COLOR` is obeyed). */
export const talk = (line: string): void => void process.stderr.write(`${line}\n`)

const coloured = (): boolean => process.stderr.isTTY === true && !process.env.NO_COLOR && process.env.TERM !== 'dumb'

const paint = (format: Parameters<typeof styleText>[0], text: string): string =>
  coloured() ? styleText(format, text, { validateStream: false }) : text

/** What went wrong, and the next command to try. */
export function complain(message: string, next: string): void {
  talk(`${paint('red', 'error')}: ${message}`)
  talk(`${paint('dim', 'Next:')} ${next}`)
}

export const warn = (message: string): void => talk(`${paint('yellow', 'note')}: ${message}`)
