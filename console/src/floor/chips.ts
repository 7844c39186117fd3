import type { Engine, Figures, Machine, Status } from '../lib/contract.ts'
import { to } from '../lib/route.ts'
import { figure, type Seen, type Thing } from './thing.ts'

/** What an engine runs on: this machine, chips that it declared, or nothing known. */
export const chipOf = ({ url, chips, name }: Engine): string =>
  url === null ? 'chip:here' : chips === null ? 'chip:elsewhere' : `chip:of:${name}`

/** What the factory runs on, in a word. */
export function chipsHead(engines: readonly Engine[]): string {
  const declared = engines.reduce((sum, { chips }) => sum + (chips === null ? 0 : Number(chips.split(':')[1] ?? 1)), 0)
  const machine = engines.some(({ url }) => url === null) ? ['this machine'] : []
  return [...machine, ...(declared > 0 ? [`${declared} chips`] : [])].join(' + ') || 'none known'
}

/** One box for this machine, one for each engine that declared its chips, one for all that did not. */
export function chips({ engines, status, floor, machine }: Seen): Thing[] {
  const found = new Map<string, Thing>()
  const meters = new Map(floor.meters.map(({ meter, figures }) => [meter, figures]))
  for (const engine of engines) {
    const id = chipOf(engine)
    if (found.has(id)) continue
    found.set(
      id,
      engine.url === null
        ? thisMachine(status, machine)
        : engine.chips === null
          ? unknownChips
          : declared(engine, meters),
    )
  }
  return [...found.values()]
}

const thisMachine = ({ engine_host: host }: Status, machine: Machine | undefined): Thing => ({
  id: 'chip:here',
  layer: 1,
  title: machine ? nameOf(machine) : 'This machine',
  value: host.running ?? null,
  unit: `of ${host.slots ?? '–'} slots`,
  note: machine ? `this machine, ${machine.cpu.usable} threads` : 'this machine',
  source: 'measured',
  state: !host.up ? 'down' : (host.running ?? 0) > 0 ? 'busy' : 'quiet',
  href: to('engines', 'embedded'),
})

/** Its accelerators where it has some, else its processor. */
function nameOf({ cpu, accelerators: { found } }: Machine): string {
  const [first] = found
  if (first) return found.length > 1 ? `${found.length} × ${first.name}` : first.name
  return (
    cpu.model
      .replace(/\((R|TM)\)|\bCPU\b.*|\bProcessor\b/gi, '')
      .replace(/\s+/g, ' ')
      .trim() || 'This machine'
  )
}

const unknownChips: Thing = {
  id: 'chip:elsewhere',
  layer: 1,
  title: 'Elsewhere',
  value: null,
  unit: '',
  note: 'chips not declared',
  source: null,
  state: 'unknown',
  href: to('engines'),
}

function declared(engine: Engine, meters: ReadonlyMap<string, Figures>): Thing {
  const [chip = '', count = '1'] = (engine.chips ?? '').split(':')
  const mine = engine.meters.map((meter) => meters.get(meter)).filter((figures) => figures !== undefined)
  return {
    id: chipOf(engine),
    layer: 1,
    title: `${count} × ${chip}`,
    value: mine.length === 0 ? null : mine.reduce((sum, figures) => sum + (figure(figures, 'power_w') ?? 0), 0),
    unit: 'W',
    note: mine.length === 0 ? 'power not metered' : engine.name,
    source: mine[0]?.power_w?.source ?? null,
    state: engine.up === false ? 'down' : engine.running > 0 ? 'busy' : 'quiet',
    href: to('engines', engine.name),
  }
}
