/** Costs of `wattmill.yaml`, told to the factory that has just started. */
import { asControlError } from '../operator/errors.ts'
import type { Reached } from '../operator/reach.ts'
import { readCosts } from './config.ts'

interface Stated {
  readonly declared: readonly unknown[]
  readonly ended: readonly unknown[]
  readonly waiting: readonly { readonly at: string | null; readonly message: string; readonly next: string }[]
}

/** Never fails: a factory serves whatever its costs are. */
export async function stateCosts(
  factory: Pick<Reached, 'json'>,
  file: string | undefined,
  say: (line: string) => void,
): Promise<void> {
  try {
    const costs = readCosts(file)
    if (!costs) return
    const { declared, ended, waiting } = (await factory.json('PUT', '/api/costs', { costs })) as Stated
    if (declared.length + ended.length > 0) say(`costs: ${declared.length} declared, ${ended.length} ended`)
    for (const { at, message, next } of waiting) say(`costs: ${at}: ${message}: it waits. Next: ${next}`)
  } catch (cause) {
    const { message, next } = asControlError(cause)
    say(`costs: ${message}; those of before hold. Next: ${next}`)
  }
}
