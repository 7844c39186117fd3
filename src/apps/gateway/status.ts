import type { SyncRequest } from '../../adapters/operator/contract.ts'
import type { Earnings } from '../../control/cap/earnings.ts'
import type { Flow } from '../../lines/inference/flow.ts'
import type { Seconds } from '../../units/quantity.ts'
import { readiness } from './ready.ts'
import type { State } from './state.ts'

/** What fits a screen: the oldest requests, since the one that hangs is among them. */
const mostFlows = 50

/** What a gateway tells of itself each second. */
export function statusOf(state: State): Omit<SyncRequest, 'metrics'> {
  const flows = [...state.world.flows]
  return {
    incarnation: state.incarnation,
    pid: process.pid,
    snapshot: state.snapshot?.number ?? 0,
    ready: readiness(state).ready,
    running: state.world.running,
    waiting: state.policy.admitter.waiting,
    journal_depth: state.journal.depth,
    journal_up: state.journal.state === 'up',
    peers: state.policy.router.peers,
    replicas: (state.snapshot?.replicas ?? []).map(({ id }) => {
      const { up, running } = state.policy.router.load(id)
      return { id, up, running }
    }),
    models: modelLoads(flows),
    demands: demandsOf(flows, state.measures.earnings),
    flows: flows.slice(0, mostFlows).map((flow) => flowLine(flow, state.now())),
  }
}

function modelLoads(flows: readonly Flow[]): SyncRequest['models'] {
  return [...Map.groupBy(flows, ({ ask }) => ask.model)].map(([model, of]) => {
    const waiting = of.filter(({ phase }) => phase === 'queued').length
    return { model, running: of.length - waiting, waiting }
  })
}

const demandsOf = (flows: readonly Flow[], earnings: Earnings): NonNullable<SyncRequest['demands']> =>
  [...Map.groupBy(flows, ({ ask }) => ask.model)].flatMap(([model, of]) =>
    [...Map.groupBy(of, ({ ask }) => ask.slo)].map(([slo, those]) => {
      return { model, slo, requests: those.length, worth: earnings.lostBy(model, slo) }
    }),
  )

const flowLine = (flow: Flow, now: Seconds): SyncRequest['flows'][number] => ({
  id: flow.id,
  tenant: flow.ask.grant.tenant,
  application: flow.ask.grant.application,
  model: flow.ask.model,
  engine: flow.replica?.id ?? null,
  phase: flow.phase,
  attempt: flow.attempt,
  tokens: flow.produced,
  age_ms: Math.max(0, Math.round((now - flow.askedAt) * 1000)),
})
