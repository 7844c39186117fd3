import type { RoomBounds } from '../../books/room.ts'
import { mainSite } from '../../plant/infrastructure/site.ts'
import type { SiteId } from '../../units/ids.ts'
import type { Listening } from './doctor/network.ts'
import type { OtlpSettings } from './otlp.ts'

/** What the launcher tells the operator, as JSON in WATTMILL_OPERATOR: read once, checked there. */
export interface OperatorSettings {
  /** Address of the PostgreSQL that is to hold the store; undefined: as the home has it. */
  readonly store: string | undefined
  /** Gateways that share a key's limits. */
  readonly gateways: number
  /** Requests that the embedded engine works on at once. */
  readonly slots: number
  /** Where the embedded engine stands. */
  readonly site: SiteId
  readonly idleWatts: number
  readonly fullWatts: number
  /** Of the utility; 0: nobody said. */
  readonly contractedWatts: number
  /** Journals and engine logs: what they may hold, and what the disk keeps free. */
  readonly room: RoomBounds
  readonly engineLogDays: number
  readonly detailDays: number
  /** Where the gateways listen. */
  readonly listening: Listening | undefined
  /** Where the console is. */
  readonly url: string | undefined
  /** The folder of its files; undefined: there is none. */
  readonly console: string | undefined
  /** A Prometheus server for meters that are queries. */
  readonly prometheusUrl: string | undefined
  /** A collector that metrics are sent to. */
  readonly otlp: OtlpSettings | undefined
}

const alone: OperatorSettings = {
  store: undefined,
  gateways: 1,
  slots: 4,
  site: mainSite,
  idleWatts: 10,
  fullWatts: 50,
  contractedWatts: 0,
  room: { most_bytes: 4 * 1024 ** 3, least_free_bytes: 256 * 1024 ** 2 },
  engineLogDays: 30,
  detailDays: 400,
  listening: undefined,
  url: undefined,
  console: undefined,
  prometheusUrl: undefined,
  otlp: undefined,
}

export const operatorSettings = (env: string | undefined): OperatorSettings =>
  env === undefined ? alone : { ...alone, ...(JSON.parse(env) as Partial<OperatorSettings>) }
