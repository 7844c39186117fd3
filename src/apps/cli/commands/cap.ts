import type { Command } from 'commander'
import { fields, type Row } from '../print.ts'
import { does, path, query, show } from '../run.ts'

interface Limit {
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
    readonly correction_watts: number
    readonly binds: boolean
  } | null
  readonly events: readonly Row[]
}

interface Setting {
  readonly load: string
  readonly engines: Readonly<Record<string, number>>
  readonly power_watts: number | null
}

interface Alarm {
  readonly kind: keyof typeof alarmed
  readonly load?: string
  readonly limit?: string
  readonly watts: number
}

interface State {
  readonly limits: readonly Limit[]
  readonly settings: readonly Setting[]
  readonly held: readonly { readonly model: string; readonly slo: string }[]
  readonly alarms: readonly Alarm[]
}

interface Decision extends Omit<State, 'limits'> {
  readonly number: number
  readonly at: string
  readonly limits: readonly { readonly name: string; readonly limit: number; readonly planned: number }[]
}

/** What is out of hand, and what to do about it. */
const alarmed = {
  silent: 'its meter says nothing: counted at the most that it can draw',
  unknown: 'nobody says what it can draw (engines add --chips, or a meter watts:IDLE,FULL)',
  deaf: 'its board did not take its power limit',
  impossible: 'more than the limit, with everything turned down',
  over: 'more than the limit is drawn now',
} as const

export function capCommands(program: Command): void {
  const cap = program.command('cap').description('limits of power: what engines may draw together, and when it is less')

  does<{ watts?: string; other?: string; engines?: string; devices?: boolean }>(
    cap
      .command('set')
      .description('limit what engines draw together; setting it again replaces it')
      .argument('<name>', 'such as site, rack-3 or feed-b')
      .requiredOption('--watts <n>', 'what must not be exceeded')
      .option('--other <n>', 'the most that is drawn under it by what nobody here can turn down (default: 0)')
      .option('--engines <names>', 'engines under it, with commas between (default: all)')
      .option('--devices', 'hold NVIDIA boards of this machine by their own power limits (as root)'),
    async (factory, { watts, other, engines, devices, ...options }, name = '') => {
      const asked = {
        watts: number(watts),
        other_watts: number(other),
        engines: engines?.split(',').map((one) => one.trim()),
        devices,
      }
      show(await factory.json('PUT', path`/api/caps/${name}`, asked), options, (limit: Limit) => fields(row(limit)))
      return undefined
    },
  )

  does(
    cap.command('status').description('limits, what is drawn under each, and what is done to keep them'),
    async (factory, options) => {
      show(await factory.json('GET', '/api/caps'), options, (state: State) => [
        ...state.limits.map(row),
        ...said(state).map((text) => ({ limit: text })),
      ])
      return undefined
    },
  )

  does<{ watts?: string; from?: string; for?: string; until?: string; note?: string }>(
    cap
      .command('event')
      .description('a time in which a limit is lower: demand response, a brown-out, a peak of the tariff')
      .argument('<name>', 'of the limit')
      .requiredOption('--watts <n>', 'what must not be exceeded then')
      .option('--from <date>', 'such as 2027-01-31T17:00:00Z (default: now)')
      .option('--for <time>', 'how long, such as 2h')
      .option('--until <date>', 'or until when')
      .option('--note <text>', 'why'),
    async (factory, { watts, from, for: lasts, until, note, ...options }, name = '') => {
      const asked = { watts: number(watts), from, for: lasts, until, note }
      show(await factory.json('POST', path`/api/caps/${name}/events`, asked), options, (event: Row) => fields(event))
      return undefined
    },
  )

  does(cap.command('events').description('times in which limits are lower'), async (factory, options) => {
    show(await factory.json('GET', '/api/caps'), options, ({ limits }: State) => limits.flatMap(({ events }) => events))
    return undefined
  })

  does(
    cap
      .command('cancel')
      .description('an event does not take place, or is over now')
      .argument('<id>', 'as in the list'),
    async (factory, options, id = '') => {
      show(await factory.json('DELETE', path`/api/caps/events/${id}`), options, (done: Row) => fields(done))
      return undefined
    },
  )

  does(
    cap.command('remove').description('limit it no more').argument('<name>'),
    async (factory, options, name = '') => {
      const done = await factory.json('DELETE', path`/api/caps/${name}`)
      show(done, options, ({ published: _, ...limit }: Row) => fields(limit))
      return undefined
    },
  )

  does<{ limit?: string }>(
    cap
      .command('why')
      .description('what was decided, when it changed something; the newest first')
      .option('--limit <n>', 'so many (default: 20)'),
    async (factory, { limit, ...options }) => {
      const found = await factory.json('GET', `/api/caps/decisions${query({ limit })}`)
      show(found, options, ({ decisions }: { decisions: Decision[] }) =>
        decisions.map((decision) => ({
          at: decision.at,
          limits: decision.limits.map((one) => `${one.name} ${Math.round(one.limit)} W`).join(', '),
          planned: decision.limits.map((one) => `${Math.round(one.planned)} W`).join(', '),
          decided: said(decision).join('; ') || 'nothing is held',
        })),
      )
      return undefined
    },
  )
}

/** Left to the API to refuse, in its own words, what is no number. */
const number = (text: string | undefined): number | string | undefined =>
  text === undefined || Number.isNaN(Number(text)) ? text : Number(text)

const row = ({ name, watts, now_watts, other_watts, engines, devices, state }: Limit): Row => ({
  limit: name,
  watts: now_watts === watts ? watts : `${now_watts} (else ${watts})`,
  drawn: state ? `${state.drawn_watts}` : 'not seen yet',
  planned: state ? `${state.planned_watts} (estimated)` : '',
  reserved: state?.reserved_watts ?? other_watts,
  binds: state ? (state.binds ? 'yes' : 'no') : '',
  engines: engines?.join(', ') ?? 'all',
  devices: devices ? 'yes' : 'no',
})

/** What is done, and what is wrong, in sentences. */
function said({ settings, held, alarms }: Omit<State, 'limits'>): string[] {
  return [
    ...settings.map(({ load, engines, power_watts }) => {
      const places = Object.entries(engines).map(([name, most]) => `${name} takes ${most} at once`)
      return [...places, ...(power_watts === null ? [] : [`${load} is held to ${power_watts} W`])].join(', ')
    }),
    ...held.map(({ model, slo }) => `${slo} requests of ${model} wait`),
    ...alarms.map(({ kind, load, limit, watts }) => `${load ?? limit}: ${alarmed[kind]} (${Math.round(watts)} W)`),
  ]
}
