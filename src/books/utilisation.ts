/**
 * How much of the machines was used, and by whom.
 *
 *     busy share = seconds with work ÷ seconds
 *     MFU = FLOPs that the tokens need ÷ (busy seconds × peak FLOP/s)       PaLM (Chowdhery et al. 2022), appendix B
 *     MBU = bytes that the steps read ÷ (busy seconds × peak bytes/s)       Databricks, LLM Inference Performance Engineering, 2023
 *     chip-seconds = share of the engine's busy time × its chips
 *     KV byte-seconds = tokens in the cache × bytes a token × time
 *
 * Both utilisations are of the time at work: of all time they are that times the busy share. FLOPs and bytes follow from the shape of the
 * model and the tokens (`taken` in plant/models/step-physics.ts), not from a counter. What a fact is missing for is null, with the reason.
 */
import type { ChipCard } from '../plant/chips/card.ts'
import type { ModelCard } from '../plant/models/card.ts'
import { kvBytesPerToken } from '../plant/models/memory.ts'
import type { Deployment } from '../plant/models/step-physics.ts'
import { peakOf, taken } from '../plant/models/step-physics.ts'
import { figure } from './figures.ts'
import type { BusySeconds, WorkShare } from './work-hour.ts'

export const utilisationDimensions = ['replica', 'chip', 'site', 'tenant', 'application', 'model'] as const
export type UtilisationDimension = (typeof utilisationDimensions)[number]

export interface Chips {
  readonly chip: ChipCard
  readonly count: number
}

/** What is known of engines and models; a text is the reason why it is not. */
export interface PlantFacts {
  chips(replica: string): Chips | string
  site(replica: string): string
  card(replica: string, model: string): ModelCard | string
}

export interface UtilisationFacts {
  readonly from_ms: number
  readonly to_ms: number
  readonly shares: readonly WorkShare[]
  readonly busy: readonly BusySeconds[]
  readonly plant: PlantFacts
}

export function utilisation(facts: UtilisationFacts, by: UtilisationDimension) {
  const lines = by === 'replica' || by === 'chip' || by === 'site' ? engineLines(facts, by) : ownerLines(facts, by)
  return {
    from: new Date(facts.from_ms).toISOString(),
    to: new Date(facts.to_ms).toISOString(),
    by,
    rows: lines,
  }
}

export type UtilisationAnswer = ReturnType<typeof utilisation>

const estimated = (value: number | null, unit: string) => figure(value, unit, 'estimated')
const notDeclared = 'not declared'

function engineLines({ shares, busy, plant }: UtilisationFacts, by: 'replica' | 'chip' | 'site') {
  const nameOf = (replica: string): string => {
    if (by === 'site') return plant.site(replica)
    const chips = plant.chips(replica)
    return by === 'replica' ? replica : typeof chips === 'string' ? notDeclared : chips.chip.id
  }
  const groups = Map.groupBy(busy, ({ replica }) => nameOf(replica))
  return [...groups].sort(byName).map(([name, seconds]) => {
    const [busy_s, all_s] = [sum(seconds, (one) => one.busy_s), sum(seconds, (one) => one.all_s)]
    const works = seconds.map((one) => engineWork(one, shares, plant))
    const why = new Set(works.flatMap(({ why: reasons }) => reasons))
    const chips = works.map(({ chips: of }) => of)
    const known = chips.every((of) => of !== undefined)
    const ratio = (of: 'flops' | 'bytes'): number | null => {
      const parts = works.map((work) => work[of])
      if (parts.some((part) => part === undefined)) return null
      const most = sum(parts, (part) => part?.most ?? 0)
      return most > 0 ? sum(parts, (part) => part?.done ?? 0) / most : null
    }
    const formats = [...new Set(works.flatMap(({ format }) => format ?? []))].join(' and ')
    return {
      name,
      why: [...why].sort(),
      figures: {
        busy_share: estimated(all_s > 0 ? busy_s / all_s : null, '1'),
        busy_s: estimated(busy_s, 's'),
        chip_s: estimated(known ? sum(works, ({ chips: of, busy_s: at }) => (of ?? 0) * at) : null, 'chip s at work'),
        mfu: estimated(ratio('flops'), `1, of ${formats || 'the'} peak while at work`),
        mbu: estimated(ratio('bytes'), '1, of peak memory bandwidth while at work'),
        kv_gb_s: estimated(null, 'GB s'),
      },
    }
  })
}

interface Used {
  readonly done: number
  readonly most: number
}

interface EngineWork {
  readonly busy_s: number
  readonly why: readonly string[]
  readonly chips?: number
  readonly format?: string
  readonly flops?: Used
  readonly bytes?: Used
}

/** All that an engine did, waste as well: it was work for the chips. */
function engineWork({ replica, busy_s }: BusySeconds, shares: readonly WorkShare[], plant: PlantFacts): EngineWork {
  const chips = plant.chips(replica)
  if (typeof chips === 'string') return { busy_s, why: [chips] }
  const { chip, count } = chips
  const base = { busy_s, chips: count }
  const work = Map.groupBy(
    shares.filter((share) => share.replica === replica),
    ({ model }) => model,
  )
  let [flops, bytes] = [0, 0]
  let format: string | undefined
  let peak = 0
  for (const [model, of] of work) {
    const card = plant.card(replica, model)
    if (typeof card === 'string') return { ...base, why: [card] }
    const deployment: Deployment = { model: card, chip, chips: count, weights: card.published, kv: 'bf16' }
    const most = peakOf(deployment)
    if (!most) return { ...base, why: [`the peak FLOP/s of ${chip.id} is not known`] }
    // Of several models, the slower format: then no utilisation is above what it is.
    if (peak === 0 || most.flopsPerSecond < peak) [peak, format] = [most.flopsPerSecond, most.format]
    for (const { did } of of) {
      const done = taken(deployment, did)
      flops += done.flops
      bytes += done.bytes
    }
  }
  const used = {
    ...base,
    flops: { done: flops, most: busy_s * count * peak },
    ...(format && { format }),
  }
  if (chip.bandwidth === null) return { ...used, why: [`the memory bandwidth of ${chip.id} is not known`] }
  return { ...used, bytes: { done: bytes, most: busy_s * chip.bandwidth }, why: [] }
}

/** Work that was for nothing is nobody's: it stands under its cause. */
function ownerLines({ shares, plant }: UtilisationFacts, by: 'tenant' | 'application' | 'model') {
  const nameOf = (share: WorkShare): string => {
    if (share.cause !== '' && by !== 'model') return `waste: ${share.cause}`
    return by === 'application' ? `${share.tenant}/${share.application}` : share[by]
  }
  return [...Map.groupBy(shares, nameOf)].sort(byName).map(([name, of]) => {
    const why = new Set<string>()
    let [engine_s, chip_s, kv]: [number, number | null, number | null] = [0, 0, 0]
    for (const { replica, model, held_ns, kv_token_ms } of of) {
      const held_s = Number(held_ns) / 1e9
      engine_s += held_s
      const chips = plant.chips(replica)
      if (typeof chips === 'string') {
        why.add(chips)
        chip_s = null
      } else if (chip_s !== null) chip_s += held_s * chips.count
      if (kv_token_ms === 0n) continue
      const card = plant.card(replica, model)
      if (typeof card === 'string') {
        why.add(card)
        kv = null
      } else if (kv !== null) kv += (Number(kv_token_ms) / 1e3) * kvBytesPerToken(card)
    }
    return {
      name,
      why: [...why].sort(),
      figures: {
        busy_share: estimated(null, '1'),
        busy_s: estimated(engine_s, 's'),
        chip_s: estimated(chip_s, 'chip s at work'),
        mfu: estimated(null, '1'),
        mbu: estimated(null, '1'),
        kv_gb_s: estimated(kv === null ? null : kv / 1e9, 'GB s'),
      },
    }
  })
}

const byName = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number => (a < b ? -1 : 1)
const sum = <Of>(all: readonly Of[], of: (one: Of) => number): number => all.reduce((total, one) => total + of(one), 0)
