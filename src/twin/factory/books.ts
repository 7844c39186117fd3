import type { Balances, Transfer } from '../../books/account.ts'
import { apply } from '../../books/account.ts'
import { post } from '../../books/post.ts'
import type { PriceVersion } from '../../books/price.ts'
import type { CloseRow, Row } from '../../books/row.ts'

/**
 * The books of a run: the live rules of posting, applied to balances. Rows and transfers themselves are not kept, since a
 * run of millions of requests needs their sums only; `MemoryBooks` keeps all, and a test shows that both say the same.
 */
export class TwinBooks {
  readonly balances: Balances = new Map()
  readonly #prices: ReadonlyMap<number, PriceVersion>
  #open = 0
  settled = 0
  transfers = 0

  constructor(prices: readonly PriceVersion[]) {
    this.#prices = new Map(prices.map((one) => [one.version, one]))
  }

  /** Opened and not settled. */
  get open(): number {
    return this.#open
  }

  /** A row is durable in a journal, and shipped. */
  row(row: Row): void {
    if (row.kind === 'open') this.#open++
    else this.#settle(row)
  }

  post(transfers: readonly Transfer[]): void {
    for (const transfer of transfers) apply(this.balances, transfer)
    this.transfers += transfers.length
  }

  #settle(row: CloseRow): void {
    this.#open--
    this.settled++
    this.post(post(row, row.price_version === null ? undefined : this.#prices.get(row.price_version)))
  }
}
