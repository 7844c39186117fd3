import { parseArgs } from 'node:util'
import type { CertificateFiles } from '../../adapters/http/certificate.ts'
import { Proxies } from '../../adapters/http/client.ts'
import type { RoomBounds } from '../../books/room.ts'
import type { Objectives } from '../../lines/inference/objectives.ts'
import type { Bounds } from '../../lines/inference/snapshot.ts'
import { seconds } from '../../units/quantity.ts'

/** Where one gateway stands, from its arguments, and its bounds, from the launcher. */
export interface Settings {
  readonly home: string
  /** Which of the gateways of this home it is: names its stored snapshot. */
  readonly slot: number
  readonly host: string
  readonly port: number
  /** Undefined: plain HTTP. */
  readonly certificate: CertificateFiles | undefined
  readonly proxies: Proxies
  readonly bodyBytes: number
  readonly requestMs: number
  readonly maxConnections: number
  /** A stream of an upstream that is silent so long has stalled. */
  readonly stallMs: number
  /** What answers that are kept may take; 0: none is kept. */
  readonly cacheBytes: number
  readonly room: RoomBounds
  /** Responses that clients want kept. */
  readonly responses: { readonly retentionMs: number; readonly bytesPerTenant: number }
  readonly debug: boolean
  readonly admission: Bounds
  readonly objectives: Objectives
  readonly batches: BatchBounds
}

/** What tenants may leave on the disk, and what batches may do at once. */
export interface BatchBounds {
  readonly fileBytes: number
  readonly tenantBytes: number
  readonly tenantFiles: number
  /** Files, and batches that are over, are kept so long. */
  readonly keepMs: number
  readonly lines: number
  /** Of a tenant, not over yet. */
  readonly unfinished: number
  /** Lines under way in all batches together. */
  readonly requests: number
}

/** Each bound as `wattmill.yaml` names it: default, least, most. */
const bounds = {
  body_bytes: [10 * 1024 * 1024, 1024, 1024 ** 3], // images as base64 fit; more is held in memory twice while parsed
  request_seconds: [600, 1, 86_400], // the OpenAI SDK's own timeout: nobody listens longer
  queue_length: [256, 0, 100_000], // beyond it an early refusal beats a late one
  queue_seconds: [30, 0, 3600],
  engine_seconds: [2, 0, 3600], // an engine that restarts is back in about a second: waiting beats an error
  hedge_percent: [0, 0, 100], // a second attempt is somebody's chip time or bill: only who asks for it has it
  lease_seconds: [2, 0, 60], // the keeper of allowances answers in milliseconds; what comes back from others takes longer
  max_connections: [4096, 1, 1_000_000],
  journal_bytes: [4 * 1024 ** 3, 128 * 1024 ** 2, 1e15], // days of an operator that is away; an engine's log file alone has 16 MiB
  free_disk_bytes: [256 * 1024 ** 2, 0, 1e15], // room for the rows of what runs, and for whoever comes to make more
  cache_bytes: [64 * 1024 ** 2, 0, 1024 ** 4], // in memory, for requests that ask for it
  stall_seconds: [120, 1, 86_400], // long prompts on small machines are read for a minute or more without a word
  file_bytes: [100 * 1024 ** 2, 1024, 512 * 1024 ** 2], // 50,000 lines of 2 KiB; on the disk, never whole in memory
  tenant_file_bytes: [1024 ** 3, 1024, 1e15], // ten such files, and what is made of them
  tenant_files: [1000, 1, 100_000], // the folder of a tenant is read whole for its list
  file_seconds: [30 * 86_400, 3600, 3650 * 86_400], // a month: as long as bills are asked about
  batch_lines: [50_000, 1, 1_000_000], // OpenAI's own bound; each id is held while its batch runs
  batches: [100, 1, 10_000], // of a tenant, not over yet
  batch_requests: [16, 1, 10_000], // lines under way; each holds its request and its answer in memory
  responses_retention_days: [30, 0, 36_500], // as long as OpenAI keeps them
  responses_bytes_per_tenant: [256 * 1024 ** 2, 0, 1e15], // some 50,000 turns of 5 KB
  objectives_ttft_seconds: [2, 0.001, 3600], // people take a second or two for an answer that begins
  objectives_tpot_seconds: [0.2, 0.0001, 60], // five tokens a second is as fast as most people read
} as const satisfies Record<string, readonly [number, number, number]>

type Bound = keyof typeof bounds

/** Throws with words for people when an argument or a bound makes no sense. */
export function settingsFrom(args: readonly string[], environment: NodeJS.ProcessEnv): Settings {
  const { values } = parseArgs({
    args: [...args],
    options: {
      home: { type: 'string', default: environment.WATTMILL_HOME ?? '.wattmill' },
      slot: { type: 'string', default: '0' },
      port: { type: 'string', default: '8080' },
      host: { type: 'string', default: '127.0.0.1' },
      debug: { type: 'boolean', default: false },
      'tls-cert': { type: 'string' },
      'tls-key': { type: 'string' },
      'trusted-proxy': { type: 'string', multiple: true, default: [] },
    },
  })
  const given = boundsFrom(environment.WATTMILL_GATEWAY ?? '{}')
  return {
    home: values.home,
    slot: whole('--slot', values.slot, 0, 1023),
    host: values.host,
    port: whole('--port', values.port, 0, 65_535),
    certificate: certificateIn(values['tls-cert'], values['tls-key']),
    proxies: new Proxies(values['trusted-proxy']),
    bodyBytes: given('body_bytes'),
    requestMs: given('request_seconds') * 1000,
    maxConnections: given('max_connections'),
    stallMs: given('stall_seconds') * 1000,
    cacheBytes: given('cache_bytes'),
    room: { most_bytes: given('journal_bytes'), least_free_bytes: given('free_disk_bytes') },
    responses: {
      retentionMs: given('responses_retention_days') * 86_400_000,
      bytesPerTenant: given('responses_bytes_per_tenant'),
    },
    debug: values.debug,
    admission: {
      queueLength: given('queue_length'),
      queueTime: seconds(given('queue_seconds')),
      absentTime: seconds(given('engine_seconds')),
      leaseTime: seconds(given('lease_seconds')),
      hedging: { share: given('hedge_percent') / 100, samples: 100 },
      attempts: 3, // two more tries find a good replica if there is one; more multiply the load of an outage
    },
    objectives: {
      ttft: seconds(given('objectives_ttft_seconds')),
      tpot: seconds(given('objectives_tpot_seconds')),
    },
    batches: {
      fileBytes: given('file_bytes'),
      tenantBytes: given('tenant_file_bytes'),
      tenantFiles: given('tenant_files'),
      keepMs: given('file_seconds') * 1000,
      lines: given('batch_lines'),
      unfinished: given('batches'),
      requests: given('batch_requests'),
    },
  }
}

function certificateIn(cert: string | undefined, key: string | undefined): CertificateFiles | undefined {
  if ((cert === undefined) !== (key === undefined)) throw new Error('--tls-cert and --tls-key go together')
  return cert !== undefined && key !== undefined ? { cert, key } : undefined
}

function boundsFrom(json: string): (name: Bound) => number {
  const given: unknown = JSON.parse(json)
  if (typeof given !== 'object' || given === null) throw new Error('WATTMILL_GATEWAY must be a JSON object')
  const unknown = Object.keys(given).find((name) => !Object.hasOwn(bounds, name))
  if (unknown !== undefined) throw new Error(`WATTMILL_GATEWAY: unknown bound "${unknown}"`)
  const values = given as Partial<Record<Bound, unknown>>
  return (name) => {
    const [usual, least, most] = bounds[name]
    const value = values[name] ?? usual
    if (typeof value !== 'number' || !(value >= least && value <= most))
      throw new Error(`WATTMILL_GATEWAY: "${name}" must be a number from ${least} to ${most}`)
    return value
  }
}

function whole(name: string, text: string, least: number, most: number): number {
  const value = Number(text)
  if (text.trim() === '' || !Number.isInteger(value) || value < least || value > most)
    throw new Error(`${name} must be a whole number from ${least} to ${most}`)
  return value
}
