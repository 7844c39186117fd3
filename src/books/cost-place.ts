/** By what cost is told apart, and on which line of it a part falls. */
import { hour_ms } from './cost-hour.ts'
import type { CostPart } from './cost-part.ts'
import { parted } from './tally.ts'

export const costDimensions = [
  'tenant',
  'application',
  'key',
  'model',
  'class',
  'replica',
  'chip',
  'site',
  'source',
  'hour',
] as const
export type CostDimension = (typeof costDimensions)[number]

/** Of engines: what they cost shows in the names of sources alone. */
export type EngineDimension = 'replica' | 'chip' | 'site'

/** One line of several, and how much of the part falls on it beside the others. */
export interface Weighted {
  readonly name: string
  readonly weight: bigint
}

/** The lines that bear a part; none: it is nobody's by itself, and the rule of allocation shares it. */
export type Placing = (part: CostPart) => readonly Weighted[]

const on = (name: string): Weighted[] => [{ name, weight: 1n }]

/** What is kept warm for an application is its own idle. */
export const ownerOf = ({ kind, path }: CostPart): readonly string[] | undefined =>
  kind === 'usage' ? path : kind === 'idle' && path[0] === 'reserved-warm' ? path.slice(1) : undefined

const ofUsage =
  (at: number): Placing =>
  ({ kind, path }) =>
    kind === 'usage' ? on(path[at] ?? '') : []

/** Of what is in the names of accounts; an engine's, a chip's and a site's lines need `placingOnEngines` or `placingOnSites`. */
export const placings: Readonly<Record<Exclude<CostDimension, EngineDimension>, Placing>> = {
  tenant: (part) => {
    const owner = ownerOf(part)
    return owner ? on(owner[0] ?? '') : []
  },
  application: (part) => {
    const owner = ownerOf(part)
    return owner ? on(`${owner[0]}/${owner[1]}`) : []
  },
  model: (part) => (part.kind === 'making' ? on(part.path[0] ?? '') : ofUsage(2)(part)),
  class: ofUsage(3),
  key: ofUsage(4),
  source: ({ source }) => on(source),
  hour: ({ hour }) => on(new Date(hour * hour_ms).toISOString()),
}

/**
 * What an engine's capacity or its provider costs is its own, at work or not; a meter's electricity is that of the engines under it,
 * by the tokens that each served. `under`: engines by meter. People and floors are no engine's.
 */
export const placingOnEngines =
  (under: ReadonlyMap<string, readonly Weighted[]>, nameOf: (engine: string) => string): Placing =>
  ({ source }) => {
    const [kind, name = ''] = parted(source)
    if (kind === 'capacity' || kind === 'hosted') return on(nameOf(name))
    if (kind !== 'electricity') return []
    return (under.get(name) ?? []).map(({ name: engine, weight }) => ({ name: nameOf(engine), weight }))
  }

/** What is known of where costs arise in an hour; undefined: at several sites, or at none. */
export interface Standing {
  engine(name: string, hour: number): string
  meter(name: string, hour: number): string | undefined
}

/** As on engines, by where each stood when the hour ended. A meter over engines of several sites is no site's by itself. */
export const placingOnSites =
  (standing: Standing): Placing =>
  ({ source, hour }) => {
    const [kind, name = ''] = parted(source)
    if (kind === 'capacity' || kind === 'hosted') return on(standing.engine(name, hour))
    const site = kind === 'electricity' ? standing.meter(name, hour) : undefined
    return site === undefined ? [] : on(site)
  }
