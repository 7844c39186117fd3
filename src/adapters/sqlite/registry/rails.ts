import type { Rail } from '../../../lines/inference/rail.ts'
import { wrongRail } from '../../rails/compiled.ts'
import type { Store } from '../store.ts'
import { all, change, one, RegistryError, run } from './change.ts'
import { checkName } from './names.ts'

interface Row {
  readonly name: string
  readonly scope: Rail['scope']
  readonly of: string
  readonly rules: string
}

const fromRow = ({ rules, ...row }: Row): Rail => ({ ...row, ...JSON.parse(rules) })

/** Each is asked of every prompt that it binds. */
const mostRails = 200

export const listRails = (store: Store): Rail[] =>
  all<Row>(store, 'select name, scope, of, rules from guard_rail order by name').map(fromRow)

/** Setting it again replaces it. What cannot be checked is refused here, so that no gateway meets it. */
export function setRail(store: Store, rail: Rail, now_ms: number): Rail {
  checkName('guard rail', 'name', rail.name)
  const wrong = wrongRail(rail)
  if (wrong) throw new RegistryError('invalid', `${wrong.at} ${wrong.why}`, { param: wrong.at })
  change(store, () => {
    const sql = `insert into guard_rail (name, scope, of, rules, created_ms) values (?, ?, ?, ?, ?)
      on conflict (name) do update set scope = excluded.scope, of = excluded.of, rules = excluded.rules`
    const { name, scope, of, input, output } = rail
    run(store, sql, name, scope, of, JSON.stringify({ input, output }), now_ms)
    if (Number(one<{ n: number }>(store, 'select count(*) as n from guard_rail')?.n) > mostRails)
      throw new RegistryError('conflict', `there are ${mostRails} guard rails already`, { next: 'wattmill rails list' })
  })
  return rail
}

export function removeRail(store: Store, name: string): Rail {
  const rail = listRails(store).find((one) => one.name === name)
  if (!rail)
    throw new RegistryError('not_found', `no guard rail ${name}`, { param: 'name', next: 'wattmill rails list' })
  change(store, () => run(store, 'delete from guard_rail where name = ?', name))
  return rail
}
