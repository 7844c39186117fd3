/** Placement against optimal answers: small cases, solved as integer programs by HiGHS. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as highsModule from 'highs'
import { type Dice, dice } from '../bench/dice.ts'
import { type Cell, cellOf, EMPTY, type Grid, gridOf, layoutOf } from '../src/control/place/cells.ts'
import { type CutGpu, consolidate } from '../src/control/place/consolidate.ts'
import { fewestGpus, maximalContents } from '../src/control/place/cover.ts'
import type { Demand } from '../src/control/place/demand.ts'
import { outlook, usualOutlook } from '../src/control/place/outlook.ts'
import { Placer } from '../src/control/place/placer.ts'
import { layoutValues } from '../src/control/place/slots.ts'
import { withoutMedia } from '../src/plant/chips/mig/geometry.ts'
import { layoutsOf } from '../src/plant/chips/mig/layouts.ts'
import { findMig } from '../src/plant/chips/mig/tables.ts'

// Its types describe the CommonJS build; what an import gets is the loader as the default.
const loadHighs = highsModule.default as unknown as () => Promise<highsModule.LegacyHighs>
const highs = await loadHighs()

/** Value of the optimum of a program in CPLEX LP text. */
function optimum(program: string): number {
  const solution = highs.solve(program, { time_limit: 20, mip_rel_gap: 0 })
  assert.equal(solution.Status, 'Optimal')
  return Math.round(solution.ObjectiveValue)
}

const sum = (terms: readonly string[]): string => (terms.length > 0 ? terms.join(' + ') : '0 zero')

function h200(): Grid {
  const geometry = findMig('H200-141GB') ?? assert.fail()
  return gridOf(layoutsOf(withoutMedia(geometry)) ?? assert.fail())
}

/** Fewest GPUs that hold so many of each profile: covering by maximal layouts, in whole numbers. */
const fewest = (grid: Grid, counts: readonly number[]): number => {
  const contents = maximalContents(grid)
  return optimum(
    [
      `Minimize\n obj: ${sum(contents.map((_, index) => `x${index}`))}`,
      'Subject To',
      ...counts.map(
        (count, profile) =>
          ` p${profile}: ${sum(contents.flatMap((content, index) => (content[profile] ? `${content[profile]} x${index}` : [])))} >= ${count}`,
      ),
      `General\n ${contents.map((_, index) => `x${index}`).join(' ')}`,
      'End',
    ].join('\n'),
  )
}

test('the bound on GPUs is below the optimum, by one at most', () => {
  const grid = h200()
  let equal = 0
  const cases = 60
  for (let seed = 1; seed <= cases; seed++) {
    const chance = dice(seed)
    const counts = grid.profiles.map(() => chance.whole(0, 15))
    const [bound, best] = [fewestGpus(maximalContents(grid), counts), fewest(grid, counts)]
    assert(bound <= best && best <= bound + 1, `seed ${seed}: bound ${bound}, optimum ${best} for ${counts}`)
    if (bound === best) equal++
  }
  console.log(`bound = optimum in ${equal} of ${cases} cases`)
  assert(equal > cases / 2)
})

/** Instances scattered over GPUs: what many arrivals and departures leave behind. */
function scattered(grid: Grid, chance: Dice): CutGpu[] {
  let id = 0
  return Array.from({ length: 14 }, (_, gpu) => {
    let cell: Cell = EMPTY
    const held: { id: number; slice: number; movable: boolean }[] = []
    for (let tries = 0; tries < 3; tries++) {
      const slice = chance.whole(0, grid.layouts.slices.length - 1)
      const to = grid.layouts.added[layoutOf(cell) * grid.layouts.slices.length + slice] ?? -1
      if (to < 0) continue
      cell = cellOf(to)
      held.push({ id: id++, slice, movable: true })
    }
    return { gpu, cell, held }
  })
}

test('consolidation, repeated, comes to the optimum or within 5 % of it on the mean', () => {
  const grid = h200()
  const values = layoutValues(grid, [0.3, 0.1, 0.2, 0.2, 0.1, 0.1])
  let [reached, optimal] = [0, 0]
  for (let seed = 1; seed <= 40; seed++) {
    let gpus = scattered(grid, dice(seed)).filter((one) => one.held.length > 0)
    const counts = grid.profiles.map((_, profile) =>
      gpus.reduce(
        (total, { held }) => total + held.filter(({ slice }) => grid.slices[profile]?.includes(slice)).length,
        0,
      ),
    )
    for (let plan = consolidate(grid, gpus, values, 8); plan; plan = consolidate(grid, gpus, values, 8))
      gpus = after(grid, gpus, plan.moves)
    const best = fewest(grid, counts)
    assert(gpus.length >= best, `seed ${seed}: ${gpus.length} GPUs cannot hold what needs ${best}`)
    reached += gpus.length
    optimal += best
  }
  console.log(`consolidated to ${reached} GPUs, optimum ${optimal}`)
  assert(reached <= 1.05 * optimal)
})

/** The fleet after a plan; every layout on the way out must be legal. */
function after(
  grid: Grid,
  gpus: readonly CutGpu[],
  moves: NonNullable<ReturnType<typeof consolidate>>['moves'],
): CutGpu[] {
  const to = new Map(moves.map((move) => [move.id, move.to]))
  const all = gpus.flatMap(({ gpu, held }) => held.map((one) => ({ ...one, gpu, ...to.get(one.id) })))
  return gpus.flatMap(({ gpu }) => {
    const held = all.filter((one) => one.gpu === gpu).map(({ id, slice }) => ({ id, slice, movable: true }))
    const layout = held.reduce((state, { slice }) => {
      const next = grid.layouts.added[state * grid.layouts.slices.length + slice] ?? -1
      assert(next >= 0, 'a plan ends in legal layouts')
      return next
    }, 0)
    return held.length > 0 ? [{ gpu, cell: cellOf(layout), held }] : []
  })
}

const GPUS = 4
const nodes = [48_000, 32_000, 24_000].map((cpu_milli) => ({ inClass: 0, cpu_milli, memory_mib: 1_000_000 }))
const classes = [{ chip: 'l40s', gpus: GPUS, grid: undefined }]
const kinds: readonly Demand[] = [
  { cpu_milli: 4000, memory_mib: 0, gpu: { kind: 'share', milli: 300 }, chips: null },
  { cpu_milli: 6000, memory_mib: 0, gpu: { kind: 'share', milli: 700 }, chips: null },
  { cpu_milli: 3000, memory_mib: 0, gpu: { kind: 'share', milli: 500 }, chips: null },
  { cpu_milli: 8000, memory_mib: 0, gpu: { kind: 'whole', gpus: 1 }, chips: null },
  { cpu_milli: 16_000, memory_mib: 0, gpu: { kind: 'whole', gpus: 2 }, chips: null },
]

const size = ({ gpu }: Demand): number =>
  gpu.kind === 'share' ? gpu.milli : gpu.kind === 'whole' ? gpu.gpus * 1000 : 0

/** Most thousandths of GPUs that can be given at once, when all demands are known beforehand. */
function mostGiven(demands: readonly Demand[]): number {
  const each = <T>(of: (demand: number, node: number) => T[]): T[] =>
    demands.flatMap((_, demand) => nodes.flatMap((_, node) => of(demand, node)))
  const onGpu = (demand: number, node: number): string[] =>
    Array.from({ length: GPUS }, (_, gpu) => `g${demand}_${node}_${gpu}`)
  const gpusOf = (one: Demand): number => (one.gpu.kind === 'whole' ? one.gpu.gpus : 1)
  return optimum(
    [
      `Maximize\n obj: ${sum(each((demand, node) => [`${size(demands[demand] as Demand)} y${demand}_${node}`]))}`,
      'Subject To',
      ...demands.map((_, demand) => ` once${demand}: ${sum(nodes.map((_, node) => `y${demand}_${node}`))} <= 1`),
      ...each((demand, node) => [
        ` gpus${demand}_${node}: ${sum(onGpu(demand, node))} - ${gpusOf(demands[demand] as Demand)} y${demand}_${node} = 0`,
      ]),
      ...nodes.map(
        ({ cpu_milli }, node) =>
          ` cpu${node}: ${sum(demands.map((one, demand) => `${one.cpu_milli} y${demand}_${node}`))} <= ${cpu_milli}`,
      ),
      ...nodes.flatMap((_, node) =>
        Array.from(
          { length: GPUS },
          (_, gpu) =>
            ` full${node}_${gpu}: ${sum(demands.map((one, demand) => `${size(one) / gpusOf(one)} g${demand}_${node}_${gpu}`))} <= 1000`,
        ),
      ),
      `Binary\n ${each((demand, node) => [`y${demand}_${node}`, ...onGpu(demand, node)]).join(' ')}`,
      'End',
    ].join('\n'),
  )
}

test('placed one by one without looking ahead, at least nine tenths of what an optimum that knows all could give', () => {
  let [given, best] = [0, 0]
  for (let seed = 1; seed <= 25; seed++) {
    const chance = dice(seed)
    const demands = Array.from({ length: 16 }, () => chance.pick(kinds))
    const expected = kinds.map((demand) => ({ demand, frequency: 1 }))
    const placer = new Placer(classes, nodes, outlook(expected, classes, usualOutlook))
    let placed = 0
    for (const demand of demands) {
      const choice = placer.choose(demand)
      if (!choice) continue
      placer.take(demand, choice)
      placed += size(demand)
    }
    const optimal = mostGiven(demands)
    assert(placed <= optimal, `seed ${seed}: ${placed} placed, but ${optimal} is the most`)
    given += placed
    best += optimal
  }
  console.log(
    `given ${given / 1000} GPUs one by one, ${best / 1000} by the optimum: ${((100 * given) / best).toFixed(1)} %`,
  )
  assert(given >= 0.9 * best)
})
