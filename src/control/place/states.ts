import type { Cell } from './cells.ts'

/**
 * Node states by number: nodes of one class with the same CPU left and the same GPU states, in any order, are the same to
 * every decision. So what a decision needs is worked out once per state, not once per node.
 */
export interface States {
  readonly inClass: number[]
  readonly cpu: number[]
  /** GPU states, sorted. */
  readonly cells: Int16Array[]
  readonly index: Map<string, number>
}

export const noStates = (): States => ({ inClass: [], cpu: [], cells: [], index: new Map() })

/** The number of a state; `cells` are sorted in place and kept. */
export function intern(states: States, inClass: number, cpu: number, cells: Int16Array): number {
  cells.sort()
  let key = `${inClass} ${cpu}`
  for (const cell of cells) key += ` ${cell}`
  const held = states.index.get(key)
  if (held !== undefined) return held
  const fresh = states.cells.length
  states.inClass.push(inClass)
  states.cpu.push(cpu)
  states.cells.push(cells)
  states.index.set(key, fresh)
  return fresh
}

/** The state after `count` GPUs went from one state to another and CPU was taken. */
export function moved(
  states: States,
  state: number,
  cpu: number,
  { from, to, count }: { readonly from: Cell; readonly to: Cell; readonly count: number },
): number {
  const cells = Int16Array.from(states.cells[state] ?? [])
  for (let at = 0, left = count; at < cells.length && left > 0; at++) {
    if (cells[at] !== from) continue
    cells[at] = to
    left--
  }
  return intern(states, states.inClass[state] ?? 0, (states.cpu[state] ?? 0) - cpu, cells)
}
