import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dice } from '../../lines/models/dice.ts'
import { layoutsOf, legal } from '../../plant/chips/mig/layouts.ts'
import { findMig } from '../../plant/chips/mig/tables.ts'
import type { Decision } from './decision.ts'
import { usualOutlook } from './outlook.ts'
import { type Plan, plan } from './plan.ts'
import { readCluster } from './read-cluster.ts'
import { readWorkload } from './read-workload.ts'

const noon = Date.UTC(2026, 10, 24, 12)
const config = { ...usualOutlook, streams: 8 }

const h200 = { id: 'h1', chip: 'h200', gpus: 2, cores: 64, memory_gib: 512, usd_per_gpu_hour: 3 }
const chat = {
  name: 'chat',
  model: 'meta-llama/Llama-3.1-8B',
  tenant: 'acme',
  usd_per_hour: 20,
  cores: 4,
  memory_gib: 16,
  run_on: [{ chip: 'h200', profile: '3g.71gb' }],
}

function planned(cluster: object, ...deployments: readonly object[]): Plan {
  const read = readCluster({ site: 's', nodes: [h200], ...cluster }, noon)
  return plan(read, readWorkload({ deployments }), config, 'hash')
}

const only = ({ decisions }: Plan): Decision => decisions[0] ?? assert.fail('no decision')
const said = (decision: Decision): string => decision.because.join('\n')
const at = (decision: Decision): string[] =>
  decision.verdict === 'placed'
    ? decision.on.map(({ node, gpus, start }) => `${node}:${gpus.join('+')}${start === null ? '' : `@${start}`}`)
    : []

test('a MIG plan for a described H200 ends in the exact commands', () => {
  const made = planned(
    {},
    { ...chat, replicas: 2 },
    {
      ...chat,
      name: 'embed',
      usd_per_hour: 2,
      replicas: 2,
      run_on: [{ chip: 'h200', profile: '1g.18gb', tokens_per_s: 900 }],
    },
  )
  assert.equal(made.totals.replicas_placed, 4)
  assert.equal(made.totals.gpus_cut, 2, 'two 3g fill one GPU, two 1g lie on the other')
  const [first] = made.commands
  assert.deepEqual(
    first?.steps.map(({ command }) => command),
    ['nvidia-smi -i 0 -mig 1', 'nvidia-smi mig -i 0 -cgi 9:0,9:4 -C', 'nvidia-smi mig -i 0 -lgi'],
  )
})

test('the same inputs give the same plan, to the letter', () => {
  const make = () => JSON.stringify(planned({}, { ...chat, replicas: 3 }))
  assert.equal(make(), make())
})

test('a refusal names who holds the slots, until when, and what moving would cost', () => {
  const standing = [
    {
      replica: 'a-1',
      deployment: 'a',
      tenant: 't',
      node: 'h1',
      gpus: [0],
      profile: '4g.71gb',
      start: 0,
      usd_per_hour: 9,
      until: '2026-11-24T18:00:00Z',
      movable: false,
    },
    {
      replica: 'b-1',
      deployment: 'b',
      tenant: 't',
      node: 'h1',
      gpus: [0],
      profile: '1g.18gb',
      start: 5,
      usd_per_hour: 30,
      weights_gb: 12,
      movable: true,
    },
    { replica: 'c-1', deployment: 'c', tenant: 't', node: 'h1', gpus: [1], usd_per_hour: 90, movable: false },
  ]
  const refused = only(planned({ standing }, { ...chat, usd_per_hour: 1 }))
  assert.equal(refused.verdict, 'refused')
  assert.match(
    said(refused),
    /3g\.71gb of h200: h1 GPU 0 slots 0 to 3 are held by a-1 \(freed at 2026-11-24T18:00:00\.000Z; may not be moved\)/,
  )
  const [nearest] = refused.verdict === 'refused' ? refused.refusal.nearest : []
  assert.deepEqual(nearest?.slots, [0, 3])

  const pinned = standing.map((one) => (one.replica === 'b-1' ? { ...one, usd_per_hour: 1, until: undefined } : one))
  const other = only(planned({ standing: pinned }, { ...chat, usd_per_hour: 1 }))
  assert.match(said(other), /slots 4 to 7 are held by b-1 \(stays; cost to move \$0\.0\d\)/)
})

test('who is in the way moves when there is room elsewhere and it pays; the books of slots stay legal', () => {
  const standing = [
    {
      replica: 'b-1',
      deployment: 'b',
      tenant: 't',
      node: 'h1',
      gpus: [0],
      profile: '1g.18gb',
      start: 5,
      usd_per_hour: 3,
      weights_gb: 12,
    },
    {
      replica: 'a-1',
      deployment: 'a',
      tenant: 't',
      node: 'h1',
      gpus: [0],
      profile: '4g.71gb',
      start: 0,
      usd_per_hour: 9,
      movable: false,
    },
    {
      replica: 'd-1',
      deployment: 'd',
      tenant: 't',
      node: 'h1',
      gpus: [1],
      profile: '4g.71gb',
      start: 0,
      usd_per_hour: 9,
      movable: false,
    },
    {
      replica: 'e-1',
      deployment: 'e',
      tenant: 't',
      node: 'h1',
      gpus: [1],
      profile: '1g.18gb',
      start: 4,
      usd_per_hour: 9,
      movable: false,
    },
  ]
  const made = only(planned({ standing }, chat))
  assert(made.verdict === 'placed' && made.displaced, said(made))
  assert.deepEqual(
    made.displaced.moved.map(({ replica, to }) => `${replica} ${to.gpus.join()} ${to.start}`),
    ['b-1 1 5'],
  )
  assert.equal(made.displaced.evicted.length, 0)
  assert.deepEqual(at(made), ['h1:0@4'])
})

test('who is worth less is evicted when nothing else helps, and only if it may be', () => {
  const batch = {
    replica: 'n-1',
    deployment: 'n',
    tenant: 'lab',
    node: 'h1',
    gpus: [0, 1],
    usd_per_hour: 4,
    movable: false,
  }
  const whole = { ...chat, run_on: [{ chip: 'h200', gpus: 1 }] }
  const evicting = only(planned({ standing: [{ ...batch, preemptible: true }] }, whole))
  assert(evicting.verdict === 'placed')
  assert.deepEqual(
    evicting.displaced?.evicted.map(({ replica }) => replica),
    ['n-1'],
  )
  assert.equal(only(planned({ standing: [{ ...batch, preemptible: false }] }, whole)).verdict, 'refused')
  const poor = { ...whole, usd_per_hour: 3 }
  assert.equal(only(planned({ standing: [{ ...batch, preemptible: true }] }, poor)).verdict, 'refused')
})

test('rules of nodes: draining, reservations, spread, power; of tenants: quota; of shapes: domain and profile', () => {
  const whole = { ...chat, run_on: [{ chip: 'h200', gpus: 1 }] }
  const why = (cluster: object, ...wanted: object[]): string =>
    said(planned(cluster, ...wanted).decisions.at(-1) as Decision)
  assert.match(why({ nodes: [{ ...h200, draining: true }] }, whole), /h1: draining/)
  assert.match(why({ reservations: [{ tenant: 'lab', nodes: ['h1'] }] }, whole), /h1: reserved for lab/)
  assert.equal(only(planned({ reservations: [{ tenant: 'acme', nodes: ['h1'] }] }, whole)).verdict, 'placed')
  assert.match(why({}, { ...whole, spread: 'node', replicas: 2 }), /h1: chat-1 of the same deployment is there/)
  const rack = { racks: [{ id: 'r', power_kw: 1 }], nodes: [{ ...h200, rack: 'r' }] }
  assert.match(why(rack, { ...whole, replicas: 2 }), /rack r has 90 W left, 910 W are needed/)
  assert.match(
    why({ quotas: [{ tenant: 'acme', gpus: 0.5 }] }, whole),
    /quota: acme has 0\.50 GPUs left, this takes 1\.00/,
  )
  assert.equal(only(planned({ quotas: [{ tenant: 'acme', gpus: 0.5 }] }, chat)).verdict, 'placed', 'a 3g is half a GPU')
  assert.match(why({}, { ...whole, run_on: [{ chip: 'h200', gpus: 4 }] }), /no node has 4 h200; the most is 2/)
  assert.match(why({}, { ...whole, run_on: [{ chip: 'l4', gpus: 1 }] }), /no node has l4/)
  assert.match(
    why({}, { ...whole, run_on: [{ chip: 'h200', profile: '3g.40gb' }] }),
    /there is no|has no MIG profile 3g\.40gb/,
  )
  const slow = { ...whole, slo: { itl_ms: 1 } }
  assert.match(why({}, slow), /the objective is 1 ms/)
})

test('of several chips the cheapest per token within the objective is taken', () => {
  const nodes = [h200, { id: 'l1', chip: 'l40s', gpus: 4, cores: 64, memory_gib: 512, usd_per_gpu_hour: 1 }]
  const either = {
    ...chat,
    run_on: [
      { chip: 'h200', gpus: 1 },
      { chip: 'l40s', gpus: 1 },
    ],
  }
  assert.deepEqual(at(only(planned({ nodes }, either))), ['h1:0'])
  const dear = [{ ...h200, usd_per_gpu_hour: 30 }, nodes[1]]
  const made = only(planned({ nodes: dear }, either))
  assert.deepEqual(at(made), ['l1:0'])
  assert.equal(made.weighed.length, 2)
  const [first, second] = made.weighed
  assert((first?.usd_million ?? 0) < (second?.usd_million ?? 0))
})

test('a model that we have no card of is judged by its published configuration', () => {
  const config = {
    num_hidden_layers: 32,
    hidden_size: 4096,
    vocab_size: 128_256,
    num_attention_heads: 32,
    num_key_value_heads: 8,
    intermediate_size: 14_336,
  }
  const unheard = { ...chat, model: 'someone/unheard-of', run_on: [{ chip: 'h200', gpus: 1 }] }
  assert.match(said(only(planned({}, unheard))), /there is no card of the model someone\/unheard-of: state tokens_s/)
  const made = only(planned({}, { ...unheard, config }))
  const known = only(planned({}, { ...chat, run_on: [{ chip: 'h200', gpus: 1 }] }))
  assert.equal(made.weighed[0]?.tokens_s, known.weighed[0]?.tokens_s)
  assert.throws(() => planned({}, { ...unheard, config: { ...config, hidden_size: 'x' } }), /config lacks hidden_size/)
})

test('racks may be described by how they are built', () => {
  const racks = [
    { id: 'old', density: 'enterprise' },
    { id: 'new', density: 'GB300 NVL72', cooling_kw: 100 },
  ]
  const { racks: read } = readCluster({ nodes: [h200], racks }, noon)
  assert.deepEqual(
    read.map(({ power, cooling, cooled }) => [power, cooling, cooled]),
    [
      [5000, 'air', 5000],
      [142_000, 'liquid', 100_000],
    ],
  )
})

test('a gang stands as a whole or not at all', () => {
  const gang = { ...chat, gang: true, replicas: 3, run_on: [{ chip: 'h200', gpus: 1 }] }
  const made = planned({}, gang)
  assert.deepEqual(
    made.decisions.map(({ verdict }) => verdict),
    ['refused', 'refused', 'refused'],
  )
  assert.match(said(only(made)), /the gang needs 3 places, 2 were found/)
  assert.equal(made.totals.gpus_used, 0)
  assert.equal(planned({}, { ...gang, replicas: 2 }).totals.gpus_used, 2)
})

test('stages of a pipeline lie near each other, and all or none are placed', () => {
  const nodes = [
    { ...h200, id: 'a', rack: 'r1', fabric: 'infiniband-ndr' },
    { ...h200, id: 'b', rack: 'r2', fabric: 'infiniband-ndr' },
    { ...h200, id: 'c', rack: 'r1', fabric: 'infiniband-ndr' },
  ]
  const racks = [
    { id: 'r1', power_kw: 40 },
    { id: 'r2', power_kw: 40 },
  ]
  const pipeline = (stages: number) => ({ ...chat, run_on: [{ chip: 'h200', gpus: 2, stages, tokens_per_s: 3000 }] })
  assert.deepEqual(at(only(planned({ nodes, racks }, pipeline(2)))), ['a:0+1', 'c:0+1'])
  assert.equal(only(planned({ nodes, racks }, pipeline(4))).verdict, 'refused')
  const apart = nodes.map((node) => ({ ...node, fabric: undefined }))
  assert.equal(only(planned({ nodes: apart, racks }, pipeline(2))).verdict, 'refused', 'no network, no stages')
})

test('only what is missing is placed, the most valuable first', () => {
  const standing = [
    {
      replica: 'chat-2',
      deployment: 'chat',
      tenant: 'acme',
      node: 'h1',
      gpus: [1],
      profile: '3g.71gb',
      start: 4,
      usd_per_hour: 20,
    },
  ]
  const made = planned({ standing }, { ...chat, name: 'poor', usd_per_hour: 1 }, { ...chat, replicas: 2 })
  assert.deepEqual(
    made.decisions.map(({ replica }) => replica),
    ['chat-1', 'poor-1'],
  )
  assert.match(planned({ standing }, { ...chat, replicas: 0 }).notes.join('\n'), /chat runs 1 times, 0 are wanted/)
})

test('what runs is moved together when a GPU freed is worth more than the moves', () => {
  const standing = [0, 1].map((gpu) => ({
    replica: `e-${gpu}`,
    deployment: 'e',
    tenant: 't',
    node: 'h1',
    gpus: [gpu],
    profile: '1g.18gb',
    start: 0,
    instance: gpu + 3,
    usd_per_hour: 1,
    weights_gb: 2,
  }))
  const made = planned({ standing }, { ...chat, replicas: 0 })
  const [one] = made.repartitions
  assert(one && made.repartitions.length === 1)
  assert.equal(one.moves.length, 1)
  assert(one.cost_usd < one.saves_usd_hour * 24)
  assert.equal(made.totals.gpus_used, 1)
  const steps = made.commands.map(({ steps: of }) => of.map(({ command }) => command))
  assert.equal(steps.length, 2)
  assert.match(steps[0]?.join() ?? '', /-cgi 19:\d -C/)
  assert.match(steps[1]?.join() ?? '', /-dci -gi [34],nvidia-smi mig -i [01] -dgi -gi [34]/)
  const cheap = planned({ standing, nodes: [{ ...h200, usd_per_gpu_hour: 0 }] }, { ...chat, replicas: 0 })
  assert.equal(cheap.repartitions.length, 0, 'a GPU that costs nothing saves nothing')
})

test('whatever is wanted on whatever stands: places are legal, nobody holds more than there is, gone is gone', () => {
  const geometry = findMig('h200') ?? assert.fail()
  const layouts = layoutsOf(geometry) ?? assert.fail()
  for (let seed = 1; seed <= 25; seed++) {
    const next = dice(seed)
    const pick = <T>(of: readonly T[]): T => of[Math.floor(next() * of.length)] as T
    const deployments = Array.from({ length: 5 }, (_, index) => ({
      ...chat,
      name: `d${index}`,
      replicas: 1 + Math.floor(next() * 4),
      usd_per_hour: Math.floor(next() * 40),
      run_on: [
        pick([
          { chip: 'h200', profile: pick(['1g.18gb', '1g.35gb', '2g.35gb', '3g.71gb', '4g.71gb']), tokens_per_s: 500 },
          { chip: 'h200', gpus: 1 },
          { chip: 'h200', share: 0.5, tokens_per_s: 800 },
        ]),
      ],
    }))
    const first = planned({}, ...deployments)
    const holders = first.decisions.flatMap((one) => (one.verdict === 'placed' ? one.on : []))
    for (const gpu of [0, 1]) {
      const slices = holders
        .filter((one) => one.gpus.includes(gpu))
        .flatMap(({ profile, start }) =>
          layouts.slices.filter((one) => one.profile.name === profile && one.start === start),
        )
      const uncut = holders.filter((one) => one.gpus.includes(gpu) && one.profile === null)
      assert(legal(geometry, slices), `seed ${seed} GPU ${gpu}`)
      assert(slices.length === 0 || uncut.length === 0, `seed ${seed}: GPU ${gpu} is cut and uncut`)
    }
    assert(first.totals.allocated_pct <= 100)
  }
})
