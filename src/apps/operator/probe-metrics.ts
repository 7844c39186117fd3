import {
  type EngineKind,
  engineKinds,
  namesVersion,
  readEngine,
  vocabularyOf,
} from '../../adapters/prometheus/engine-names.ts'
import { Page, ScrapeError } from '../../adapters/prometheus/scrape.ts'
import type { EngineReport } from '../../plant/infrastructure/telemetry.ts'
import { ControlError } from './errors.ts'
import { checkUrl } from './probe.ts'

/** What an engine's page of metrics says. */
export interface ProbedMetrics {
  readonly url: string
  readonly kind: EngineKind
  readonly report: EngineReport
  readonly names_version: number
}

/** The page that was named, which must be one; else the first that is found where engines have theirs, or none. */
export async function probeMetrics(
  api: string,
  named: string | undefined,
  kind: EngineKind | undefined,
): Promise<ProbedMetrics | undefined> {
  if (named !== undefined) {
    const found = await pageAt(checkUrl(named))
    if ('trouble' in found)
      throw new ControlError('engine_bad_reply', found.trouble, {
        param: 'metrics_url',
        next: `Pages of metrics are read of ${engineKinds.join(', ')}; without --metrics-url they are looked for.`,
      })
    return found
  }
  const kinds = kind ? [kind] : engineKinds
  const paths = new Set(kinds.flatMap((one) => vocabularyOf(one).paths))
  for (const path of paths) {
    const found = await pageAt(new URL(path, api).href)
    if (!('trouble' in found)) return found
  }
  return undefined
}

async function pageAt(url: string): Promise<ProbedMetrics | { readonly trouble: string }> {
  const page = new Page(url)
  try {
    const read = readEngine(await page.samples())
    return read ? { url, ...read, names_version: namesVersion } : { trouble: `${url} speaks of no engine that we know` }
  } catch (cause) {
    if (cause instanceof ScrapeError) return { trouble: cause.message }
    throw cause
  } finally {
    await page.close()
  }
}

/** What to do so that an engine's own view is seen; undefined when it is. */
export const metricsHint = (found: ProbedMetrics | undefined, kind: EngineKind | undefined): string | undefined =>
  found
    ? undefined
    : `no page of metrics was found, so its own queue and cache stay unknown${kind ? `: ${vocabularyOf(kind).hint}` : '; name it with --metrics-url'}`
