import type { Allowance } from '../../../books/allowance.ts'
import { allowance } from '../../../books/allowance.ts'
import { ratesOf } from '../../operator/contract.ts'
import { allBig } from '../query.ts'
import type { Store } from '../store.ts'
import { creditAllowances, isCreditOnly } from '../terms/credit-only.ts'
import { insertAllowance } from './budget.ts'
import { change, RegistryError, run } from './change.ts'
import { listKeys } from './keys.ts'

interface Row {
  readonly scope: Allowance['scope']
  readonly of: string
  readonly unit: Allowance['unit']
  readonly renews: Allowance['renews']
  readonly amount: bigint
}

/** Those that were set by themselves, in order of their ids. */
export const setAllowances = ({ database }: Pick<Store, 'database'>): Allowance[] =>
  allBig<Row>(database, 'select scope, of, unit, renews, amount from allowance order by id').map(allowance)

/** Those that are set, and what credit allows where nothing else pays. */
export const bindingAllowances = (store: Pick<Store, 'database'>): Allowance[] => [
  ...setAllowances(store),
  ...creditAllowances(store),
]

/** All that bind: those set by themselves, and the limits a minute that keys were made with. */
export const everyAllowance = (store: Store): Allowance[] => [
  ...listKeys(store)
    .filter((key) => key.revoked_ms === null)
    .flatMap((key) => ratesOf({ ...key, key: key.id })),
  ...bindingAllowances(store),
]

/** Setting it again replaces it: what was used so far still counts. */
export function setAllowance(store: Store, asked: Omit<Allowance, 'id'>, now_ms: number): Allowance {
  if (asked.amount < 0n || asked.amount > largest)
    throw new RegistryError('invalid', `the amount must be from 0 to ${largest}`, { param: 'amount' })
  const made = allowance(asked)
  change(store, () => {
    if (isCredit(made) && isCreditOnly(store, made.of))
      throw new RegistryError('conflict', `tenant ${made.of} is served for as long as its credit lasts`, {
        param: 'tenant',
        next: `wattmill credits add ${made.of} USD   (or: wattmill credits only ${made.of} off)`,
      })
    insertAllowance(store, made, now_ms)
  })
  return made
}

const isCredit = ({ scope, unit, renews }: Allowance): boolean =>
  scope === 'tenant' && unit === 'nano-USD' && renews === 'never'

/** Nano-dollars: a billion dollars, and sums of a few of them stay below 2^63. */
const largest = 10n ** 18n - 1n

export function removeAllowance(store: Store, id: string): void {
  const removed = change(store, () => run(store, 'delete from allowance where id = ?', id))
  if (removed === 0)
    throw new RegistryError('not_found', `no budget ${id}`, { param: 'id', next: 'wattmill budgets list' })
}
