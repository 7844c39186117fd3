import type { CloseRow } from '../../books/row.ts'
import type { Flow } from '../../lines/inference/flow.ts'
import type { JournalFile } from './disk.ts'

/** What a run shows: its story, and the first laws that were broken in it. */
export class Watch {
  readonly story: string[] = []
  readonly broken: string[] = []
  readonly #now: () => number

  constructor(now: () => number) {
    this.#now = now
  }

  tell(what: string): void {
    this.story.push(`${(this.#now() / 1000).toFixed(3)} s  ${what}`)
  }

  breaks(law: string): void {
    if (this.broken.length < 20) this.broken.push(law)
    this.tell(`BROKEN: ${law}`)
  }

  /** No content leaves before its open row is durable, no last byte before its close row is. */
  see(
    {
      what,
      flow,
      row,
    }: { readonly what: 'content' | 'last byte'; readonly flow: Flow; readonly row: CloseRow | undefined },
    journal: JournalFile,
  ): void {
    const kind = what === 'content' ? 'open' : 'close'
    const durable = journal.rows.some(
      (stored) =>
        stored.row?.kind === kind &&
        stored.row.id === flow.id &&
        (!row || stored.row.kind !== 'close' || stored.row.outcome === row.outcome),
    )
    if (!durable) this.breaks(`${what} of ${flow.id} left before its ${kind} row was durable`)
  }
}
