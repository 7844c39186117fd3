import { availableParallelism } from 'node:os'
import type { CertificateFiles } from '../../adapters/http/certificate.ts'
import { parseNetwork } from '../../adapters/http/client.ts'
import { isName } from '../../adapters/sqlite/registry/names.ts'
import type { RoomBounds } from '../../books/room.ts'
import { mainSite } from '../../plant/infrastructure/site.ts'
import type { SiteId } from '../../units/ids.ts'
import { id } from '../../units/ids.ts'

import type { OtlpSettings } from '../operator/otlp.ts'

/** Where the factory listens unless told otherwise: named after nothing else that serves models or web pages. */
export const usualPort = 4141

export type Setting =
  | {
      readonly kind: 'integer' | 'number'
      readonly min: number
      readonly max: number
      readonly usual: number
      /** Where `usual` is worked out on each machine: how. */
      readonly usualIs?: string
      readonly why: string
    }
  /** As tenants, engines and sites are called. */
  | { readonly kind: 'name'; readonly usual: string; readonly why: string }
  | { readonly kind: 'text'; readonly usual: string; readonly why: string }
  /** A path, from the folder of the file that says it; empty: none. */
  | { readonly kind: 'file'; readonly usual: ''; readonly why: string }
  /** http or https; empty: none. */
  | { readonly kind: 'url'; readonly usual: ''; readonly why: string }
  | { readonly kind: 'networks'; readonly usual: readonly string[]; readonly why: string }

export type Value = number | string | readonly string[]

const integer = (usual: number, min: number, max: number, why: string, usualIs?: string): Setting => ({
  kind: 'integer',
  usual,
  min,
  max,
  why,
  ...(usualIs !== undefined && { usualIs }),
})
const number = (usual: number, min: number, max: number, why: string): Setting => ({
  kind: 'number',
  usual,
  min,
  max,
  why,
})

/** All that `wattmill.yaml` may say, by its path in the file; each bound with its reason. */
export const settings = {
  port: integer(usualPort, 0, 65_535, '0 takes any free port'),
  host: { kind: 'text', usual: '127.0.0.1', why: 'the address to listen on; only this machine unless told otherwise' },
  store: {
    kind: 'text',
    usual: '',
    why: 'postgres://USER@HOST:PORT/DATABASE keeps registry and books there, the password from PGPASSWORD or ~/.pgpass; empty: in a file of the home',
  },
  'tls.cert': {
    kind: 'file',
    usual: '',
    why: 'PEM certificate chain; with tls.key the factory speaks TLS and nothing else',
  },
  'tls.key': {
    kind: 'file',
    usual: '',
    why: 'its PEM key, without a passphrase; a renewed pair is taken up by itself',
  },
  trusted_proxies: {
    kind: 'networks',
    usual: [],
    why: 'addresses or networks whose x-forwarded-for is believed, such as [10.0.0.0/8]',
  },
  gateways: integer(1, 1, 64, 'each uses a core; they share what keys may use by leases'),
  'power.idle_watts': number(10, 0, 1e6, 'what the machine draws at rest; used where it has no energy meter'),
  'power.full_watts': number(50, 0, 1e6, 'what it draws with all cores busy; used where it has no energy meter'),
  'power.contracted_kw': number(
    0,
    0,
    1e7,
    'what the utility has promised: `books cost` says how much of it is used; 0: nobody said',
  ),
  'engine.site': {
    kind: 'name',
    usual: mainSite,
    why: 'where the embedded engine stands: costs, usage and prices can be told by site (`engines add --site` for the others)',
  },
  'engine.slots': integer(
    4,
    1,
    64,
    'requests that the embedded engine works on at once; each costs a context of KV cache',
  ),
  'engine.threads': integer(
    Math.max(1, availableParallelism() - 1),
    1,
    1024,
    'one core is left for the gateway',
    'all cores but one',
  ),
  'engine.context': integer(4096, 64, 10_000_000, 'tokens of prompt and answer together; memory grows with it'),
  'engine.queue': integer(
    256,
    0,
    100_000,
    'requests that wait in the engine; beyond it an early refusal beats a late one',
  ),
  'engine.memory_mib': integer(
    0,
    0,
    100_000_000,
    'what loaded models may take together, MiB; 0: 60 % of the machine, or 90 % of its GPU',
  ),
  'limits.body_bytes': integer(10 * 1024 * 1024, 1024, 1024 ** 3, 'images as base64 fit; it is held in memory twice'),
  'limits.request_seconds': number(600, 1, 86_400, "the OpenAI SDK's own timeout: nobody listens longer"),
  'limits.queue_length': integer(256, 0, 100_000, 'requests that wait in a gateway'),
  'limits.queue_seconds': number(30, 0, 3600, 'the longest that a request waits for a free replica'),
  'limits.engine_seconds': number(2, 0, 3600, 'the longest that a request waits for an engine that is away'),
  'limits.hedge_percent': number(
    0,
    0,
    100,
    'what second attempts at requests whose first token is late may cost, of what serving costs; 0: there are none',
  ),
  'limits.lease_seconds': number(2, 0, 60, 'the longest that it waits for a part of a budget that others hold'),
  'limits.max_connections': integer(4096, 1, 1_000_000, 'sockets per gateway; each costs some memory'),
  'limits.journal_bytes': integer(
    4 * 1024 ** 3,
    128 * 1024 ** 2,
    1e15,
    'what journals and engine logs may hold together; beyond it nothing new is admitted',
  ),
  'limits.free_disk_bytes': integer(
    256 * 1024 ** 2,
    0,
    1e15,
    'what the disk keeps free; below it nothing new is admitted',
  ),
  'limits.file_bytes': integer(
    100 * 1024 ** 2,
    1024,
    512 * 1024 ** 2,
    'a file that a tenant uploads; on the disk, never whole in memory',
  ),
  'limits.tenant_file_bytes': integer(1024 ** 3, 1024, 1e15, "all of a tenant's files together"),
  'limits.tenant_files': integer(1000, 1, 100_000, 'files of a tenant'),
  'limits.file_seconds': number(
    30 * 86_400,
    3600,
    3650 * 86_400,
    'files, and batches that are over, are deleted after this',
  ),
  'limits.batch_lines': integer(50_000, 1, 1_000_000, 'requests in one batch'),
  'limits.batches': integer(100, 1, 10_000, 'batches of a tenant that are not over'),
  'limits.batch_requests': integer(16, 1, 10_000, 'requests of batches under way at once, all batches together'),
  'retention.detail_days': number(
    400,
    35,
    36_500,
    'requests, transfers and meter intervals one by one; what is older is kept as sums by day (a month and its statement at least)',
  ),
  'retention.engine_log_days': number(30, 0.01, 36_500, 'engine logs that are in the books are deleted after this'),
  'limits.cache_bytes': integer(
    64 * 1024 ** 2,
    0,
    1024 ** 4,
    'answers that each gateway keeps in memory for requests that ask for it; 0 keeps none',
  ),
  'limits.stall_seconds': number(120, 1, 86_400, 'an upstream silent for so long has stalled'),
  'responses.retention_days': number(
    30,
    0,
    36_500,
    'responses that clients want kept (/v1/responses, `store`) can be had so long, as at OpenAI; 0: none is kept',
  ),
  'responses.bytes_per_tenant': integer(
    256 * 1024 ** 2,
    0,
    1e15,
    'what the kept responses of a tenant may hold; beyond it the oldest of them go',
  ),
  'telemetry.prometheus_url': {
    kind: 'url',
    usual: '',
    why: 'the Prometheus server that meters of the form prom:QUERY are asked of',
  },
  'telemetry.otlp_url': {
    kind: 'url',
    usual: '',
    why: 'an OpenTelemetry collector, such as http://127.0.0.1:4318: metrics are sent there by OTLP/HTTP as JSON',
  },
  'telemetry.otlp_key_from': {
    kind: 'text',
    usual: '',
    why: 'env:NAME or file:PATH of a bearer token, where the collector wants one',
  },
  'telemetry.otlp_seconds': number(60, 1, 86_400, 'how often they are sent'),
  'objectives.ttft_seconds': number(2, 0.001, 3600, 'a first token later than this misses the objective'),
  'objectives.tpot_seconds': number(0.2, 0.0001, 60, 'an answer slower per token than this misses the objective'),
} as const satisfies Record<string, Setting>

export type SettingPath = keyof typeof settings

/** The settings in slices: each process gets its own. */
export interface Config {
  /** Address of a PostgreSQL; undefined: the store is where the home has it. */
  readonly store: string | undefined
  readonly host: string
  readonly port: number
  /** Undefined: plain HTTP. */
  readonly certificate: CertificateFiles | undefined
  readonly trustedProxies: readonly string[]
  readonly gateways: number
  readonly power: { readonly idleWatts: number; readonly fullWatts: number; readonly contractedWatts: number }
  readonly engine: {
    readonly slots: number
    readonly threads: number
    readonly context: number
    readonly queue: number
    readonly 'memory-mib': number
  }
  /** Where the embedded engine stands. */
  readonly site: SiteId
  readonly prometheusUrl: string | undefined
  /** Undefined: metrics are not sent. */
  readonly otlp: OtlpSettings | undefined
  readonly room: RoomBounds
  readonly engineLogDays: number
  readonly detailDays: number
  /** As the gateway reads them from WATTMILL_GATEWAY. */
  readonly gateway: Readonly<Record<string, number>>
}

export function configFrom(given: ReadonlyMap<string, Value>): Config {
  const number = (path: SettingPath): number => Number(given.get(path) ?? settings[path].usual)
  const gateway = Object.keys(settings).filter((path) => /^(limits|objectives|responses)\./.test(path)) as SettingPath[]
  const text = (path: SettingPath): string => String(given.get(path) ?? settings[path].usual)
  const [cert, key] = [text('tls.cert'), text('tls.key')]
  const otlp = {
    url: text('telemetry.otlp_url'),
    keyFrom: text('telemetry.otlp_key_from'),
    seconds: number('telemetry.otlp_seconds'),
  }
  return {
    store: text('store') || undefined,
    host: text('host'),
    port: number('port'),
    certificate: cert && key ? { cert, key } : undefined,
    trustedProxies: (given.get('trusted_proxies') ?? settings.trusted_proxies.usual) as readonly string[],
    gateways: number('gateways'),
    room: { most_bytes: number('limits.journal_bytes'), least_free_bytes: number('limits.free_disk_bytes') },
    engineLogDays: number('retention.engine_log_days'),
    detailDays: number('retention.detail_days'),
    power: {
      idleWatts: number('power.idle_watts'),
      fullWatts: number('power.full_watts'),
      contractedWatts: number('power.contracted_kw') * 1000,
    },
    engine: {
      slots: number('engine.slots'),
      threads: number('engine.threads'),
      context: number('engine.context'),
      queue: number('engine.queue'),
      'memory-mib': number('engine.memory_mib'),
    },
    site: id(text('engine.site')),
    prometheusUrl: text('telemetry.prometheus_url') || undefined,
    otlp: otlp.url === '' ? undefined : otlp,
    gateway: Object.fromEntries(gateway.map((path) => [path.replace(/^limits\./, '').replace('.', '_'), number(path)])),
  }
}

/** Why a value does not fit its setting; undefined: it does. */
export function unfit(setting: Setting, value: unknown): string | undefined {
  if (setting.kind === 'file') return typeof value === 'string' ? undefined : 'is a path'
  if (setting.kind === 'networks') return unfitNetworks(value)
  if (setting.kind === 'url')
    return value === '' || isHttp(value) ? undefined : 'is a URL such as http://127.0.0.1:9090'
  if (setting.kind === 'name')
    return typeof value === 'string' && isName(value) ? undefined : 'is a name: 1 to 100 letters, digits and . _ : / -'
  if (setting.kind === 'text')
    return typeof value === 'string' && (value !== '' || setting.usual === '') ? undefined : 'is a text'
  const range = `${setting.min} to ${setting.max}`
  if (typeof value !== 'number' || (setting.kind === 'integer' && !Number.isInteger(value)))
    return `is a ${setting.kind === 'integer' ? 'whole number' : 'number'} from ${range}`
  return value >= setting.min && value <= setting.max ? undefined : `is from ${range} (${setting.why})`
}

const isHttp = (value: unknown): boolean =>
  typeof value === 'string' && /^https?:$/.test(URL.parse(value)?.protocol ?? '')

function unfitNetworks(value: unknown): string | undefined {
  if (!Array.isArray(value)) return 'is a list such as [10.0.0.0/8, 192.0.2.7]'
  const wrong = value.find((one) => typeof one !== 'string' || !parseNetwork(one))
  return wrong === undefined ? undefined : `holds ${JSON.stringify(wrong)}, which is no address and no network`
}
