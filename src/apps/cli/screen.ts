/** The terminal as a page that is drawn again and again: ANSI alone, so that it works over ssh and in every terminal. */
import { emitKeypressEvents } from 'node:readline'

const alternate = { enter: '\x1b[?1049h\x1b[?25l', leave: '\x1b[?25h\x1b[?1049l' }
const home = '\x1b[H'
const clearLine = '\x1b[K'
const clearBelow = '\x1b[J'

/** A person sits there and sees what is drawn. */
export const isScreen = (): boolean =>
  process.stdout.isTTY === true && process.stdin.isTTY === true && process.env.TERM !== 'dumb'

/**
 * Draws what `page` gives, every `every_ms` and when the window changes, until q, Ctrl-C or a signal. The terminal is as it was
 * afterwards, also when `page` throws.
 */
export async function live(page: (size: Size) => Promise<readonly string[]>, every_ms: number): Promise<void> {
  const { stdout, stdin } = process
  const { promise: quit, resolve: stop } = Promise.withResolvers<void>()
  const pressed = (_: unknown, key: { name?: string; ctrl?: boolean } | undefined): void => {
    if (key?.name === 'q' || key?.name === 'escape' || (key?.ctrl && (key.name === 'c' || key.name === 'd'))) stop()
  }
  emitKeypressEvents(stdin)
  stdin.setRawMode(true).on('keypress', pressed).resume()
  for (const signal of ['SIGTERM', 'SIGHUP', 'SIGINT'] as const) process.once(signal, stop)
  stdout.write(alternate.enter)
  try {
    for (;;) {
      const size = { columns: stdout.columns || 80, rows: stdout.rows || 24 } // some serial lines say 0
      const lines = await Promise.race([quit, page(size)]) // who asks to leave does not wait for an operator that hangs
      if (!lines) break
      stdout.write(drawn(lines, size))
      await Promise.race([quit, changed(every_ms)])
    }
  } finally {
    stdout.write(alternate.leave)
    stdin.off('keypress', pressed).setRawMode(false).pause()
  }
}

export interface Size {
  readonly columns: number
  readonly rows: number
}

/** The next turn, or at once when the window has another size. */
function changed(ms: number): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer)
      process.stdout.off('resize', done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    process.stdout.once('resize', done)
  })
}

/** Each line written over the one before, what is longer than the window cut off: no flicker, no scrolling. */
export function drawn(lines: readonly string[], { columns, rows }: Size): string {
  const shown = lines.slice(0, Math.max(1, rows - 1)).map((line) => `${cut(line, columns)}${clearLine}\r\n`)
  return `${home}${shown.join('')}${clearBelow}`
}

/** Columns are counted as characters; colours take none. */
export function cut(line: string, columns: number): string {
  let width = 0
  let out = ''
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the colours that `paint` adds.
  for (const [part] of line.matchAll(/\x1b\[[0-9;]*m|[\s\S]/gu)) {
    if (part.startsWith('\x1b')) out += part
    else if (width < columns) {
      out += part
      width++
    }
  }
  return out
}
