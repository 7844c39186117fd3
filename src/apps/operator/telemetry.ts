/**
 * What the operator hears from outside: the pages of metrics of engines, the meters of boards and machine halls. Each source
 * is looked at at its own pace, bounded, through the guarded dial; nothing on the request path waits for it.
 */

import { csvReading } from '../../adapters/meters/csv-file.ts'
import { DeclaredMeter } from '../../adapters/meters/declared.ts'
import { FedMeter } from '../../adapters/meters/fed.ts'
import { HistoryMeter } from '../../adapters/meters/history.ts'
import { type SmiGpu, watchGpus } from '../../adapters/nvidia/smi.ts'
import { type EngineKind, readEngine, vocabularies } from '../../adapters/prometheus/engine-names.ts'
import { type GpuReport, readGpus } from '../../adapters/prometheus/gpu-names.ts'
import { PromHistory } from '../../adapters/prometheus/history.ts'
import { Page, ScrapeError } from '../../adapters/prometheus/scrape.ts'
import { Watch } from '../../adapters/prometheus/watch.ts'
import { Redfish } from '../../adapters/redfish/redfish.ts'
import type { MeterReader } from '../../adapters/sqlite/meter.ts'
import { listEngines } from '../../adapters/sqlite/registry/engines.ts'
import {
  enginesByMeter,
  listMeters,
  type MeterRecord,
  type MeterSource,
} from '../../adapters/sqlite/registry/meters.ts'
import { facilityMeters } from '../../adapters/sqlite/registry/places.ts'
import type { Store } from '../../adapters/sqlite/store.ts'
import type { Counted } from '../../books/counted.ts'
import { BridgedCounters, type EngineReport } from '../../plant/infrastructure/telemetry.ts'
import { id } from '../../units/ids.ts'
import { watts } from '../../units/quantity.ts'
import { secretOf } from './meter-spec.ts'

/** Queues and caches change within seconds; an engine's page of thousands of lines is not free for it to make. */
const engine_ms = 5_000
/** A meter is the books' clock: its intervals are what energy can be divided by. */
const meter_ms = 1_000
/** Steps of a query, where it was not said how often its targets are scraped. */
const usualStep_s = 5
/** A service processor is slow, and works out its figures no more often. */
const redfish_ms = 2_000

/** What is known of one engine's own view of itself. */
export interface EngineView {
  readonly watch: Watch
  readonly counters: BridgedCounters
  kind: EngineKind | undefined
  report: EngineReport
}

interface Source {
  readonly watch: Watch
  close(): void
}

type Fed = FedMeter | DeclaredMeter | HistoryMeter

export class Telemetry {
  readonly #store: Store
  readonly #now: () => number
  readonly #running: (engine: string) => number
  readonly #engines = new Map<string, { readonly view: EngineView; readonly url: string; close(): void }>()
  readonly #meters = new Map<string, { readonly meter: Fed; readonly source: MeterSource }>()
  readonly #sources = new Map<string, Source>()
  readonly #boards = new Map<string, GpuReport>()
  #counted: Counted[] = []
  #smi: { close(): void } | undefined

  /** `running`: requests of ours at an engine now, as gateways tell. */
  constructor(store: Store, now: () => number, running: (engine: string) => number) {
    this.#store = store
    this.#now = now
    this.#running = running
    this.apply()
  }

  get engines(): ReadonlyMap<string, EngineView> {
    return new Map([...this.#engines].map(([name, { view }]) => [name, view]))
  }

  /** Every source by name: when it last answered, how often it did not, and why. */
  get watches(): ReadonlyMap<string, Watch> {
    const engines = [...this.#engines].map(([name, { view }]) => [`engine ${name}`, view.watch] as const)
    return new Map([...engines, ...[...this.#sources].map(([name, { watch }]) => [name, watch] as const)])
  }

  /** Boards as last heard, by UUID. */
  get boards(): ReadonlyMap<string, GpuReport> {
    return this.#boards
  }

  /** The registry has changed: sources come and go, those that stay keep what they know. */
  apply(): void {
    this.#applyEngines()
    this.#applyMeters()
  }

  /** Once a second: the meters; those that estimate are told whether there is work. */
  look(): readonly MeterReader[] {
    const now = this.#now()
    const engines = enginesByMeter(this.#store)
    for (const [name, { meter }] of this.#meters) {
      const working = (): boolean => (engines.get(name) ?? []).some((engine) => this.#works(engine))
      if (meter instanceof DeclaredMeter) meter.look(working(), now)
    }
    return [...this.#meters.values()].map(({ meter }) => meter)
  }

  /** What engines' counters grew by since this was last asked. */
  counted(): readonly Counted[] {
    const counted = this.#counted
    this.#counted = []
    return counted
  }

  close(): void {
    for (const engine of this.#engines.values()) engine.close()
    for (const source of this.#sources.values()) source.close()
    this.#smi?.close()
  }

  /** Its own word counts where there is one: others than us may use it. */
  #works(engine: string): boolean {
    const view = this.#engines.get(engine)?.view
    const reported = view && !view.watch.stale ? view.report.running : undefined
    return this.#running(engine) > 0 || (reported ?? 0) > 0
  }

  #applyEngines(): void {
    const wanted = new Map(
      listEngines(this.#store).flatMap(({ name, metrics_url }) => (metrics_url ? [[name, metrics_url] as const] : [])),
    )
    for (const [name, engine] of this.#engines) {
      if (wanted.get(name) === engine.url) continue
      engine.close()
      this.#engines.delete(name)
    }
    for (const [name, url] of wanted)
      if (!this.#engines.has(name)) this.#engines.set(name, this.#watchEngine(name, url))
  }

  #watchEngine(name: string, url: string) {
    const page = new Page(url)
    let last_ms: number | undefined
    const look = async (): Promise<void> => {
      const read = readEngine(await page.samples())
      if (!read) throw new ScrapeError('bad_reply', `${url} speaks of no engine that we know`)
      const { prompt_tokens, output_tokens } = view.counters.take(read.report)
      view.kind = read.kind
      view.report = read.report
      const at_ms = this.#now()
      if (last_ms !== undefined && at_ms > last_ms && prompt_tokens !== undefined && output_tokens !== undefined)
        this.#counted.push({
          engine: id(name),
          from_ms: last_ms,
          to_ms: at_ms,
          prompt: prompt_tokens,
          output: output_tokens,
          cached: vocabularies[read.kind].promptIncludesCached,
        })
      last_ms = at_ms
    }
    const watch = new Watch(engine_ms, look, this.#now)
    const view: EngineView = {
      watch,
      counters: new BridgedCounters(),
      kind: undefined,
      report: {},
    }
    const close = (): void => {
      watch.close()
      void page.close()
    }
    return { view, url, close }
  }

  #applyMeters(): void {
    const wanted = listMeters(this.#store)
    const halls = facilityMeters(this.#store)
    const sources = new Map(wanted.map(({ name, source }) => [name, source]))
    for (const [name, { source }] of this.#meters)
      if (JSON.stringify(sources.get(name)) !== JSON.stringify(source)) this.#meters.delete(name)
    for (const { name, source } of wanted) {
      if (this.#meters.has(name)) continue
      this.#meters.set(name, { meter: meterOf(name, source, halls.has(name)), source })
    }
    this.#applySources(wanted)
  }

  /** One page for all boards that it tells of, one `nvidia-smi` for all boards of the machine. */
  #applySources(wanted: readonly MeterRecord[]): void {
    const names = new Set(wanted.map(sourceName))
    for (const [name, source] of this.#sources) {
      if (names.has(name)) continue
      source.close()
      this.#sources.delete(name)
    }
    for (const meter of wanted) {
      const name = sourceName(meter)
      if (this.#sources.has(name)) continue
      if (meter.source.kind === 'dcgm') this.#sources.set(name, this.#watchBoards(meter.source.url))
      if (meter.source.kind === 'redfish') this.#sources.set(name, this.#watchRedfish(meter.name, meter.source))
      if (meter.source.kind === 'csv') this.#sources.set(name, this.#watchFile(meter.name, meter.source))
      if (meter.source.kind === 'prometheus') this.#sources.set(name, this.#watchQuery(meter.name, meter.source))
    }
    const smi = wanted.some(({ source }) => source.kind === 'nvidia-smi')
    if (smi) this.#smi ??= watchGpus((gpu) => this.#hearSmi(gpu))
    else {
      this.#smi?.close()
      this.#smi = undefined
    }
  }

  #watchBoards(url: string): Source {
    const page = new Page(url)
    const look = async (): Promise<void> => {
      const boards = readGpus(await page.samples())
      const now = this.#now()
      for (const [uuid, board] of boards) {
        this.#boards.set(uuid, board)
        const meter = this.#meterOf('dcgm', uuid)
        if (board.energy_mj !== undefined) meter?.energy(board.energy_mj, now, board.instances)
        else if (board.power_w !== undefined) meter?.power(board.power_w, now, board.instances)
      }
    }
    return closing(new Watch(meter_ms, look, this.#now), page)
  }

  #watchQuery(name: string, { url, query }: Extract<MeterSource, { kind: 'prometheus' }>): Source {
    const asked = new PromHistory(url, query)
    const look = async (): Promise<void> => {
      const meter = this.#meters.get(name)?.meter
      const steps = meter instanceof HistoryMeter ? meter.wanted(this.#now()) : undefined
      if (!(meter instanceof HistoryMeter) || !steps) return
      const { values, trouble } = await asked.at(steps, meter.step_ms)
      meter.take(values, steps)
      if (trouble !== undefined) throw new ScrapeError('bad_reply', trouble)
    }
    return closing(new Watch(meter_ms, look, this.#now), asked)
  }

  #watchRedfish(name: string, { url, only, secret_from }: Extract<MeterSource, { kind: 'redfish' }>): Source {
    const service = new Redfish(url, only, secretOf(secret_from))
    const look = async (): Promise<void> => {
      const reading = await service.reading()
      const meter = this.#meters.get(name)?.meter
      if (!(meter instanceof FedMeter)) return
      if ('energy_mj' in reading) meter.energy(reading.energy_mj, this.#now())
      else meter.power(reading.power_w, this.#now())
    }
    return closing(new Watch(redfish_ms, look, this.#now), service)
  }

  #watchFile(name: string, { path, columns }: Extract<MeterSource, { kind: 'csv' }>): Source {
    const look = async (): Promise<void> => {
      const reading = await csvReading(path, columns, this.#now())
      const meter = this.#meters.get(name)?.meter
      if (!(meter instanceof FedMeter)) return
      if ('energy_mj' in reading) meter.energy(reading.energy_mj, reading.at_ms)
      else meter.power(reading.power_w, reading.at_ms)
    }
    return closing(new Watch(meter_ms, look, this.#now))
  }

  #hearSmi(gpu: SmiGpu): void {
    const { uuid, power_w } = gpu
    this.#boards.set(uuid, { uuid, model: gpu.name, ...(power_w !== null && { power_w }) })
    if (power_w !== null) this.#meterOf('nvidia-smi', uuid)?.power(power_w, this.#now())
  }

  #meterOf(kind: 'dcgm' | 'nvidia-smi', uuid: string): FedMeter | undefined {
    for (const { meter, source } of this.#meters.values())
      if (source.kind === kind && source.uuid === uuid && meter instanceof FedMeter) return meter
    return undefined
  }
}

/** Names a source for people and metrics: an exporter tells of many boards, a query of one meter. */
const sourceName = ({ name, source }: MeterRecord): string => {
  if (source.kind !== 'dcgm') return `meter ${name}`
  const { host, pathname } = new URL(source.url)
  return `dcgm ${host}${pathname}`
}

const closing = (watch: Watch, page?: { close(): Promise<void> }): Source => ({
  watch,
  close() {
    watch.close()
    void page?.close()
  },
})

/** A board draws 1.4 kW at the most today, a rack some 140 kW; a query may be of either; a campus is fed by a gigawatt. */
const [mostOfBoard, mostOfQuery, mostOfFacility] = [watts(5_000), watts(500_000), watts(2_000_000_000)]

function meterOf(name: string, source: MeterSource, facility: boolean): Fed {
  if (source.kind === 'watts') return new DeclaredMeter(name, watts(source.idle), watts(source.full))
  if (source.kind === 'prometheus')
    return new HistoryMeter(name, facility ? mostOfFacility : mostOfQuery, source.unit, source.step_s ?? usualStep_s)
  if (facility) return new FedMeter(name, mostOfFacility)
  return new FedMeter(name, source.kind === 'dcgm' || source.kind === 'nvidia-smi' ? mostOfBoard : mostOfQuery)
}
