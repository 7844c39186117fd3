/** How far long work is, on stderr: a bar that moves where a person looks, else a line now and then. */
export interface Progress {
  /** So much of so much; without a total only that it goes on. `note`: what else there is to say, such as a pace. */
  to(done: number, total?: number, note?: string): void
  /** Takes the bar away, so that what is written next stands alone. */
  end(): void
}

/** How amounts are written, such as bytes or requests. */
export type Amount = (value: number) => string

/** A line at least so often while nothing changes, so that a log shows that it lives; and never more often than this. */
const [lineEvery_ms, redrawEvery_ms] = [10_000, 100]

export interface Terminal {
  readonly isTTY?: boolean
  readonly columns?: number
  write(text: string): unknown
}

export function progress(
  what: string,
  amount: Amount = String,
  out: Terminal = process.stderr,
  now: () => number = () => performance.now(),
): Progress {
  const bar = out.isTTY === true && process.env.TERM !== 'dumb'
  let told_ms = bar ? Number.NEGATIVE_INFINITY : now()
  let toldTenth = 0
  return {
    to(done, total, note) {
      const tenth = total ? Math.floor((done / total) * 10) : 0
      const waited = now() - told_ms
      if (bar ? waited < redrawEvery_ms && done !== total : waited < lineEvery_ms && tenth <= toldTenth) return
      told_ms = now()
      toldTenth = tenth
      const amounts = total ? `${amount(done)} of ${amount(total)}` : amount(done)
      const said = note ? `${amounts}, ${note}` : amounts
      if (bar) out.write(`\r${barLine(what, said, total ? done / total : undefined, out.columns || 80)}\x1b[K`)
      else out.write(`${what}: ${said}${total ? ` (${Math.floor((done / total) * 100)} %)` : ''}\n`)
    },
    end() {
      if (bar) out.write('\r\x1b[K')
    },
  }
}

function barLine(what: string, said: string, share: number | undefined, columns: number): string {
  const text = `${what}  ${said}`
  const room = columns - text.length - 11
  if (share === undefined || room < 10) return text.slice(0, columns - 1)
  const full = Math.round(Math.min(1, share) * room)
  return `${what}  [${'#'.repeat(full)}${'.'.repeat(room - full)}] ${String(Math.floor(share * 100)).padStart(3)} %  ${said}`
}

/** While something is waited for whose end nobody knows: how long it has taken. Nothing in the first second. */
export async function waiting<T>(what: string, work: Promise<T>): Promise<T> {
  const shown = progress(what, (seconds) => `${seconds} s`)
  const began = performance.now()
  const timer = setInterval(() => shown.to(Math.round((performance.now() - began) / 1000)), 1000)
  try {
    return await work
  } finally {
    clearInterval(timer)
    shown.end()
  }
}
