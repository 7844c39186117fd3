import type { Decision, Moved } from '../../control/place/decision.ts'
import { saidOfLocation } from '../../control/place/location.ts'
import type { Plan } from '../../control/place/plan.ts'
import { fields, table } from './print.ts'

/** A plan for people; `-o json` holds all of it. */
export const planView = (plan: Plan): string[] => [
  ...fields({
    site: plan.site,
    at: new Date(plan.at_ms).toISOString(),
    policy: plan.policy,
    inputs: plan.inputs,
    replicas: `${plan.totals.replicas_placed} placed, ${plan.totals.replicas_refused} refused`,
    gpus: `${plan.totals.gpus_used} of ${plan.totals.gpus} used, ${plan.totals.allocated_pct.toFixed(1)} % of them allocated`,
    mig: `${plan.totals.gpus_cut} GPUs hold slices; ${plan.totals.gpus_cut_least} is the fewest that could`,
  }),
  ...part('Decisions', plan.decisions.length > 0 ? table(plan.decisions.map(decisionRow)) : []),
  ...part(
    'Why',
    plan.decisions.flatMap(({ replica, because }) => [replica, ...because.map((one) => `  ${one}`)]),
  ),
  ...part(
    'Moved together, since it pays',
    plan.repartitions.flatMap(({ freed, moves, cost_usd, saves_usd_hour }) => [
      `${freed.node} GPU ${freed.gpu} becomes free: $${saves_usd_hour.toFixed(2)} an hour, for $${cost_usd.toFixed(3)} once`,
      ...moves.map((one) => `  ${movedLine(one)}`),
    ]),
  ),
  ...part(
    'To type, from above to below, once what is destroyed is drained (dry run)',
    plan.commands.flatMap(({ node, steps }, at) => [
      ...(plan.commands[at - 1]?.node === node ? [] : [`on ${node}:`]),
      ...steps.map(({ command, why }) => `  ${command}    # ${why}`),
    ]),
  ),
  ...part('Notes', plan.notes),
]

const part = (title: string, lines: readonly string[]): string[] => (lines.length > 0 ? ['', title, ...lines] : [])

function decisionRow(decision: Decision) {
  const { replica, verdict } = decision
  if (decision.verdict === 'refused')
    return { replica, verdict, runs_on: null, at: null, tokens_s: null, usd_per_m: null }
  const { on, shape, tokens_s, usd_million, displaced } = decision
  return {
    replica,
    verdict: displaced ? 'placed, displacing' : verdict,
    runs_on: shape,
    at: on.map(saidOfLocation),
    tokens_s: tokens_s.toFixed(0),
    usd_per_m: usd_million?.toFixed(3) ?? null,
  }
}

const movedLine = ({ replica, from, to, usd, seconds, interrupts }: Moved): string =>
  `${replica}: ${saidOfLocation(from)} → ${saidOfLocation(to)}, ${seconds.toFixed(0)} s, ${usd === null ? 'cost unknown' : `$${usd.toFixed(3)}`}${interrupts ? ', stops first' : ', serves on meanwhile'}`
