import { sloClasses } from '../books/slo-class.ts'
import { rules } from '../lines/inference/routing.ts'
import type { Bounds } from '../lines/inference/snapshot.ts'
import { Field } from '../units/field.ts'
import { seconds } from '../units/quantity.ts'
import { poolIn } from './pool-read.ts'
import type { Client, Fault, PowerPlan, Scenario, Workload } from './scenario.ts'
import { ScenarioError } from './scenario.ts'
import { officeDay } from './workload/arrivals.ts'
import { azureColumns, usualColumns } from './workload/table.ts'

/** A scenario as it stands in a file → the scenario, or the first thing in it that cannot be, by its place. */
export function readScenario(value: unknown): Scenario {
  const top = new Field(value, [], 'the scenario')
  const pools = top.list('pools').map(poolIn)
  const replicas = pools.flatMap(({ name, replicas: count }) =>
    Array.from({ length: count }, (_, at) => `${name}-${at + 1}`),
  )
  if (new Set(pools.map(({ name }) => name)).size < pools.length)
    throw new ScenarioError('pools: two have one name', ['pools'])
  const models = pools.map(({ model }) => model)
  const gateway = top.group('gateway')
  const scenario: Scenario = {
    name: top.text('name'),
    seed: top.whole('seed', { from: 0, to: Number.MAX_SAFE_INTEGER, usually: 1 }),
    start_ms: top.moment('start', Date.UTC(2026, 0, 5)),
    gateways: top.whole('gateways', { from: 1, to: 64, usually: 1 }),
    tell_ms: top.whole('gateways_tell_ms', { from: 0, to: 60_000, usually: 100 }),
    taken: top.oneOf('gateways_take', ['turns', 'chance'] as const, 'turns'),
    pools,
    clients: top.has('clients') ? top.list('clients').map((client) => clientIn(client, models)) : [everyone(models)],
    workload: workloadIn(top.group('workload')),
    bounds: boundsIn(gateway),
    routing: gateway.oneOf('routing', Object.keys(rules), 'money'),
    deadline_s: top.number('deadline_s', { from: 1, to: 1e6, usually: 600 }),
    commit_ms: top.number('journal_commit_ms', { from: 0, to: 1000, usually: 1 }),
    probe_s: top.number('probe_s', { from: 0, to: 600, usually: 2 }),
    objectives: objectivesIn(top.group('objectives')),
    energy: energyIn(top.group('energy')),
    power: top.has('power') ? powerIn(top.group('power')) : undefined,
    faults: top.has('faults') ? top.list('faults').map((fault) => faultIn(fault, replicas)) : [],
  }
  gateway.done()
  top.done()
  return scenario
}

const everyone = (models: readonly string[]): Client => ({
  tenant: 'everyone',
  application: 'default',
  slo: 'interactive',
  model: models[0] ?? '',
  share: 1,
  leaves: { share: 0, tokens: undefined, seconds: undefined },
  maxTokens: 'none',
})

function clientIn(field: Field, models: readonly string[]): Client {
  const leaves = field.group('leaves')
  const maxTokens = field.any('max_tokens') ?? 'none'
  const client: Client = {
    tenant: field.text('tenant'),
    application: field.text('application', 'default'),
    slo: field.oneOf('slo', sloClasses, 'interactive'),
    model: field.oneOf('model', models, models[0]),
    share: field.number('share', { from: 0, to: 1e9, usually: 1 }),
    leaves: {
      share: leaves.number('share', { from: 0, to: 1, usually: 0 }),
      tokens: leaves.has('within_tokens') ? leaves.whole('within_tokens', { from: 1, to: 1e9 }) : undefined,
      seconds: leaves.has('within_s') ? leaves.number('within_s', { from: 0, to: 1e6 }) : undefined,
    },
    maxTokens:
      maxTokens === 'none' || maxTokens === 'answer' ? maxTokens : field.whole('max_tokens', { from: 1, to: 1e9 }),
  }
  leaves.done()
  field.done()
  return client
}

function workloadIn(field: Field): Workload {
  const workload = field.has('trace') ? traceIn(field) : syntheticIn(field)
  field.done()
  return workload
}

function traceIn(field: Field): Workload {
  const format = field.oneOf('format', ['mooncake', 'azure', 'csv', 'json'])
  const columns = field.group('columns')
  const usual = format === 'azure' ? azureColumns : usualColumns
  const trace: Workload = {
    kind: 'trace',
    file: field.text('trace'),
    format,
    columns: {
      time: columns.text('time', usual.time),
      timeIn: columns.oneOf('time_in', ['s', 'ms', 'timestamp'], usual.timeIn),
      prompt: columns.text('prompt', usual.prompt),
      answer: columns.text('answer', usual.answer),
    },
    speed: field.number('speed', { from: 1e-3, to: 1e6, usually: 1 }),
    requests: field.whole('requests', { from: 1, to: 1e9, usually: 1e9 }),
  }
  columns.done()
  return trace
}

function syntheticIn(field: Field): Workload {
  const beginnings = field.group('beginnings')
  const daily = field.any('daily')
  const lengths = (name: string) => {
    const of = field.group(name)
    const shape = {
      median: of.number('median', { from: 1, to: 1e7 }),
      spread: of.number('spread', { from: 0, to: 5, usually: 0.7 }),
      most: of.whole('most', { from: 1, to: 1e7, usually: 1e7 }),
    }
    of.done()
    return shape
  }
  if (!field.has('requests') && !field.has('seconds'))
    field.fail('requests', 'or `seconds` must be given: a workload comes to an end')
  const workload: Workload = {
    kind: 'synthetic',
    arrivals: {
      perSecond: field.number('per_second', { from: 1e-6, to: 1e6 }),
      burst: field.number('burst', { from: 0.05, to: 20, usually: 1 }),
      ...(daily === 'office'
        ? { daily: officeDay }
        : daily !== undefined && { daily: field.numbers('daily', { from: 0, to: 1e6 }) }),
    },
    requests: field.whole('requests', { from: 1, to: 1e9, usually: 1e9 }),
    seconds: field.number('seconds', { from: 1, to: 1e7, usually: 1e7 }),
    prompt: lengths('prompt'),
    answer: lengths('answer'),
    beginnings: {
      share: beginnings.number('share', { from: 0, to: 1, usually: 0 }),
      kinds: beginnings.whole('kinds', { from: 1, to: 1e6, usually: 1 }),
      tokens: beginnings.whole('tokens', { from: 0, to: 1e6, usually: 0 }),
    },
  }
  beginnings.done()
  return workload
}

function boundsIn(field: Field): Bounds {
  return {
    queueLength: field.whole('queue_length', { from: 0, to: 1e6, usually: 1000 }),
    queueTime: seconds(field.number('queue_s', { from: 0, to: 1e5, usually: 60 })),
    absentTime: seconds(field.number('absent_s', { from: 0, to: 1e5, usually: 5 })),
    leaseTime: seconds(field.number('lease_s', { from: 0, to: 1e5, usually: 1 })),
    hedging: { share: field.number('hedge_percent', { from: 0, to: 100, usually: 0 }) / 100, samples: 100 },
    attempts: field.whole('attempts', { from: 1, to: 10, usually: 3 }),
  }
}

function objectivesIn(field: Field): Scenario['objectives'] {
  const objectives = {
    ttft_ms: field.number('ttft_ms', { from: 1, to: 1e7, usually: 2000 }),
    tpot_ms: field.number('tpot_ms', { from: 0.1, to: 1e6, usually: 50 }),
  }
  field.done()
  return objectives
}

function energyIn(field: Field): Scenario['energy'] {
  const energy = {
    meter_s: field.number('meter_s', { from: 0.1, to: 3600, usually: 10 }),
    pue: field.number('pue', { from: 1, to: 3, usually: 1.25 }),
    usdPerKwh: field.number('usd_per_kwh', { from: 0, to: 100, usually: 0.08 }),
  }
  field.done()
  return energy
}

function powerIn(field: Field): PowerPlan {
  const meter = field.group('meter')
  const watts = { from: 1, to: 1e10 }
  const power = {
    limit_w: field.number('limit_w', watts),
    other_w: field.number('other_w', { from: 0, to: 1e10, usually: 0 }),
    events: field.has('events')
      ? field.list('events').map((event) => {
          const one = {
            at_s: event.number('at_s', { from: 0, to: 1e7 }),
            for_s: event.number('for_s', { from: 1, to: 1e7 }),
            limit_w: event.number('limit_w', watts),
            notice_s: event.number('notice_s', { from: 0, to: 1e7, usually: 3600 }),
          }
          event.done()
          return one
        })
      : [],
    meter: {
      lag_s: meter.number('lag_s', { from: 0, to: 60, usually: 1 }),
      noise: meter.number('noise', { from: 0, to: 1, usually: 0.02 }),
    },
    publish_s: field.number('publish_s', { from: 0, to: 60, usually: 0.2 }),
    confirm_s: field.number('confirm_s', { from: 0, to: 60, usually: 1 }),
  }
  meter.done()
  field.done()
  return power
}

const faultKinds = ['crash', 'slow', 'silent', 'deaf', 'operator'] as const

function faultIn(field: Field, replicas: readonly string[]): Fault {
  const kind = field.oneOf('kind', faultKinds)
  const when = { at_s: field.number('at_s', { from: 0, to: 1e7 }), for_s: field.number('for_s', { from: 0, to: 1e7 }) }
  const of = (): string => field.oneOf('replica', replicas)
  const slow = (): number => field.number('factor', { from: 1, to: 1000 })
  const fault: Fault =
    kind === 'operator'
      ? { kind, ...when }
      : kind === 'slow'
        ? { kind, replica: of(), ...when, factor: slow() }
        : { kind, replica: of(), ...when }
  field.done()
  return fault
}
