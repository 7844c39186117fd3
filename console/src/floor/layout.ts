/**
 * Where everything of the picture of the factory stands: five layers side by side, or one below the other where there is no
 * room, and ribbons between them as thick as what flows.
 */
export const layers = ['Energy', 'Chips', 'Infrastructure', 'Models', 'Applications'] as const
export type Layer = 0 | 1 | 2 | 3 | 4

export interface Node {
  readonly id: string
  readonly layer: Layer
}

/** Something that flows; `share` is its part of all that flows between these two layers, 0 where nothing does now. */
export interface Link {
  readonly from: string
  readonly to: string
  readonly kind: 'energy' | 'tokens'
  readonly share: number
}

export interface Box {
  readonly id: string
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

export interface Ribbon {
  readonly link: Link
  /** Its outline, and the line in its middle. */
  readonly area: string
  readonly line: string
}

export interface Layout {
  readonly width: number
  readonly height: number
  readonly upright: boolean
  readonly boxes: readonly Box[]
  readonly ribbons: readonly Ribbon[]
  /** Where a layer's name stands. */
  readonly heads: readonly { readonly x: number; readonly y: number; readonly width: number }[]
}

const box = { height: 58, gap: 12, narrowest: 136, widest: 216 }
const head = 50
const rowGap = 34
/** Five boxes and room for ribbons; what is narrower is set upright. */
const upright_below = 5 * box.narrowest + 4 * 40

/** Rows of a layer where layers lie below each other. */
const rows = 2

/** The most boxes of one layer that fit. */
export const roomFor = (width: number): number => (width < upright_below ? rows * columnsOf(width) : 6)

const columnsOf = (width: number): number => Math.max(2, Math.floor((width + box.gap) / (box.narrowest + box.gap)))

export function layOut(nodes: readonly Node[], links: readonly Link[], width: number): Layout {
  return width < upright_below ? upright(nodes, links, width) : sideBySide(nodes, links, width)
}

function sideBySide(nodes: readonly Node[], links: readonly Link[], width: number): Layout {
  const boxWidth = Math.min(box.widest, Math.max(box.narrowest, Math.floor((width - 4 * 72) / 5)))
  const step = (width - boxWidth) / 4
  const tall = (count: number): number => Math.max(0, count * (box.height + box.gap) - box.gap)
  const most = Math.max(...layers.map((_, layer) => nodes.filter((node) => node.layer === layer).length), 1)
  const boxes = layers.flatMap((_, layer) => {
    const mine = nodes.filter((node) => node.layer === layer)
    const top = head + (tall(most) - tall(mine.length)) / 2
    return mine.map(({ id }, index): Box => {
      const y = top + index * (box.height + box.gap)
      return { id, x: Math.round(layer * step), y: Math.round(y), width: boxWidth, height: box.height }
    })
  })
  return {
    width,
    height: head + tall(most) + 4,
    upright: false,
    boxes,
    ribbons: ribbonsOf(boxes, links, 'right'),
    heads: layers.map((_, layer) => ({ x: Math.round(layer * step), y: 0, width: boxWidth })),
  }
}

function upright(nodes: readonly Node[], links: readonly Link[], width: number): Layout {
  const columns = columnsOf(width)
  const boxWidth = Math.floor((width - (columns - 1) * box.gap) / columns)
  const boxes: Box[] = []
  const heads: { x: number; y: number; width: number }[] = []
  let top = 0
  for (const [layer] of layers.entries()) {
    const mine = nodes.filter((node) => node.layer === layer).slice(0, rows * columns)
    heads.push({ x: 0, y: top, width })
    for (const [index, { id }] of mine.entries())
      boxes.push({
        id,
        x: (index % columns) * (boxWidth + box.gap),
        y: top + head + Math.floor(index / columns) * (box.height + box.gap),
        width: boxWidth,
        height: box.height,
      })
    const used = Math.max(1, Math.ceil(mine.length / columns))
    top += head + used * (box.height + box.gap) - box.gap + rowGap
  }
  return { width, height: top - rowGap + 4, upright: true, boxes, ribbons: ribbonsOf(boxes, links, 'down'), heads }
}

/** A ribbon that carries everything is so thick; one that carries nothing now is a hair. */
const thickest = 30
const hair = 1
const thickness = ({ share }: Link): number => (share > 0 ? 2.5 + share * (thickest - 2.5) : hair)

type Way = 'right' | 'down'

/** At each box the ribbons lie side by side in the order of where they go, so that few of them cross. */
function ribbonsOf(boxes: readonly Box[], links: readonly Link[], way: Way): Ribbon[] {
  const at = new Map(boxes.map((each) => [each.id, each]))
  const seen = links.filter(({ from, to }) => at.has(from) && at.has(to))
  const along = (id: string): number => (way === 'right' ? at.get(id)?.y : at.get(id)?.x) ?? 0
  const offsets = (end: 'from' | 'to', other: 'from' | 'to'): Map<Link, number> => {
    const found = new Map<Link, number>()
    for (const { id } of boxes) {
      const mine = seen.filter((link) => link[end] === id).sort((a, b) => along(a[other]) - along(b[other]))
      let place = -mine.reduce((sum, link) => sum + thickness(link), 0) / 2
      for (const link of mine) {
        found.set(link, place + thickness(link) / 2)
        place += thickness(link)
      }
    }
    return found
  }
  const [leaves, arrives] = [offsets('from', 'to'), offsets('to', 'from')]
  return seen.map((link) => {
    const [from, to] = [at.get(link.from) as Box, at.get(link.to) as Box]
    return ribbon(link, from, to, leaves.get(link) ?? 0, arrives.get(link) ?? 0, way)
  })
}

function ribbon(link: Link, from: Box, to: Box, leaves: number, arrives: number, way: Way): Ribbon {
  const half = thickness(link) / 2
  const begin = way === 'right' ? from.x + from.width : from.y + from.height
  const end = way === 'right' ? to.x : to.y
  const across = (each: Box): number => (way === 'right' ? each.y + each.height / 2 : each.x + each.width / 2)
  const [a, b] = [across(from) + leaves, across(to) + arrives]
  const middle = (begin + end) / 2
  const point = (main: number, cross: number): string =>
    way === 'right' ? `${round(main)} ${round(cross)}` : `${round(cross)} ${round(main)}`
  const curve = (shift: number): string =>
    `${point(begin, a + shift)}C${point(middle, a + shift)} ${point(middle, b + shift)} ${point(end, b + shift)}`
  const back = `${point(end, b + half)}C${point(middle, b + half)} ${point(middle, a + half)} ${point(begin, a + half)}`
  return { link, area: `M${curve(-half)}L${back}Z`, line: `M${curve(0)}` }
}

const round = (value: number): number => Math.round(value * 10) / 10

/** What of a text fits into so many pixels, by what the browser says of its letters. */
export function fitted(text: string, width: number, measure: (text: string) => number): string {
  if (measure(text) <= width) return text
  let [low, high] = [0, text.length - 1]
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if (measure(`${text.slice(0, middle)}…`) <= width) low = middle
    else high = middle - 1
  }
  return `${text.slice(0, low).trimEnd()}…`
}
