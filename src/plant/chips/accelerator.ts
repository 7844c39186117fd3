import type { DollarsPerHour, Watts } from '../../units/quantity.ts'
import { bytes, bytesPerSecond, dollarsPerHour, flopsPerSecond, watts } from '../../units/quantity.ts'
import type { ChipCard, Dtype } from './card.ts'
import { dtypes } from './card.ts'

export type Vendor = 'NVIDIA' | 'AMD' | 'Google' | 'AWS' | 'Intel' | 'Groq' | 'Cerebras' | 'Graphcore' | 'Meta'

/**
 * How speed can be known. *Roofline*: from peak and bandwidth. *Appliance*: weights rest in SRAM spread over many chips, so
 * only measured throughput counts. A hosted engine has no chip that we know of: only its price list.
 */
export type Form = 'roofline' | 'appliance' | 'hosted'

/** Facts that were looked up together, and so share their sources. */
export type FactGroup = 'specification' | 'idle' | 'rental' | 'ownership' | 'purchase' | 'allIn'

/** Low and high of what was seen; `high` is `null` when there was only one figure. */
export interface PriceRange {
  readonly low: number
  readonly high: number | null
}

/** A chip as the catalogue knows it: the card, what it costs, and who says so. */
export interface Accelerator extends ChipCard {
  readonly vendor: Vendor
  readonly form: Form
  readonly memoryType: string
  readonly interconnect: string
  /** Public list prices and estimates of March to May 2026: a start for a what-if, never a bill. */
  readonly rental: { readonly low: DollarsPerHour; readonly high: DollarsPerHour | null } | null
  /** Modelled cost of owning one chip (SemiAnalysis). */
  readonly ownership: { readonly hyperscaler: DollarsPerHour; readonly neocloud: DollarsPerHour } | null
  readonly purchase_usd: PriceRange | null
  /** Power provisioned per chip with server, network and facility (SemiAnalysis). */
  readonly allIn: Watts | null
  readonly sources: Readonly<Partial<Record<FactGroup, readonly string[]>>>
  readonly notes: string
}

/** One row of the catalogue as it is written down, in the units of data sheets. What is left out is unknown. */
export interface Row {
  readonly id: string
  readonly name: string
  readonly form?: Form
  readonly memory_gb: number
  /** Data sheets say GB; some clouds count in GiB. */
  readonly memoryIn?: 'GiB'
  readonly memoryType: string
  readonly bandwidth_gbs?: number
  /** Dense TFLOP/s (TOP/s for int8). */
  readonly tflops?: Readonly<Partial<Record<Dtype, number>>>
  readonly idle_w?: number
  readonly tdp_w?: number
  readonly link_gbs?: number
  readonly interconnect: string
  readonly rental_usd_h?: readonly [low: number, high?: number]
  readonly ownership_usd_h?: readonly [hyperscaler: number, neocloud: number]
  readonly purchase_usd?: readonly [low: number, high: number]
  readonly allIn_kw?: number
  readonly sources: Accelerator['sources']
  readonly notes?: string
}

const GB = 1e9
const GiB = 2 ** 30
const mapped = <T, R>(value: T | undefined, to: (value: T) => R): R | null => (value === undefined ? null : to(value))

/** A row of a data sheet → the same facts in SI units. */
export const accelerator = (vendor: Vendor, row: Row): Accelerator => ({
  id: row.id,
  name: row.name,
  vendor,
  form: row.form ?? 'roofline',
  peak: Object.fromEntries(
    dtypes.map((dtype) => [dtype, mapped(row.tflops?.[dtype], (tera) => flopsPerSecond(tera * 1e12))]),
  ) as ChipCard['peak'],
  memory: bytes(row.memory_gb * (row.memoryIn === 'GiB' ? GiB : GB)),
  memoryType: row.memoryType,
  bandwidth: mapped(row.bandwidth_gbs, (giga) => bytesPerSecond(giga * GB)),
  link: mapped(row.link_gbs, (giga) => bytesPerSecond(giga * GB)),
  interconnect: row.interconnect,
  idle: mapped(row.idle_w, watts),
  full: mapped(row.tdp_w, watts),
  rental: mapped(row.rental_usd_h, ([low, high]) => ({
    low: dollarsPerHour(low),
    high: mapped(high, dollarsPerHour),
  })),
  ownership: mapped(row.ownership_usd_h, ([hyperscaler, neocloud]) => ({
    hyperscaler: dollarsPerHour(hyperscaler),
    neocloud: dollarsPerHour(neocloud),
  })),
  purchase_usd: mapped(row.purchase_usd, ([low, high]) => ({ low, high })),
  allIn: mapped(row.allIn_kw, (kilo) => watts(kilo * 1000)),
  sources: row.sources,
  notes: row.notes ?? '',
})
