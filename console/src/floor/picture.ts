import type { Floor } from '../lib/contract.ts'
import { to } from '../lib/route.ts'
import { chipOf, chips } from './chips.ts'
import type { Layer, Link } from './layout.ts'
import { figure, type Seen, type Thing } from './thing.ts'

export interface Picture {
  readonly things: readonly Thing[]
  readonly links: readonly Link[]
}

/** The factory of the last minute as boxes and links, at most `room` boxes a layer. */
export function pictureOf(seen: Seen, room: number): Picture {
  const layers = [energy(seen), chips(seen), engines(seen), models(seen), applications(seen)]
  const hidden = new Map(
    layers.flatMap((layer, index) =>
      layer.length > room ? layer.slice(room - 1).map(({ id }) => [id, `more:${index}`] as const) : [],
    ),
  )
  const shown = (id: string): string => hidden.get(id) ?? id
  const links = [...powerLinks(seen), ...tokenLinks(seen)].map((link) => ({
    ...link,
    from: shown(link.from),
    to: shown(link.to),
  }))
  const all = merged(links)
  const fitting = layers.map((layer, index) => fit(layer, room, index as Layer))
  return { things: inOrder(fitting, all), links: all }
}

/** What feeds the first engine stands first, and so on to the left: then few ribbons cross. */
function inOrder(layers: readonly (readonly Thing[])[], links: readonly Link[]): Thing[] {
  const place = new Map((layers[2] ?? []).map(({ id }, index) => [id, index]))
  const sorted = [...layers]
  for (const layer of [1, 0]) {
    // What stands for the rest stays last.
    const first = ({ id }: Thing): number =>
      id.startsWith('more:')
        ? 100
        : Math.min(...links.filter(({ from }) => from === id).map(({ to }) => place.get(to) ?? 99), 99)
    sorted[layer] = (layers[layer] ?? []).toSorted((a, b) => first(a) - first(b))
    for (const [index, { id }] of (sorted[layer] ?? []).entries()) place.set(id, index)
  }
  return sorted.flat()
}

/** Links between the same two boxes are one. */
function merged(links: readonly Link[]): Link[] {
  const found = new Map<string, Link>()
  for (const link of links) {
    const key = `${link.from} ${link.to}`
    found.set(key, { ...link, share: (found.get(key)?.share ?? 0) + link.share })
  }
  return [...found.values()]
}

/** What does not fit is one box that says how many there are. */
function fit(layer: readonly Thing[], room: number, index: Layer): readonly Thing[] {
  if (layer.length <= room) return layer
  const pages = ['books', 'engines', 'engines', 'models', 'apps']
  const rest: Thing = {
    id: `more:${index}`,
    layer: index,
    title: `${layer.length - room + 1} more`,
    value: null,
    unit: '',
    note: 'all of them',
    source: null,
    state: 'quiet',
    href: to(pages[index] ?? ''),
  }
  return [...layer.slice(0, room - 1), rest]
}

function energy({ floor }: Seen): Thing[] {
  return floor.meters.map(({ meter, figures }) => ({
    id: `meter:${meter}`,
    layer: 0,
    title: meter,
    value: figure(figures, 'power_w'),
    unit: 'W',
    note: `idle floor ${Math.round(figure(figures, 'idle_w') ?? 0)} W`,
    source: figures.power_w?.source ?? null,
    state: figure(figures, 'power_w') === null ? 'unknown' : 'busy',
    href: to('books'),
  }))
}

function engines({ engines, floor }: Seen): Thing[] {
  const tokens = new Map(floor.engines.map(({ name, figures }) => [name, figure(figures, 'output_tokens_per_s') ?? 0]))
  return engines
    .map(
      (engine): Thing => ({
        id: `engine:${engine.name}`,
        layer: 2,
        title: engine.name,
        value: engine.running,
        unit: `of ${engine.concurrency} under way`,
        note: engine.draining ? 'draining' : engine.up === null ? 'not tried yet' : engine.up ? 'up' : 'down',
        source: 'measured',
        state: engine.up === false ? 'down' : engine.running > 0 ? 'busy' : engine.up === null ? 'unknown' : 'quiet',
        href: to('engines', engine.name),
      }),
    )
    .sort((a, b) => (tokens.get(b.title) ?? 0) - (tokens.get(a.title) ?? 0))
}

function models({ models, floor }: Seen): Thing[] {
  const busy = new Map(floor.models.map(({ name, figures }) => [name, figures]))
  const known = new Set(models.map(({ model }) => model))
  const gone = floor.models
    .filter(({ name }) => !known.has(name))
    .map(({ name }) => ({ model: name, state: 'removed' }))
  return [...models, ...gone]
    .map(({ model, state }): Thing => {
      const figures = busy.get(model) ?? {}
      const value = figure(figures, 'output_tokens_per_s') ?? 0
      const failed = state === 'failed' || state === 'removed'
      return {
        id: `model:${model}`,
        layer: 3,
        title: model,
        value,
        unit: 'tokens/s',
        note: failed || state === 'draining' || state === 'loading' ? state : ttftNote(figures),
        source: figures.output_tokens_per_s?.source ?? 'measured',
        state: failed ? 'down' : value > 0 ? 'busy' : 'quiet',
        href: to('models', model),
      }
    })
    .sort((a, b) => (b.value ?? 0) - (a.value ?? 0))
}

const ttftNote = (figures: Floor['figures']): string => {
  const ttft = figure(figures, 'ttft_p50_ms')
  return ttft === null ? 'ready' : `TTFT ${Math.round(ttft)} ms`
}

function applications({ floor }: Seen): Thing[] {
  if (floor.applications.length === 0) return [nobody]
  return floor.applications.map(({ name, figures }) => {
    const [tenant = '', app = ''] = name.split('/').map(decodeURIComponent)
    return {
      id: `app:${name}`,
      layer: 4,
      title: `${tenant}/${app}`,
      value: figure(figures, 'output_tokens_per_s'),
      unit: 'tokens/s',
      note: `${(figure(figures, 'requests_per_min') ?? 0).toFixed(0)} requests/min`,
      source: figures.output_tokens_per_s?.source ?? null,
      state: (figure(figures, 'output_tokens_per_s') ?? 0) > 0 ? 'busy' : 'quiet',
      href: to('apps', `${tenant}/${app}`),
    }
  })
}

const nobody: Thing = {
  id: 'app:nobody',
  layer: 4,
  title: 'Nobody asks now',
  value: null,
  unit: '',
  note: 'send a message, or make a key',
  source: null,
  state: 'unknown',
  href: to('try'),
}

/** Watts from meters to the chips that they measure, and on to the engines that run there. */
function powerLinks({ floor, engines }: Seen): Link[] {
  const watts = (meter: string): number =>
    figure(floor.meters.find((each) => each.meter === meter)?.figures ?? {}, 'power_w') ?? 0
  const all = floor.meters.reduce((sum, { meter }) => sum + watts(meter), 0)
  const share = (meter: string): number => (all > 0 ? watts(meter) / all : 0)
  const declared = new Set(engines.flatMap(({ meters }) => meters))
  const machine = floor.meters.filter(({ meter }) => !declared.has(meter)).map(({ meter }) => meter)
  return engines.flatMap((engine): Link[] => {
    const mine = engine.url === null ? machine : engine.meters
    const sum = mine.reduce((total, meter) => total + share(meter), 0)
    return [
      ...mine.map(
        (meter): Link => ({ from: `meter:${meter}`, to: chipOf(engine), kind: 'energy', share: share(meter) }),
      ),
      { from: chipOf(engine), to: `engine:${engine.name}`, kind: 'energy', share: sum },
    ]
  })
}

/** Tokens from engines over models to applications; a hair where a model is served and nobody asks. */
function tokenLinks({ floor, engines }: Seen): Link[] {
  const all = floor.flows.reduce((sum, flow) => sum + flow.output_tokens_per_s, 0)
  const served = engines.flatMap(({ name, models }) =>
    Object.keys(models).map(
      (model): Link => ({ from: `engine:${name}`, to: `model:${model}`, kind: 'tokens', share: 0 }),
    ),
  )
  const flowing = floor.flows.flatMap(({ replica, model, tenant, application, output_tokens_per_s }): Link[] => {
    const share = all > 0 ? output_tokens_per_s / all : 0
    const app = `app:${[tenant, application].map(encodeURIComponent).join('/')}`
    return [
      { from: `engine:${replica}`, to: `model:${model}`, kind: 'tokens', share },
      { from: `model:${model}`, to: app, kind: 'tokens', share },
    ]
  })
  return [...served, ...flowing]
}
