/** What a file says that things cost, put into force in one transaction. */
import { type Declared, fileCosts, isSameCost, type Named, type Said } from '../../../books/filed-cost.ts'
import { nodeOf } from '../nodes.ts'
import { all, run } from '../query.ts'
import { RegistryError } from '../registry/change.ts'
import type { Store } from '../store.ts'
import { declarations, declare } from './declarations.ts'

interface Filed extends Named {
  readonly node: string
}

export interface Applied {
  readonly declared: readonly Declared[]
  readonly ended: readonly Declared[]
  /** Of those that the file states, how many held already. */
  readonly unchanged: number
}

/** `kept`: named by the file too, but not to be had yet: it does not end, and is not declared. `dry`: says what it would do, and does nothing. */
export function applyFiled(
  store: Store,
  said: readonly Said[],
  kept: readonly Named[],
  { now_ms, dry }: { readonly now_ms: number; readonly dry: boolean },
): Applied {
  return store.transaction(() => {
    const node = nodeOf(store) ?? ''
    const filed = all<Filed>(store.database, 'select kind, name, node from filed_cost')
    for (const one of said) refuseOthers(filed, one, node)
    const own = filed.filter((one) => isOf(one, node) && !kept.some((other) => isSameCost(one, other)))
    const { declare: made, end } = fileCosts(declarations(store), own, said, now_ms)
    if (!dry) {
      for (const one of [...made, ...end]) declare(store, one, now_ms)
      for (const { kind, name } of own)
        run(store.database, 'delete from filed_cost where kind = ? and name = ?', kind, name)
      for (const { kind, name } of said)
        run(store.database, 'insert into filed_cost (kind, name, node) values (?, ?, ?)', kind, name, node)
    }
    const changed = said.filter((one) => made.some((other) => isSameCost(one, other))).length
    return { declared: made, ended: end, unchanged: said.length - changed }
  })
}

/** One that a store brought along that was a file before is of whoever states it. */
const isOf = (filed: Filed, node: string): boolean => filed.node === node || filed.node === ''

function refuseOthers(filed: readonly Filed[], said: Said, node: string): void {
  const other = filed.find((one) => isSameCost(one, said) && !isOf(one, node))
  if (other)
    throw new RegistryError('conflict', `${said.kind} ${said.name} is in the file of another home of this store`, {
      param: 'costs',
      next: 'Leave it to one of the two files',
    })
}

/** Costs that the file of this home stated when it was put into force last. */
export const filedCosts = (store: Store): Named[] =>
  all<Filed>(store.database, 'select kind, name, node from filed_cost order by kind, name').filter((one) =>
    isOf(one, nodeOf(store) ?? ''),
  )
