import type { Transfer } from './account.ts'
import { accounts } from './account.ts'
import type { Counted, Explained, Kinds } from './counted.ts'
import type { Effect } from './effect.ts'
import type { CloseRow } from './row.ts'
import { timelinesOf, tokensBetween } from './window.ts'

/**
 * Tokens that an engine counted and no request of ours explains.
 *
 * Engines count a prompt when it is done and we spread it over its time, so the two differ by what is under way: as much is
 * carried over, either way, and becomes foreign only when it does not go away. No more than that is carried, so that a count of
 * ours that was too high does not hide others' traffic for ever.
 *
 * A look that follows none (`before` is null) may begin amid requests, and how much of them was counted before it is not known:
 * all of it is given the benefit of the doubt.
 */
export function foreignIn(counted: Counted, rows: readonly CloseRow[], before: Kinds | null): Explained {
  const lines = rows
    .flatMap((row) => timelinesOf(row, counted.engine))
    .filter(({ begun_ms, last_ms }) => begun_ms < counted.to_ms && last_ms >= counted.from_ms)
  const explained = (kind: keyof Kinds): { foreign: number; balance: number } => {
    let [ours, underWay, amid] = [0, 0, 0]
    for (const line of lines) {
      const prompt = line.input_uncached + (counted.cached ? line.cache_read : 0)
      const done = tokensBetween({ ...line, input_uncached: prompt }, counted.from_ms, counted.to_ms)
      ours += kind === 'output' ? done.decode : done.prefill
      const all = kind === 'output' ? line.output : prompt
      underWay += all
      if (line.begun_ms < counted.from_ms) amid += all
    }
    const beyond = (before ? before[kind] : -amid) + counted[kind] - ours
    const foreign = Math.max(0, beyond - underWay)
    return { foreign, balance: Math.max(-underWay, beyond - foreign) }
  }
  const [prompt, output] = [explained('prompt'), explained('output')]
  return {
    foreign: { prompt: prompt.foreign, output: output.foreign },
    balance: { prompt: prompt.balance, output: output.balance },
  }
}

/** Settles a look, once all requests that were opened before its end are settled. */
export function closeLook(counted: Counted, rows: readonly CloseRow[], before: Kinds | null): Effect[] {
  const explained = foreignIn(counted, rows, before)
  const { engine, to_ms } = counted
  const transfers = postCounted(counted, explained.foreign)
  return [
    ...(transfers.length > 0 ? [{ do: 'post', source: engine, transfers } as const] : []),
    { do: 'explained', engine, to_ms, explained },
  ]
}

/** What is foreign is waste by cause `foreign`, and never a tenant's. */
export function postCounted({ engine, to_ms }: Pick<Counted, 'engine' | 'to_ms'>, foreign: Kinds): Transfer[] {
  const kinds = [
    ['input_uncached', foreign.prompt],
    ['output_visible', foreign.output],
  ] as const
  return kinds.flatMap(([tokenClass, tokens]): Transfer[] =>
    tokens === 0
      ? []
      : [
          {
            id: `${engine}/counted/${to_ms}/${tokenClass}/foreign`,
            unit: 'token',
            from: accounts.engine(engine),
            to: accounts.wasted('foreign', tokenClass),
            amount: BigInt(tokens),
            request: null,
            at_ms: to_ms,
          },
        ],
  )
}
