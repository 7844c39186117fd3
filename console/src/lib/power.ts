/** What `GET /api/caps` answers, as far as the console uses it, and how it is told. */
export interface PowerEvent {
  readonly id: string
  readonly of: string
  readonly watts: number
  readonly from: string
  readonly until: string
  readonly note: string
}

export interface PowerLimit {
  readonly name: string
  readonly watts: number
  readonly other_watts: number
  readonly engines: readonly string[] | null
  readonly devices: boolean
  readonly now_watts: number
  readonly state: {
    readonly drawn_watts: number
    readonly planned_watts: number
    readonly reserved_watts: number
    readonly binds: boolean
  } | null
  readonly events: readonly PowerEvent[]
}

export interface Setting {
  readonly load: string
  readonly engines: Readonly<Record<string, number>>
  readonly power_watts: number | null
}

export interface Alarm {
  readonly kind: 'silent' | 'unknown' | 'deaf' | 'impossible' | 'over'
  readonly load?: string
  readonly limit?: string
  readonly watts: number
}

export interface Held {
  readonly model: string
  readonly slo: string
}

export interface Caps {
  readonly limits: readonly PowerLimit[]
  readonly settings: readonly Setting[]
  readonly held: readonly Held[]
  readonly alarms: readonly Alarm[]
}

export interface Decision {
  readonly number: number
  readonly at: string
  readonly settings: readonly Setting[]
  readonly held: readonly Held[]
  readonly alarms: readonly Alarm[]
  readonly limits: readonly { readonly name: string; readonly limit: number; readonly planned: number }[]
}

const alarmed: Readonly<Record<Alarm['kind'], string>> = {
  silent: 'its meter says nothing, so it counts at the most that it can draw',
  unknown: 'nobody says what it can draw at the most: add its chips, or a meter watts:IDLE,FULL',
  deaf: 'its board did not take its power limit',
  impossible: 'would be more than the limit with everything turned down',
  over: 'is above the limit now',
}

export const alarmText = ({ kind, load, limit, watts }: Alarm): string =>
  `${load ?? limit} ${alarmed[kind]} (${Math.round(watts)} W)`

/** What is done to keep the limits, a sentence each. */
export const doneText = ({ settings, held }: Pick<Caps, 'settings' | 'held'>): string[] => [
  ...settings.flatMap(({ load, engines, power_watts }) => [
    ...(power_watts === null ? [] : [`${load} is held to ${power_watts} W`]),
    ...Object.entries(engines).map(([name, most]) =>
      most === 0 ? `${name} takes no requests` : `${name} takes ${most} at once`,
    ),
  ]),
  ...held.map(({ model, slo }) => `${slo} requests of ${model} wait`),
]

/** Of a bar as long as the largest of them, in percent. */
export const bar = ({ watts, now_watts, state }: PowerLimit) => {
  const whole = Math.max(watts, now_watts, state?.drawn_watts ?? 0, state?.planned_watts ?? 0, 1)
  const part = (of: number): number => Math.round((1000 * of) / whole) / 10
  return {
    drawn: part(state?.drawn_watts ?? 0),
    planned: part(state?.planned_watts ?? 0),
    limit: part(now_watts),
  }
}

/** Those that are or will be, the next one first. */
export const upcoming = (limits: readonly PowerLimit[], now_ms: number): PowerEvent[] =>
  limits
    .flatMap(({ events }) => events)
    .filter(({ until }) => Date.parse(until) > now_ms)
    .sort((a, b) => Date.parse(a.from) - Date.parse(b.from))
