/** What was decided of power, when it changed something: gateways obey the newest, and people can ask why. */
import { createHash } from 'node:crypto'
import type { PlantView } from '../../control/cap/cap.ts'
import type { CapAlarm, CapDecision, Foreseen, LimitState, Setting } from '../../control/cap/decision.ts'
import { all, one } from './query.ts'
import { change, run } from './registry/change.ts'
import type { Store } from './store.ts'

/** Maps as pairs, as JSON has none. */
interface WireSetting extends Omit<Setting, 'engines'> {
  readonly engines: readonly (readonly [string, number])[]
}

export interface DecisionBody {
  readonly limits: readonly LimitState[]
  readonly settings: readonly WireSetting[]
  readonly held: CapDecision['held']
  readonly alarms: readonly CapAlarm[]
  readonly later: readonly (Omit<Foreseen, 'settings'> & { readonly settings: readonly WireSetting[] })[]
}

export interface KeptDecision extends DecisionBody {
  readonly number: number
  readonly at_ms: number
  readonly policy: string
  /** Of what it was made from: loads, limits and demands as they were seen. */
  readonly inputs_hash: string
}

/** Version of the policy: a decision is replayed by the one that made it. */
const policy = 'cap-1'
const kept = 10_000

const wired = ({ engines, ...setting }: Setting): WireSetting => ({ ...setting, engines: [...engines] })

export const bodyOf = ({ limits, settings, held, alarms }: CapDecision, later: readonly Foreseen[]): DecisionBody => ({
  limits,
  settings: settings.map(wired),
  held,
  alarms,
  later: later.map((one) => ({ ...one, settings: one.settings.map(wired) })),
})

/** With a new number for the snapshot: gateways hear of it at once. */
export function keepDecision(store: Store, body: DecisionBody, view: PlantView): void {
  const hash = createHash('sha256').update(JSON.stringify(view)).digest('hex')
  change(store, () => {
    const last = one<{ number: number | null }>(store.database, 'select max(number) as number from cap_decision')
    const number = Number(last?.number ?? 0) + 1
    run(
      store,
      'insert into cap_decision (number, at_ms, policy, inputs_hash, body) values (?, ?, ?, ?, ?)',
      number,
      view.now_ms,
      policy,
      hash,
      JSON.stringify(body),
    )
    run(store, 'delete from cap_decision where number <= ?', number - kept)
  })
}

interface Row {
  readonly number: number
  readonly at_ms: number
  readonly policy: string
  readonly inputs_hash: string
  readonly body: string
}

const fromRow = ({ body, ...row }: Row): KeptDecision => ({ ...row, ...(JSON.parse(body) as DecisionBody) })

export function lastDecision({ database }: Pick<Store, 'database'>): KeptDecision | undefined {
  const row = one<Row>(database, 'select * from cap_decision order by number desc limit 1')
  return row && fromRow(row)
}

export const listDecisions = ({ database }: Pick<Store, 'database'>, limit: number): KeptDecision[] =>
  all<Row>(database, 'select * from cap_decision order by number desc limit ?', limit).map(fromRow)
