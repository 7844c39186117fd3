/**
 * Where the flows of cost are drawn: three columns (what it comes from, what it is, who bears it), each as high as the money in it.
 * Columns are given by the ledger, so there is nothing to arrange but one below the other in the order of the answer.
 */
import type { Flow } from './contract.ts'

export const kinds = ['usage', 'idle', 'waste', 'overhead', 'making'] as const

export interface Node {
  readonly name: string
  readonly column: 0 | 1 | 2
  readonly usd: number
  readonly x: number
  readonly y: number
  readonly height: number
}

export interface Band {
  readonly flow: Flow
  readonly kind: (typeof kinds)[number]
  /** Of an SVG: a closed shape between two nodes. */
  readonly shape: string
}

export interface Sizes {
  readonly width: number
  readonly height: number
  /** Of a node. */
  readonly thick: number
  /** Between nodes of a column. */
  readonly gap: number
}

/** What is below nothing (a correction that is more than it corrects) has no height, and stands in the table alone. */
export function sankey(flows: readonly Flow[], sizes: Sizes): { nodes: Node[]; bands: Band[] } {
  const drawn = flows.filter(({ amount }) => Number(amount) > 0)
  const names = [0, 1, 2].map((column) => namesIn(drawn, column as Node['column']))
  const total = Math.max(...[0, 1].map((half) => sum(drawn.filter((flow) => halfOf(flow) === half))), 0)
  const most = Math.max(...names.map((each) => each.length))
  const scale = total > 0 ? Math.max(0, sizes.height - (most - 1) * sizes.gap) / total : 0
  const nodes = names.flatMap((each, column) => stacked(each, drawn, column as Node['column'], scale, sizes))
  return { nodes, bands: bandsOf(drawn, nodes, scale, sizes.thick) }
}

const isKind = (name: string): name is Band['kind'] => (kinds as readonly string[]).includes(name)
/** 0: from a source to a kind; 1: from a kind to who bears it. */
const halfOf = ({ from }: Flow): 0 | 1 => (isKind(from) ? 1 : 0)
const sum = (flows: readonly Flow[]): number => flows.reduce((total, { amount }) => total + Number(amount), 0)

/** Each end of a flow, and the column that it stands in. */
const ends = (flow: Flow): readonly (readonly [string, number])[] => [
  [flow.from, halfOf(flow)],
  [flow.to, halfOf(flow) + 1],
]

function namesIn(flows: readonly Flow[], column: Node['column']): string[] {
  const found = flows.flatMap((flow) => ends(flow).flatMap(([name, at]) => (at === column ? [name] : [])))
  const names = [...new Set(found)]
  return column === 1 ? kinds.filter((kind) => names.includes(kind)) : names
}

function stacked(
  names: readonly string[],
  flows: readonly Flow[],
  column: Node['column'],
  scale: number,
  { width, thick, gap }: Sizes,
): Node[] {
  let y = 0
  return names.map((name) => {
    const through = [0, 1].map((half) =>
      sum(flows.filter((flow) => halfOf(flow) === half && ends(flow).some(([of, at]) => of === name && at === column))),
    )
    const usd = Math.max(...through)
    const node = { name, column, usd, x: (column * (width - thick)) / 2, y, height: usd * scale }
    y += node.height + gap
    return node
  })
}

function bandsOf(flows: readonly Flow[], nodes: readonly Node[], scale: number, thick: number): Band[] {
  const used = new Map<string, number>()
  /** The next free stretch of a node's side. */
  const take = (node: Node, side: 'in' | 'out', height: number): number => {
    const key = `${node.column} ${node.name} ${side}`
    const from = used.get(key) ?? node.y
    used.set(key, from + height)
    return from
  }
  const at = (name: string, column: number): Node | undefined =>
    nodes.find((node) => node.name === name && node.column === column)
  return flows.flatMap((flow) => {
    const [from, to] = [at(flow.from, halfOf(flow)), at(flow.to, halfOf(flow) + 1)]
    const kind = isKind(flow.from) ? flow.from : flow.to
    if (!from || !to || !isKind(kind)) return []
    const height = Number(flow.amount) * scale
    const [y0, y1] = [take(from, 'out', height), take(to, 'in', height)]
    const [x0, x1] = [from.x + thick, to.x]
    const middle = (x0 + x1) / 2
    const shape = [
      `M${x0} ${y0}C${middle} ${y0} ${middle} ${y1} ${x1} ${y1}`,
      `L${x1} ${y1 + height}C${middle} ${y1 + height} ${middle} ${y0 + height} ${x0} ${y0 + height}Z`,
    ].join('')
    return [{ flow, kind, shape }]
  })
}

/** The largest of each half, and the others of a column as one: a picture with hundreds of lines shows nothing. */
export function mostOf(flows: readonly Flow[], most: number): Flow[] {
  const sides = [
    { half: 0, end: 'from', what: 'sources' },
    { half: 1, end: 'to', what: 'bearers' },
  ] as const
  return sides.flatMap(({ half, end, what }) => {
    const mine = flows.filter((flow) => halfOf(flow) === half)
    const sums = [...Map.groupBy(mine, (flow) => flow[end])].map(([name, of]) => ({ name, usd: sum(of) }))
    if (sums.length <= most) return mine
    const shown = new Set(
      sums
        .sort((a, b) => b.usd - a.usd)
        .slice(0, most - 1)
        .map(({ name }) => name),
    )
    const others = mine.filter((flow) => !shown.has(flow[end]))
    const other = end === 'from' ? 'to' : 'from'
    const name = `${sums.length - shown.size} other ${what}`
    const merged = [...Map.groupBy(others, (flow) => flow[other])].map(
      ([kind, of]): Flow => ({
        from: '',
        to: '',
        [end]: name,
        [other]: kind,
        amount: String(sum(of)),
        out: null,
        into: null,
      }),
    )
    return [...mine.filter((flow) => shown.has(flow[end])), ...merged]
  })
}

/** An account as people read it: `tenant/acme` is acme, `capacity/gpu` is capacity gpu. */
export function nodeName(name: string): string {
  const [kind = '', ...rest] = name.split('/').map(decoded)
  if (kind === 'tenant') return rest.join('/')
  return [kind, ...rest.filter((part) => part !== kind)].join(' ')
}

const decoded = (part: string): string => {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}
