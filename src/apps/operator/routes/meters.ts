import Type from 'typebox'
import { meterFindings, metersSince, qualitySince } from '../../../adapters/sqlite/meter-quality.ts'
import { enginesByMeter, listMeters, type MeterSource } from '../../../adapters/sqlite/registry/meters.ts'
import { overlapsOf, type Sight } from '../../../plant/energy/meter-quality.ts'
import type { Factory } from '../factory.ts'
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
]

function metersNow({ store, live, now }: Factory, hours: number) {
  const now_ms = now()
  const since_ms = now_ms - hours * 3_600_000
  const given = new Map(listMeters(store).map(({ name, source }) => [name, source]))
  const engines = enginesByMeter(store)
  const names = new Set([...given.keys(), ...(live?.keeper.meters().names ?? []), ...metersSince(store, since_ms)])
  return {
    hours,
    meters: [...names].sort().map((meter) => {
      const { last_reset_ms, last_reading_ms, ...quality } = qualitySince(store, meter, since_ms, now_ms)
      return {
        meter,
        kind: given.get(meter)?.kind ?? 'machine',
        engines: engines.get(meter) ?? [],
        ...quality,
        last_reset: isoOrNull(last_reset_ms),
        last_reading: isoOrNull(last_reading_ms),
      }
    }),
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
