import Type from 'typebox'
import { levelSums } from '../../../adapters/sqlite/level-sums.ts'
import { meterFindings, metersSince, qualitySince } from '../../../adapters/sqlite/meter-quality.ts'
import {
  enginesByMeter,
  findMeter,
  listMeters,
  type MeterRecord,
  type MeterSource,
  setIdleRule,
  slicesNow,
} from '../../../adapters/sqlite/registry/meters.ts'
import { endPlace, placeMeter } from '../../../adapters/sqlite/registry/places.ts'
import { hourOf } from '../../../books/cost-hour.ts'
import { idleRules } from '../../../plant/energy/idle.ts'
import { meterLevels, restRules } from '../../../plant/energy/levels.ts'
import { overlapsOf, type Sight } from '../../../plant/energy/meter-quality.ts'
import { ControlError } from '../errors.ts'
import type { Factory } from '../factory.ts'
import { meterForms, parseMeter, resolveMeters } from '../meter-spec.ts'
import { didYouMean } from '../nearest.ts'
import { type Route, route } from '../router.ts'
import { isoOrNull } from '../when.ts'

/** Findings shown: the newest tell what is wrong, and sums tell how much. */
const mostFindings = 50

export const meterRoutes: readonly Route[] = [
  route({
    method: 'GET',
    path: '/api/meters',
    role: 'viewer',
    about: 'Each meter: what it covered of late, resets and gaps; meters that may count the same joules twice',
    input: {
      hours: Type.Optional(
        Type.Integer({
          minimum: 1,
          maximum: 168,
          default: 24,
          description: 'how far back; whole hours, 168 at the most',
        }),
      ),
    },
    run: (factory, { hours = 24 }) => metersNow(factory, hours),
  }),
  route({
    method: 'POST',
    path: '/api/meters',
    role: 'admin',
    about:
      'Put a meter above others, such as a host’s above those of its boards: what it shows beyond them is booked by a rule, and no joule twice',
    input: {
      meter: Type.String({
        maxLength: 4000,
        description: `the name of one that is known, or a new one: ${meterForms}`,
      }),
      level: Type.Enum([...meterLevels], { description: meterLevels.join(', ') }),
      over: Type.Array(Type.String({ maxLength: 100 }), {
        minItems: 1,
        maxItems: 1000,
        description: 'names of the meters directly below it',
      }),
      share: Type.Optional(
        Type.Enum([...restRules], {
          default: 'energy',
          description:
            'to whom goes what it shows beyond them: by the energy below, by chips in equal parts, or to nobody (overhead)',
        }),
      ),
    },
    run: async (factory, { meter, level, over, share = 'energy' }) => {
      const found = await meterNamed(factory, meter)
      const known = new Set(namesOf(factory, factory.now() - 168 * 3_600_000))
      const strange = over.find((one) => !known.has(one))
      if (strange !== undefined)
        throw new ControlError('not_found', `no meter ${strange}${didYouMean(strange, known)}`, {
          param: 'over',
          next: 'wattmill meters list',
        })
      placeMeter(factory.store, found, { level, rule: share, below: [...new Set(over)] }, factory.now())
      factory.live?.telemetry.apply()
      return { meter: found.name, level, share, over: [...new Set(over)].sort() }
    },
  }),
  route({
    method: 'POST',
    path: '/api/meters/{meter}/idle',
    role: 'admin',
    about:
      'How the idle of a board in MIG slices is told apart from now on: by the SMs of its slices (those of none are a stranded fragment), or all of it for whoever comes',
    input: {
      meter: Type.String({ maxLength: 100 }),
      rule: Type.Enum([...idleRules], { description: idleRules.join(', ') }),
    },
    run: ({ store }, { meter, rule }) => {
      if (!findMeter(store, meter))
        throw new ControlError('not_found', `no meter ${meter}`, { param: 'meter', next: 'wattmill meters list' })
      setIdleRule(store, meter, rule)
      return { meter, rule }
    },
  }),
  route({
    method: 'DELETE',
    path: '/api/meters/{meter}',
    role: 'admin',
    about: 'Nothing is below a meter any more: it is read no longer, unless an engine was given it since',
    input: { meter: Type.String({ maxLength: 100 }) },
    run: (factory, { meter }) => {
      endPlace(factory.store, meter, factory.now())
      factory.live?.telemetry.apply()
      return { meter, removed: true }
    },
  }),
]

/** A known meter by its name, or a new one, which has answered just now. */
async function meterNamed(factory: Factory, text: string): Promise<MeterRecord> {
  const known = findMeter(factory.store, text)
  if (known && known.source.kind !== 'watts') return known
  const spec = known ? ({ kind: 'watts' } as const) : parseMeter(text, factory.prometheus)
  if (spec.kind === 'watts')
    throw new ControlError('invalid_value', 'declared watts measure nothing: there is nothing beyond others in them', {
      param: 'meter',
    })
  const [found, ...more] = await resolveMeters('', [spec], factory.now)
  if (found && more.length === 0) return found
  throw new ControlError('invalid_value', `that is ${more.length + 1} meters, and one is above the others`, {
    param: 'meter',
  })
}

const namesOf = ({ store, live }: Factory, since_ms: number): string[] =>
  [
    ...new Set([
      ...listMeters(store).map(({ name }) => name),
      ...(live?.keeper.meters().names ?? []),
      ...metersSince(store, since_ms),
    ]),
  ].sort()

function metersNow(factory: Factory, hours: number) {
  const { store, now } = factory
  const now_ms = now()
  const since_ms = now_ms - hours * 3_600_000
  const given = new Map(listMeters(store).map(({ name, source }) => [name, source]))
  const engines = enginesByMeter(store)
  const slices = slicesNow(store)
  return {
    hours,
    meters: namesOf(factory, since_ms).map((meter) => {
      const { last_reset_ms, last_reading_ms, ...quality } = qualitySince(store, meter, since_ms, now_ms)
      return {
        meter,
        kind: given.get(meter)?.kind ?? 'machine',
        engines: engines.get(meter) ?? [],
        slices: slices.get(meter) ?? [],
        ...quality,
        last_reset: isoOrNull(last_reset_ms),
        last_reading: isoOrNull(last_reading_ms),
      }
    }),
    levels: levelSums(store, hourOf(since_ms), now_ms),
    overlaps: overlapsIn(given, engines),
    findings: meterFindings(store, since_ms, mostFindings).map(({ from_ms, to_ms, ...found }) => ({
      ...found,
      from: isoOrNull(from_ms),
      to: isoOrNull(to_ms),
    })),
  }
}

function overlapsIn(given: ReadonlyMap<string, MeterSource>, engines: ReadonlyMap<string, readonly string[]>) {
  const byEngine = new Map<string, { name: string; sight: Sight }[]>()
  for (const [name, source] of given)
    for (const engine of engines.get(name) ?? [])
      byEngine.set(engine, [...(byEngine.get(engine) ?? []), { name, sight: sights[source.kind] }])
  return [...byEngine].flatMap(([engine, meters]) => overlapsOf(engine, meters))
}

const sights: Readonly<Record<MeterSource['kind'], Sight>> = {
  dcgm: 'board',
  'nvidia-smi': 'board',
  prometheus: 'query',
  redfish: 'query',
  csv: 'query',
  watts: 'declared',
}
