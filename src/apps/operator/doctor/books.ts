import { type MeterHealth, meterHealth } from '../../../adapters/sqlite/attribution.ts'
import { count } from '../../../adapters/sqlite/ledger.ts'
import { one } from '../../../adapters/sqlite/query.ts'
import { backlogText } from '../../../books/backlog.ts'
import type { Factory } from '../factory.ts'
import { bad, type Finding, good, warning } from './finding.ts'
import { clockBehind } from './machine.ts'

/** A turn of the keeper is some 100 ms: so far behind something holds it up. */
const late_s = 10
/** The energy of a long stream's seconds waits until it is settled; requests end within `limits.request_seconds`. */
const lateEnergy_s = 900

/** What waits while the books take nothing in. */
export function backlogFindings({ live }: Factory): Finding[] {
  const backlog = live?.keeper.backlog()
  return backlog ? [bad('books-stopped', backlogText(backlog), backlog.next)] : []
}

export function bookFindings({ store, live, now }: Factory): Finding[] {
  const newest = one<{ at: number | null }>(store.database, 'select max(closed_ms) as at from request')?.at ?? null
  const quarantined = count(store.database, 'select count(*) as n from quarantine')
  return [
    ...clockBehind(newest, now()),
    ...(live ? [lag(live.keeper.lag())] : []),
    ...(live?.keeper.meters().names ?? []).map((meter) => attribution(meterHealth(store, meter))),
    quarantined === 0
      ? good('books-quarantine', 'empty')
      : bad('books-quarantine', `${quarantined} rows contradict what is booked`, 'wattmill books check'),
  ]
}

interface Lag {
  readonly behind_s: number
  readonly energy_behind_s: number
  readonly failing: string | null
}

function lag({ behind_s, energy_behind_s, failing }: Lag): Finding {
  const found = `${behind_s} s behind, energy ${energy_behind_s} s`
  if (failing !== null)
    return bad(
      'books-lag',
      `${found}: ${failing}`,
      'Nothing is lost: see to the disk; the books catch up by themselves.',
    )
  return behind_s <= late_s && energy_behind_s <= lateEnergy_s
    ? good('books-lag', found)
    : warning('books-lag', found, 'Give the operator more CPU or a faster disk; the books catch up by themselves.')
}

function attribution({ meter, state, residual_factor }: MeterHealth): Finding {
  const times = `${meter} counts ${residual_factor} × what the engine's steps explain`
  switch (state) {
    case 'drifted':
      return warning(
        'attribution',
        `${times}: the shares add up, and may be unfair`,
        'Look for other work on what it measures; what a step costs is learned anew while the engine is busy.',
      )
    case 'other work':
      return good('attribution', `${times}: other work of this machine is in it`)
    case 'good':
      return good('attribution', `${meter}: factor ${residual_factor}`)
    case 'not learned yet':
      return good('attribution', `${meter}: ${state}, shared by tokens`)
  }
}
