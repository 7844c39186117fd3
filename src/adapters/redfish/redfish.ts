import { Page, ScrapeError } from '../prometheus/scrape.ts'

/** What a service processor or a PDU tells of one thing: energy since some moment, or power now. */
export type RedfishReading = { readonly energy_mj: number } | { readonly power_w: number }

/**
 * One resource of a Redfish service (DMTF DSP0268), asked again and again: `EnvironmentMetrics` of a chassis, a system or a
 * processor, `Metrics` of a PDU, an outlet or a power supply, or a chassis' `Power` as older firmware has it.
 */
export class Redfish {
  readonly #page: Page
  readonly #only: 'any' | 'watts'
  readonly #secret: () => string | undefined

  /** `secret`: `user:password`, or a session's token; read anew each time, so that one that was rotated is found. */
  constructor(url: string, only: 'any' | 'watts', secret: () => string | undefined = () => undefined) {
    this.#page = new Page(url)
    this.#only = only
    this.#secret = secret
  }

  /** Throws ScrapeError. */
  async reading(): Promise<RedfishReading> {
    const text = await this.#page.text('application/json', credentials(this.#secret()))
    return readRedfish(text, this.#page.url.href, this.#only)
  }

  close(): Promise<void> {
    return this.#page.close()
  }
}

const credentials = (secret: string | undefined): Record<string, string> => {
  if (secret === undefined) return {}
  return secret.includes(':')
    ? { authorization: `Basic ${Buffer.from(secret).toString('base64')}` }
    : { 'x-auth-token': secret }
}

/** Cumulative energy before power; of two counters the finer one. Names and units are the schemas'. */
const energies = [
  ['EnergyJoules', 1e3],
  ['EnergykWh', 3.6e9],
] as const
const powers = ['PowerWatts', 'InputPowerWatts'] as const

/**
 * A resource's JSON → its energy, or its power. A sensor that is not there, off or without a reading (`null`) is no figure.
 *
 * Of `PowerControl` the first member is the chassis; those after it are parts of it on machines that list parts.
 */
export function readRedfish(text: string, where: string, only: 'any' | 'watts' = 'any'): RedfishReading {
  const resource = objectIn(text)
  if (!resource) throw new ScrapeError('bad_reply', `${where} was answered with no JSON object`)
  if (only === 'any')
    for (const [name, mj] of energies) {
      const energy = figure(resource[name])
      if (energy !== undefined) return { energy_mj: Math.round(energy * mj) }
    }
  const control: unknown = Array.isArray(resource.PowerControl) ? resource.PowerControl[0] : undefined
  const power_w = [...powers.map((name) => resource[name]), field(control, 'PowerConsumedWatts')]
    .map(figure)
    .find((value) => value !== undefined)
  if (power_w !== undefined) return { power_w }
  const told = only === 'watts' ? 'no power' : 'neither energy nor power'
  throw new ScrapeError('bad_reply', `${where} tells ${told}: ask EnvironmentMetrics, Metrics or Power`)
}

/** A number, or a sensor's excerpt whose `Reading` is one; below zero is what some firmware says for unknown. */
function figure(value: unknown): number | undefined {
  const reading = typeof value === 'object' ? field(value, 'Reading') : value
  return typeof reading === 'number' && Number.isFinite(reading) && reading >= 0 ? reading : undefined
}

const field = (of: unknown, name: string): unknown =>
  typeof of === 'object' && of !== null ? (of as Record<string, unknown>)[name] : undefined

function objectIn(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined
  } catch {
    return undefined
  }
}
