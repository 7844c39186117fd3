import type { Row } from '../../books/row.ts'
import type { Flow } from '../../lines/inference/flow.ts'
import type { Kernel } from '../kernel.ts'
import { order } from '../kernel.ts'

/**
 * A gateway's journal: group commit as the live one does it. What is appended while a commit is under way goes into the
 * next, so that a slow disk makes larger groups, not a longer queue.
 */
export class TwinJournal {
  readonly #kernel: Kernel
  readonly #commit_ns: number
  readonly #durable: (flow: Flow, row: Row) => void
  #rows: Row[] = []
  #flows: Flow[] = []
  #underWay: { readonly rows: Row[]; readonly flows: Flow[] } | undefined
  commits = 0

  constructor(kernel: Kernel, commit_ns: number, durable: (flow: Flow, row: Row) => void) {
    this.#kernel = kernel
    this.#commit_ns = commit_ns
    this.#durable = durable
  }

  append(flow: Flow, row: Row): void {
    this.#rows.push(row)
    this.#flows.push(flow)
    if (!this.#underWay) this.#begin()
  }

  #begin(): void {
    this.#underWay = { rows: this.#rows, flows: this.#flows }
    this.#rows = []
    this.#flows = []
    this.#kernel.schedule(this.#kernel.now_ns + this.#commit_ns, order.ends, this.#done)
  }

  readonly #done = (): void => {
    const done = this.#underWay
    if (!done) return
    this.commits++
    this.#underWay = undefined
    if (this.#rows.length > 0) this.#begin()
    for (let at = 0; at < done.rows.length; at++) this.#durable(done.flows[at] as Flow, done.rows[at] as Row)
  }
}
