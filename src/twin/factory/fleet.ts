import type { PriceVersion } from '../../books/price.ts'
import { priceList } from '../../books/price.ts'
import type { Grant, Snapshot } from '../../lines/inference/snapshot.ts'
import { findAccelerator } from '../../plant/chips/catalogue.ts'
import type { Replica } from '../../plant/infrastructure/replica.ts'
import { weightFormats } from '../../plant/models/card.ts'
import { findModel } from '../../plant/models/cards.ts'
import type { StepCost } from '../../plant/models/step-cost.ts'
import { fittedCost } from '../../plant/models/step-cost.ts'
import { type Deployment, kvRoom, missingFacts, stepPhysics } from '../../plant/models/step-physics.ts'
import { id } from '../../units/ids.ts'
import { PagedScheduler } from '../engine/paged.ts'
import { SlotScheduler } from '../engine/slots.ts'
import type { Scheduler } from '../engine/step.ts'
import type { Kernel } from '../kernel.ts'
import { type Pool, type Scenario, ScenarioError } from '../scenario.ts'
import { Station } from './station.ts'

/** The replicas of a scenario, and the snapshot that its gateways serve under. */
export function buildFleet(
  scenario: Scenario,
  kernel: Kernel,
): { readonly stations: readonly Station[]; readonly snapshot: Snapshot } {
  const times = { probe_ns: Math.round(scenario.probe_s * 1e9), start_ms: scenario.start_ms }
  const stations = scenario.pools.flatMap((pool) => {
    const parts = { cost: stepCostOf(pool), loop: pool.loop, speech: pool.speech }
    const cacheTokens = cacheTokensOf(pool)
    return Array.from({ length: pool.replicas }, (_, at) => {
      const ranks = Array.from({ length: pool.ranks }, () => schedulerOf(pool, cacheTokens))
      return new Station(
        kernel,
        replicaOf(pool, at, { ...parts, cacheTokens }, scenario.energy),
        { ...parts, ranks },
        times,
      )
    })
  })
  return {
    stations,
    snapshot: snapshotOf(
      scenario,
      stations.map(({ replica }) => replica),
    ),
  }
}

/** What an operator knows of a replica beforehand: its cache, its price, its power. How fast it is, gateways learn. */
const replicaOf = (
  pool: Pool,
  at: number,
  { cost, cacheTokens }: { readonly cost: StepCost; readonly cacheTokens: number },
  { usdPerKwh, pue }: Scenario['energy'],
): Replica => ({
  id: id(`${pool.name}-${at + 1}`),
  vendor: pool.engine.kind === 'vllm' ? 'openai' : 'llama',
  models: { [pool.model]: pool.model },
  concurrency: pool.concurrency,
  draining: false,
  facts: {
    cacheTokens: pool.ranks * cacheTokens,
    ...(pool.usdPerHour > 0 && { nanoDollarsPerHour: pool.usdPerHour * 1e9 }),
    ...(cost.full_w > cost.idle_w && {
      activeWatts: cost.full_w - cost.idle_w,
      nanoDollarsPerJoule: (usdPerKwh * pue * 1e9) / 3.6e6,
    }),
  },
})

function snapshotOf(scenario: Scenario, replicas: readonly Replica[]): Snapshot {
  const byModel = new Map(scenario.pools.map(({ model, price }) => [model, price]))
  const prices = [...byModel].map(
    ([model, price], at): PriceVersion => ({
      version: at + 1,
      model: id(model),
      effective_from_ms: 0,
      perMillion: priceList(price.input, price.output, { cache_read: price.cached }),
      note: '',
    }),
  )
  const grants = scenario.clients.map(
    ({ tenant, application, slo }, at): Grant => ({
      key: id(`key-${at + 1}`),
      tenant: id(tenant),
      application: id(application),
      models: null,
      expires_ms: null,
      slo,
    }),
  )
  return {
    number: 1,
    published_ms: scenario.start_ms,
    grants: new Map(grants.map((grant) => [grant.key, grant])),
    prices,
    allowances: new Map(),
    energyPerToken_mj: new Map(),
    aliases: new Map(),
    replicas,
    gateways: scenario.gateways,
  }
}

export function stepCostOf(pool: Pool): StepCost {
  if (pool.cost.rung === 'fitted') return fittedCost(pool.cost.time, pool.cost.energy)
  return stepPhysics(deploymentOf(pool))
}

function deploymentOf({ name, model, cost }: Pool): Deployment {
  if (cost.rung !== 'data sheet') throw new ScenarioError(`pool ${name} is not taken from data sheets`)
  const [card, chip] = [findModel(model), findAccelerator(cost.chip)]
  if (!card) throw new ScenarioError(`pool ${name}: there is no card of the model ${model}`)
  if (!chip) throw new ScenarioError(`pool ${name}: there is no chip ${cost.chip} in the catalogue`)
  const weights = weightFormats[cost.weights as keyof typeof weightFormats] ?? card.published
  const deployment: Deployment = { model: card, chip, chips: cost.chips, weights, kv: cost.kv }
  const missing = missingFacts(deployment)
  if (missing.length > 0)
    throw new ScenarioError(
      `pool ${name}: nobody says the ${missing.join(' and ')} of ${chip.name}: fit the engine instead`,
    )
  return deployment
}

/** Tokens of KV cache on each rank. */
function cacheTokensOf(pool: Pool): number {
  if (pool.engine.kind === 'vllm' && pool.engine.blocks !== undefined)
    return pool.engine.blocks * pool.engine.paged.blockTokens
  if (pool.engine.kind === 'llama.cpp') return pool.engine.slots * pool.engine.contextTokens
  const deployment = deploymentOf(pool)
  const tokens = kvRoom(deployment)
  if (tokens === 0)
    throw new ScenarioError(
      `pool ${pool.name}: the weights of ${pool.model} do not fit on ${deployment.chips} × ${deployment.chip.name}`,
    )
  return tokens
}

function schedulerOf(pool: Pool, cacheTokens: number): Scheduler {
  if (pool.engine.kind === 'llama.cpp') return new SlotScheduler(pool.engine)
  const { paged } = pool.engine
  const blocks = Math.floor(cacheTokens / paged.blockTokens)
  const maxModelTokens = Math.min(
    paged.maxModelTokens,
    blocks * paged.blockTokens,
    findModel(pool.model)?.contextWindow ?? paged.maxModelTokens,
  )
  return new PagedScheduler({ ...paged, blocks, maxModelTokens })
}
