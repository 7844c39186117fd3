/** Where a meter's energy of an hour went, from its transfers. */
import type { Account } from '../../../books/account.ts'
import { hour_ms } from '../../../books/cost-hour.ts'
import { parted } from '../../../books/tally.ts'
import type { AttemptId } from '../../../units/ids.ts'
import { stream } from '../query.ts'
import type { Store } from '../store.ts'

export interface MeterHour {
  readonly meter: string
  energy_mj: bigint
  readonly drew: Map<AttemptId, bigint>
  readonly idle: Map<Account, bigint>
  readonly wasted: Map<Account, bigint>
  /** Of a meter above others: what no rule gives to anybody. */
  readonly beside: Map<Account, bigint>
}

/** An interval's transfers carry the moment it ended: what they move was drawn before it. */
const drawn = `
  select id, debit, credit, amount from transfer
  where at_ms > ? and at_ms <= ? and unit = 'mJ' order by id`

export function energyInHour({ database }: Pick<Store, 'database'>, hour: number): MeterHour[] {
  const found = new Map<string, MeterHour>()
  const rows = stream<{ id: string; debit: Account; credit: Account; amount: bigint }>(
    database,
    drawn,
    hour * hour_ms,
    (hour + 1) * hour_ms,
  )
  for (const { id, debit, credit, amount } of rows) {
    const [, meter = ''] = parted(debit)
    const of = found.get(meter) ?? nothing(meter)
    found.set(meter, of)
    of.energy_mj += amount
    if (credit.startsWith('idle/')) add(of.idle, credit, amount)
    else if (credit.startsWith('waste/')) add(of.wasted, credit, amount)
    else if (credit.startsWith('overhead/')) add(of.beside, credit, amount)
    else add(of.drew, attemptIn(id, meter), amount)
  }
  return [...found.values()].sort((a, b) => (a.meter < b.meter ? -1 : 1))
}

const nothing = (meter: string): MeterHour => ({
  meter,
  energy_mj: 0n,
  drew: new Map(),
  idle: new Map(),
  wasted: new Map(),
  beside: new Map(),
})

/** `<meter>/<sequence>/<attempt>` (books/energy.ts) */
const attemptIn = (id: string, meter: string): AttemptId => id.slice(id.indexOf('/', meter.length + 1) + 1) as AttemptId

function add<Key>(to: Map<Key, bigint>, key: Key, amount: bigint): void {
  to.set(key, (to.get(key) ?? 0n) + amount)
}
