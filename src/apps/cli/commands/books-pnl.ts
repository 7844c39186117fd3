import type { Command } from 'commander'
import { flowsView, pnlView, transfersView } from '../pnl-view.ts'
import { does, query, show } from '../run.ts'

type Given<Name extends string> = Readonly<Partial<Record<Name, string>>>

const period = (command: Command): Command =>
  command
    .option('--from <date>', 'first moment, such as 2027-01-01 (UTC; default: the first of this month)')
    .option('--to <date>', 'the moment after the last, such as 2027-02-01 (default: now)')

/** Profit and loss, and the way down to its transfers. */
export function pnlCommands(books: Command): void {
  does<Given<'from' | 'to' | 'step'>>(
    period(
      books
        .command('pnl')
        .description(
          'profit and loss of whole hours: revenue, cost, both margins, by tenant, model and site; cost per token',
        ),
    ).option('--step <length>', 'hour or day: the slots of cost per token (default: hour up to three days)'),
    async (factory, { from, to, step, ...options }) => {
      show(await factory.json('GET', `/api/books/pnl${query({ from, to, step })}`), options, pnlView)
      return undefined
    },
  )

  does<Given<'from' | 'to' | 'unit'>>(
    period(
      books
        .command('flows')
        .description('the flows of cost through the ledger: what it comes from, what it is, who bears it'),
    ).option('--unit <unit>', 'usd or carbon (default: usd)'),
    async (factory, { from, to, unit, ...options }) => {
      show(await factory.json('GET', `/api/books/flows${query({ from, to, unit })}`), options, flowsView)
      return undefined
    },
  )

  does<Given<'from' | 'to' | 'what' | 'out' | 'into' | 'limit' | 'after'>>(
    period(books.command('transfers').description('the transfers behind a number: those of a time between accounts'))
      .option('--what <subject>', 'cost, carbon, revenue, terms, tokens or energy (default: cost)')
      .option('--out <account>', 'that they come out of, or the beginning of its path: capacity/gpu')
      .option('--into <account>', 'that they go into: cost/usage/acme, or cost/usage/*/*/starter')
      .option('--limit <n>', 'about how many (default: 100)')
      .option('--after <mark>', 'go on after the page before'),
    async (factory, { from, to, what, out, into, limit, after, ...options }) => {
      const asked = query({ from, to, what, out, into, limit, after })
      show(await factory.json('GET', `/api/books/transfers${asked}`), options, transfersView)
      return undefined
    },
  )
}
