import { type Cell, EMPTY, FULL } from './cells.ts'
import { after, type Kind } from './kind.ts'
import type { Offers, Outlook } from './outlook.ts'
import type { Starts } from './slots.ts'
import type { States } from './states.ts'

/**
 * What a node state is still good for: thousandths of GPUs that would come to be used on it if the expected demands were
 * offered to it one after another, on the mean over the streams.
 *
 * FGD (Weng et al., ATC'23) asks what the *next* demand could not use. A node with eight GPUs and CPU for one more replica
 * passes that test, and seven GPUs stay idle; asking for a whole stream sees it.
 */
export function potential({ offers, slots }: Outlook, states: States, state: number): number {
  const inClass = states.inClass[state] as number
  const { kinds, streams, leastCpu, leastCell } = offers[inClass] as Offers
  const cells = states.cells[state] as Int16Array
  const begin = slots[inClass]?.begin
  const left = new Int16Array(cells.length)
  let used = 0
  for (const stream of streams) {
    left.set(cells)
    let cpu = states.cpu[state] as number
    let most = emptiest(left)
    for (let at = 0; at < stream.length && cpu >= leastCpu && most >= leastCell; at++) {
      const one = kinds[stream[at] as number] as Kind
      if (one.cpu > cpu || one.least > most) continue
      if (one.gpus > 0) {
        if (!put(one, inClass, left, begin)) continue
        used += one.weight[inClass] as number
        most = emptiest(left)
      }
      cpu -= one.cpu
    }
  }
  return streams.length === 0 ? 0 : used / streams.length
}

/** The largest of GPU states: what exceeds it need not be tried. */
function emptiest(cells: Int16Array): Cell {
  let most = FULL
  for (let at = 0; at < cells.length; at++) if ((cells[at] as Cell) > most) most = cells[at] as Cell
  return most
}

/** Best fit: the fullest GPU that takes it. Whole GPUs take the first empty ones. */
function put(one: Kind, inClass: number, cells: Int16Array, begin: Starts | undefined): boolean {
  if ((one.profile[inClass] as number) >= 0) return putSlice(one, inClass, cells, begin)
  return one.milli === 1000 ? putWhole(one.gpus, cells) : putShare(one.milli, cells)
}

function putShare(milli: number, cells: Int16Array): boolean {
  let [best, least] = [-1, EMPTY + 1]
  for (let at = 0; at < cells.length; at++) {
    const cell = cells[at] as Cell
    if (cell < milli || cell >= least) continue
    best = at
    least = cell
  }
  if (best < 0) return false
  cells[best] = least - milli
  return true
}

function putWhole(gpus: number, cells: Int16Array): boolean {
  let empty = 0
  for (let at = 0; at < cells.length; at++) if (cells[at] === EMPTY) empty++
  if (empty < gpus) return false
  for (let at = 0, left = gpus; left > 0; at++) {
    if (cells[at] !== EMPTY) continue
    cells[at] = FULL
    left--
  }
  return true
}

/** GPUs that are cut already come first; an empty one is cut only when no other takes it. */
function putSlice(one: Kind, inClass: number, cells: Int16Array, begin: Starts | undefined): boolean {
  let empty = -1
  for (let at = 0; at < cells.length; at++) {
    const cell = cells[at] as Cell
    if (cell === EMPTY) empty = at
    if (cell <= EMPTY) continue
    const to = after(one, inClass, cell, begin)
    if (to < 0) continue
    cells[at] = to
    return true
  }
  const to = empty < 0 ? -1 : after(one, inClass, EMPTY, begin)
  if (to >= 0) cells[empty] = to
  return to >= 0
}

/** How many more of a demand a node state could hold if nothing else came. */
export function roomFor(
  one: Kind,
  states: States,
  state: number,
  grid: { readonly room: Int8Array; readonly profiles: readonly string[] } | undefined,
): number {
  const inClass = states.inClass[state] ?? 0
  if (one.accepts[inClass] === 0) return 0
  const cells = states.cells[state] as Int16Array
  const byCpu = one.cpu > 0 ? Math.floor((states.cpu[state] ?? 0) / one.cpu) : Number.POSITIVE_INFINITY
  const profile = one.profile[inClass] ?? -1
  let room = 0
  for (const cell of cells) {
    if (profile >= 0 && grid && cell >= EMPTY) room += grid.room[(cell - EMPTY) * grid.profiles.length + profile] ?? 0
    else if (profile < 0 && one.milli === 1000) room += cell === EMPTY ? 1 / one.gpus : 0
    else if (profile < 0 && cell <= EMPTY) room += Math.floor(cell / one.milli)
  }
  return Math.min(byCpu, Math.floor(room + 1e-9))
}
