import { createHash } from 'node:crypto'
import { isAbsolute } from 'node:path'
import { csvReading } from '../../adapters/meters/csv-file.ts'
import { findGpus } from '../../adapters/nvidia/smi.ts'
import { type GpuReport, readGpus } from '../../adapters/prometheus/gpu-names.ts'
import { PromQuery } from '../../adapters/prometheus/query.ts'
import { Page, ScrapeError } from '../../adapters/prometheus/scrape.ts'
import { Redfish } from '../../adapters/redfish/redfish.ts'
import { csvUnits, type MeterRecord, type MeterSlice, type MeterSource } from '../../adapters/sqlite/registry/meters.ts'
import { ControlError } from './errors.ts'
import { didYouMean } from './nearest.ts'
import { checkUrl, secretFrom } from './probe.ts'
import { type BoardSpec, boardSpec } from './slice-spec.ts'

/** How a meter is given on the command line; the next step of every error about one. */
export const meterForms =
  'dcgm:URL#UUID,…  dcgm:URL#UUID@CHIP/PROFILE:INSTANCE  prom:QUERY  prom:URL#joules/15s=QUERY  redfish:URL#env:NAME  csv:PATH#time=COLUMN,kwh=COLUMN  nvidia-smi:UUID,…  watts:IDLE,FULL'

const wrong = (message: string, next = `Meters: ${meterForms}`): ControlError =>
  new ControlError('invalid_value', message, { param: 'meters', next })

/** One `--meter`, read; what it names is looked at when it is resolved. */
export type MeterSpec =
  | { readonly kind: 'dcgm'; readonly url: string; readonly boards: readonly BoardSpec[] }
  | { readonly kind: 'nvidia-smi'; readonly boards: readonly BoardSpec[] }
  | Extract<MeterSource, { kind: 'prometheus' | 'redfish' | 'csv' | 'watts' }>

export function parseMeter(text: string, prometheus: string | undefined): MeterSpec {
  const [, kind = '', rest = ''] = /^([a-z-]+):(.+)$/s.exec(text.trim()) ?? []
  switch (kind) {
    case 'dcgm': {
      const [url = '', uuids = ''] = rest.split('#')
      return { kind, url: pageUrl(url), boards: names(uuids).map(boardSpec) }
    }
    case 'nvidia-smi':
      return { kind, boards: names(rest === 'all' ? '' : rest).map(boardSpec) }
    case 'prom':
      return promSpec(rest, prometheus)
    case 'redfish':
      return redfishSpec(rest)
    case 'csv':
      return csvSpec(rest)
    case 'watts': {
      const [idle = Number.NaN, full = Number.NaN, more] = rest.split(',').map(Number)
      if (!(idle >= 0 && full >= idle && full <= 1e6) || more !== undefined)
        throw wrong('watts:IDLE,FULL takes two numbers of watts, the first not above the second')
      return { kind, idle, full }
    }
    default:
      throw wrong(
        `${JSON.stringify(text.slice(0, 60))} is no meter${didYouMean(kind, ['dcgm', 'prom', 'redfish', 'csv', 'nvidia-smi', 'watts'])}`,
      )
  }
}

const names = (text: string): string[] => text.split(',').flatMap((name) => name.trim() || [])

/** `…/metrics` is where every exporter has its page; whoever names another path means it. */
function pageUrl(given: string): string {
  const url = checkUrl(given)
  return new URL(url).pathname === '/' ? `${url.replace(/\/$/, '')}/metrics` : url
}

/** `watts=` or `joules=` says what the query gives, a plain one gives watts; `watts/1s=` at which steps it is asked for. */
function promSpec(rest: string, prometheus: string | undefined): MeterSpec {
  const [, server, asked] = /^(https?:\/\/[^#]+)#(.+)$/s.exec(rest) ?? [undefined, prometheus, rest]
  if (!server)
    throw wrong(
      'prom:QUERY needs to know the Prometheus server',
      'Give prom:URL#QUERY, or telemetry.prometheus_url in wattmill.yaml',
    )
  const form = /^(?:(watts|joules)(?:\/([0-9]{1,3})s)?=)?(.+)$/s
  const [, unit = 'watts', step, query = ''] = form.exec(asked ?? '') ?? []
  if (step !== undefined && !(Number(step) >= 1 && Number(step) <= 60))
    throw wrong(`a query is asked for at steps of 1 to 60 seconds, not of ${step}`)
  return {
    kind: 'prometheus',
    url: checkUrl(server),
    query,
    unit: unit as 'watts' | 'joules',
    ...(step !== undefined && { step_s: Number(step) }),
  }
}

/** `watts=` takes power where there is a counter too: one that counts in tenths of a kWh moves every few minutes. */
function redfishSpec(rest: string): MeterSpec {
  const [, watts, url = '', secret] = /^(watts=)?([^#]+)(?:#(.*))?$/s.exec(rest) ?? []
  if (secret !== undefined) secretFrom(secret)
  return {
    kind: 'redfish',
    url: checkUrl(url),
    only: watts === undefined ? 'any' : 'watts',
    secret_from: secret ?? null,
  }
}

/** `#time=COLUMN,kwh=COLUMN`, or `watts=` or `joules=` in its place. */
function csvSpec(rest: string): MeterSpec {
  const [, path = '', time = '', unit = '', value = ''] = /^([^#]+)#time=([^,=]+),([a-z]+)=([^,=]+)$/.exec(rest) ?? []
  const known = csvUnits.find((one) => one === unit)
  if (!known || !isAbsolute(path))
    throw wrong('csv:PATH#time=COLUMN,kwh=COLUMN takes a whole path where the factory runs; kwh, joules or watts')
  return { kind: 'csv', path, columns: { time, value, unit: known } }
}

/** The meters that specs name, each of which has answered just now. */
export async function resolveMeters(
  engine: string,
  specs: readonly MeterSpec[],
  now: () => number,
): Promise<MeterRecord[]> {
  const found: MeterRecord[] = []
  for (const spec of specs) {
    try {
      found.push(...(await resolve(engine, spec, now)))
    } catch (cause) {
      if (!(cause instanceof ScrapeError)) throw cause
      throw new ControlError(cause.fault === 'unreachable' ? 'engine_unreachable' : 'engine_bad_reply', cause.message, {
        param: 'meters',
        next: 'Check the address of the meter, and that its exporter runs.',
        cause,
      })
    }
  }
  const twice = found.find((meter, index) => found.findIndex(({ name }) => name === meter.name) !== index)
  if (twice) throw wrong(`${twice.name} is given twice`)
  return found
}

async function resolve(engine: string, spec: MeterSpec, now: () => number): Promise<MeterRecord[]> {
  switch (spec.kind) {
    case 'dcgm': {
      const boards = await boardsOf(spec.url)
      const found = chosen(spec.boards, [...boards.keys()], spec.url)
      const mute = found.find(
        ({ uuid }) => boards.get(uuid)?.energy_mj === undefined && boards.get(uuid)?.power_w === undefined,
      )
      if (mute) throw wrong(`${spec.url} tells neither energy nor power of ${mute.uuid}`)
      return found.map(({ uuid, slice }) => {
        const told = slice && withInstance(slice, boards.get(uuid), spec.url)
        return metered({ uuid, ...(told && { slice: told }) }, { kind: 'dcgm', url: spec.url, uuid })
      })
    }
    case 'nvidia-smi': {
      const smi = await findGpus()
      if (!smi.found) throw wrong(smi.why, 'Use another meter, or run the factory on the machine with the GPUs')
      const known = smi.gpus.filter(({ power_w }) => power_w !== null).map(({ uuid }) => uuid)
      const boards = spec.boards.length > 0 ? chosen(spec.boards, known, 'nvidia-smi') : known.map((uuid) => ({ uuid }))
      return boards.map((board) => metered(board, { kind: 'nvidia-smi', uuid: board.uuid }))
    }
    case 'prometheus': {
      const query = new PromQuery(spec.url, spec.query)
      await query.value().finally(() => query.close())
      return [{ name: `prom-${short(spec.url + spec.query)}`, source: spec }]
    }
    case 'redfish': {
      const { url, only, secret_from } = spec
      const service = new Redfish(url, only, secretOf(secret_from))
      await service.reading().finally(() => service.close())
      return [{ name: `redfish-${short(url)}`, source: spec }]
    }
    case 'csv':
      await csvReading(spec.path, spec.columns, now())
      return [{ name: `csv-${short(spec.path + spec.columns.value)}`, source: spec }]
    case 'watts':
      return [{ name: `watts-${slug(engine)}-${short(engine)}`, source: spec }]
  }
}

/** A reference → what it refers to, whenever it is asked. */
export const secretOf =
  (reference: string | null): (() => string | undefined) =>
  () =>
    reference === null ? undefined : secretFrom(reference)

async function boardsOf(url: string): Promise<Map<string, GpuReport>> {
  const page = new Page(url)
  try {
    const boards = readGpus(await page.samples())
    if (boards.size === 0) throw new ScrapeError('bad_reply', `${url} names no GPU`)
    return boards
  } finally {
    await page.close()
  }
}

/** Those asked for, all of which must be there; the only one there is when none was asked for. */
function chosen(asked: readonly BoardSpec[], known: readonly string[], where: string): readonly BoardSpec[] {
  if (asked.length === 0 && known.length === 1) return known.map((uuid) => ({ uuid }))
  const listed = `It has: ${known.slice(0, 16).join(', ')}`
  if (asked.length === 0) throw wrong(`${where} has ${known.length} GPUs: say which, after a #`, listed)
  const missing = asked.find(({ uuid }) => !known.includes(uuid))?.uuid
  if (missing) throw wrong(`${where} has no GPU ${missing}${didYouMean(missing, known)}`, listed)
  return asked
}

const metered = ({ uuid, slice }: BoardSpec, source: MeterSource): MeterRecord => ({
  name: slug(uuid),
  source,
  ...(slice && { slice }),
})

/** As the exporter tells of instances: the only one of its profile needs not be named, and what is named must be there and be that. */
function withInstance(slice: MeterSlice, board: GpuReport | undefined, where: string): MeterSlice {
  const [, profile] = slice.name.split('/')
  const instances = [...(board?.instances ?? [])]
  const has = `It has: ${instances.map(([id, one]) => `${id} (${one.profile})`).join(', ')}`
  if (slice.instance === null) {
    const alike = instances.filter(([, one]) => one.profile === profile)
    if (alike.length > 1) throw wrong(`${where} has ${alike.length} instances of ${profile}: say which, as :ID`, has)
    return { ...slice, instance: alike[0]?.[0] ?? null }
  }
  const found = board?.instances?.get(slice.instance)
  if (!found)
    throw wrong(
      `${where} tells no activity of GPU instance ${slice.instance}`,
      instances.length > 0 ? has : 'Add DCGM_FI_PROF_GR_ENGINE_ACTIVE to its counters, or leave the :ID out',
    )
  if (profile !== undefined && found.profile !== '' && found.profile !== profile)
    throw wrong(`GPU instance ${slice.instance} is a ${found.profile}, not a ${profile}`, has)
  return slice
}

const slug = (text: string): string => text.toLowerCase().replace(/[^a-z0-9]+/g, '-')
const short = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 8)
