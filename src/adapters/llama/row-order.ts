/**
 * Keeps the streams of one batch apart.
 *
 * llama.cpp evaluates the rows of a mixed batch in an order of its own and swaps their logits back when somebody first asks
 * for a row (`output_reorder`), without a lock. node-llama-cpp samples all streams of a batch at once, each on a thread: two
 * that ask first at the same time swap the same rows twice, and one stream goes on with another's token. So the first of
 * a batch samples alone, and the rest, which find the rows in order, together.
 */
import type { LlamaContext } from 'node-llama-cpp'

interface Native {
  readonly decodeBatch: () => Promise<unknown>
  readonly sampleToken: (...row: unknown[]) => Promise<unknown>
}

/** To be called once for a context, before anything is evaluated in it. */
export function keepRowsInOrder(context: LlamaContext): void {
  const native = (context as unknown as { readonly _ctx?: Native })._ctx
  if (typeof native?.decodeBatch !== 'function' || typeof native.sampleToken !== 'function')
    throw new Error('this node-llama-cpp samples in a way that is not known, and may mix streams up')
  const { decodeBatch, sampleToken } = firstAlone(native)
  Object.defineProperties(native, { decodeBatch: { value: decodeBatch }, sampleToken: { value: sampleToken } })
}

/** Of each batch one samples first; the others begin when it is done. */
export function firstAlone(native: Native): Native {
  const decode = native.decodeBatch.bind(native)
  const sample = native.sampleToken.bind(native)
  let first: Promise<unknown> | undefined
  return {
    decodeBatch() {
      first = undefined
      return decode()
    },
    sampleToken(...row) {
      if (first) return first.then(() => sample(...row))
      const sampled = sample(...row)
      first = sampled.catch(() => undefined)
      return sampled
    },
  }
}
