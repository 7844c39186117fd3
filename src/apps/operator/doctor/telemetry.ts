import type { Watch } from '../../../adapters/prometheus/watch.ts'
import type { Factory } from '../factory.ts'
import { type Finding, good, warning } from './finding.ts'

/** What figures are read from: while a source is silent, its energy waits and an engine's own word is unknown. */
export const telemetryFindings = ({ live }: Factory): Finding[] =>
  [...(live?.telemetry.watches ?? [])].map(([name, watch]) => sourceFinding(name, watch))

/** Its name is `engine NAME`, or that of an exporter with its address. */
export function sourceFinding(name: string, { stale, trouble }: Pick<Watch, 'stale' | 'trouble'>): Finding {
  if (!stale) return good('telemetry', `${name} answers`)
  if (trouble === undefined) return good('telemetry', `${name} is being asked for the first time`)
  const fix = name.startsWith('engine ')
    ? `wattmill engines probe ${name.slice(7)}`
    : 'Start it, or add the engine anew.'
  return warning('telemetry', `${name} does not answer: ${trouble}`, fix)
}
