import { once } from 'node:events'
import type { Command } from 'commander'
import type { DemandAnswer } from '../../../books/demand-answer.ts'
import type { MakingAnswer } from '../../../books/making-answer.ts'
import { ControlError } from '../../operator/errors.ts'
import { costView, demandRow, makingRow } from '../cost-view.ts'
import { exitCodes } from '../exit.ts'
import { forecastView } from '../forecast-view.ts'
import { invoiceFile } from '../invoice-file.ts'
import { slimmed } from '../price-file.ts'
import type { Row } from '../print.ts'
import { reconcileView } from '../reconcile-view.ts'
import { rerateView } from '../rerate-view.ts'
import { does, path, query, show } from '../run.ts'
import { complain, talk } from '../talk.ts'
import { utilisationView } from '../utilisation-view.ts'
import { whole } from '../values.ts'
import { checkView, fitsView, receiptView, requestsView, statementView } from '../views.ts'
import { pnlCommands } from './books-pnl.ts'

export function bookCommands(program: Command): void {
  const books = program.command('books').description('the books: what was used, by whom, for how much')

  does(
    books.command('check').description('whether the books are whole: nothing lost, nothing doubled'),
    async (factory, options) => {
      const result = (await factory.json('GET', '/api/books/check')) as Row & { readonly conserved: boolean }
      show(result, options, checkView)
      if (result.conserved) return exitCodes.ok.code
      complain('the books are not conserved', 'Keep the home as it is, and compare: wattmill books export')
      return exitCodes.not_conserved.code
    },
  )

  does<{ tenant: string; from: string; to: string; exchange?: number }>(
    books
      .command('statement')
      .description('what a tenant owes for a time; -o csv for a spreadsheet, -o html for print, -o focus for FOCUS 1.2')
      .requiredOption('--tenant <name>')
      .option('--from <date>', 'first moment, such as 2027-01-01 (UTC; default: the first of this month)')
      .option('--to <date>', 'the moment after the last, such as 2027-02-01 (default: now)')
      .option(...asOfExchange),
    async (factory, { tenant, from, to, exchange, ...options }) => {
      const asked = query({ tenant, from, to, exchange_version: exchange })
      const url = `/api/books/statement${asked}`
      if (options.format === 'focus') await print(factory.lines('GET', `/api/books/focus${asked}`))
      else if (options.format === 'csv' || options.format === 'html')
        await print(factory.lines('GET', `${url}&format=${options.format}`))
      else show(await factory.json('GET', url), options, statementView)
      return undefined
    },
  )

  does<{ tenant: string; from: string; to: string; prices?: string; site?: string }>(
    books
      .command('rerate')
      .description('makes a past statement again from its requests, and says whether it is the same; changes nothing')
      .requiredOption('--tenant <name>')
      .option('--from <date>', 'first moment, such as 2027-01-01 (UTC; default: the first of this month)')
      .option('--to <date>', 'the moment after the last, such as 2027-02-01 (default: now)')
      .option('--prices <file>', 'what it would be under other prices: a table as `prices import` takes it')
      .option('--site <name>', 'those prices only for what was answered at this site (default: all of it)'),
    async (factory, { tenant, from, to, prices, site, ...options }) => {
      const table = prices === undefined ? undefined : slimmed(prices)
      const done = (await factory.json('POST', '/api/books/rerate', { tenant, from, to, table, site })) as Row
      show(done, options, rerateView)
      if (done.equal !== false) return exitCodes.ok.code
      complain('the statement is not what its requests make of it', 'wattmill books check')
      return exitCodes.not_conserved.code
    },
  )

  does(
    books
      .command('receipt')
      .description('one request: tokens, cost, joules')
      .argument('<id>', 'the x-request-id of its answer'),
    async (factory, options, id = '') => {
      const receipt = (await factory.json('GET', path`/api/receipts/${id}`)) as Row
      const cost = receipt.state === 'settled' ? await factory.json('GET', path`/api/receipts/${id}/cost`) : undefined
      show({ ...receipt, ...(cost !== undefined && { factory_cost: cost }) }, options, receiptView)
      return undefined
    },
  )

  does<{ limit?: string }>(
    books.command('requests').description('the last requests').option('--limit <n>', 'how many (default: 20)'),
    async (factory, { limit, ...options }) => {
      show(await factory.json('GET', `/api/requests${query({ limit })}`), options, requestsView)
      return undefined
    },
  )

  does<{ from?: string; to?: string; by?: string }>(
    books
      .command('cost')
      .description('what whole hours cost: usage, waste, idle and overhead; by whom or what, with both margins')
      .option('--from <date>', 'first moment, such as 2027-01-01 (UTC; default: the first of this month)')
      .option('--to <date>', 'the moment after the last, such as 2027-02-01 (default: now)')
      .option(
        '--by <what>',
        'tenant, application, key, model, class, replica, chip, site, source or hour (default: model)',
      ),
    async (factory, { from, to, by, ...options }) => {
      show(await factory.json('GET', `/api/books/cost${query({ from, to, by })}`), options, costView)
      return undefined
    },
  )

  does<{ from?: string; to?: string; by?: string }>(
    books
      .command('utilisation')
      .description(
        'how much of the engines was used: busy share, MFU and MBU; chip-seconds and KV byte-seconds by whom',
      )
      .option('--from <date>', 'first moment, such as 2027-01-01 (UTC; default: the first of this month)')
      .option('--to <date>', 'the moment after the last, such as 2027-02-01 (default: now)')
      .option('--by <what>', 'replica, chip, site, tenant, application or model (default: replica)'),
    async (factory, { from, to, by, ...options }) => {
      show(await factory.json('GET', `/api/books/utilisation${query({ from, to, by })}`), options, utilisationView)
      return undefined
    },
  )

  pnlCommands(books)

  does(
    books
      .command('making')
      .description('what training, evaluation and data of models cost, and how much of it what they served has borne'),
    async (factory, options) => {
      const answer = await factory.json('GET', '/api/books/making')
      show(answer, options, ({ jobs }: { jobs: MakingAnswer[] }) => jobs.map(makingRow))
      return undefined
    },
  )

  does(
    books
      .command('demand')
      .description("demand charges: each billing month's peak, what it costs, and what hours bear"),
    async (factory, options) => {
      const answer = await factory.json('GET', '/api/books/demand')
      show(answer, options, ({ months }: { months: DemandAnswer[] }) => months.map(demandRow))
      return undefined
    },
  )

  does(
    books.command('fits').description('what a step of each model costs in joules, and how far that is from the meters'),
    async (factory, options) => {
      show(await factory.json('GET', '/api/books/fits'), options, fitsView)
      return undefined
    },
  )

  does<Readonly<Record<'from' | 'to' | 'tenant' | 'by' | 'provider' | 'exchange', string | undefined>>>(
    books
      .command('focus')
      .description('what was billed and what came back, as FOCUS 1.2 (CSV): of one tenant, or of all')
      .option('--from <date>', 'first moment, such as 2027-01-01 (UTC; default: the first of this month)')
      .option(
        '--to <date>',
        'the moment after the last, such as 2027-02-01 (default: the end of the hour or day under way)',
      )
      .option('--tenant <name>', 'this tenant alone')
      .option('--by <period>', 'hour or day: the length of a charge period (default: hour)')
      .option('--provider <name>', 'who issues the invoice (default: Wattmill)')
      .option(...asOfExchange),
    async (factory, { exchange: exchange_version, from, to, tenant, by, provider }) => {
      const asked = query({ from, to, tenant, by, provider, exchange_version })
      await print(factory.lines('GET', `/api/books/focus${asked}`))
      return undefined
    },
  )

  does<Readonly<Record<'from' | 'to' | 'tenant' | 'after' | 'exchange', string | undefined>>>(
    books
      .command('events')
      .description('settled requests as CloudEvents 1.0, one a line, in the order in which they were booked')
      .option('--from <date>', 'settled from this moment on, such as 2027-01-01 (UTC)')
      .option('--to <date>', 'settled before this moment')
      .option('--tenant <name>', 'of this tenant alone')
      .option('--after <place>', 'go on after this one: the place that was told last time')
      .option(...asOfExchange),
    async (factory, asked) => {
      const { from, to, tenant, exchange: exchange_version } = asked
      let after = asked.after
      const pages = async function* (): AsyncGenerator<string> {
        for (let more = true; more; ) {
          const page = (await factory.json(
            'GET',
            `/api/books/events${query({ from, to, tenant, after, exchange_version })}`,
          )) as EventsPage
          yield* page.events.map((event) => JSON.stringify(event))
          after = page.next ?? after
          more = page.more
        }
      }
      await print(pages())
      if (after !== undefined) talk(`what is booked from now on: wattmill books events --after ${after}`)
      return undefined
    },
  )

  does<Readonly<Record<'from' | 'to' | 'tenant' | 'model', string | undefined>>>(
    books
      .command('forecast')
      .description('what this month will come to, with an interval that was tested on the past')
      .option('--tenant <name>', 'of this tenant alone')
      .option('--model <name>', 'of this model alone')
      .option('--from <date>', 'first moment, such as 2027-01-01 (UTC; default: the first of this month)')
      .option('--to <date>', 'the moment after the last, to come (default: the end of this month)'),
    async (factory, { from, to, tenant, model, ...options }) => {
      show(await factory.json('GET', `/api/books/forecast${query({ from, to, tenant, model })}`), options, forecastView)
      return undefined
    },
  )

  does<Readonly<Record<'from' | 'to' | 'invoice', string | undefined>>>(
    books
      .command('reconcile')
      .description('the books beside what others say: each difference with its dollars at risk')
      .option('--from <date>', 'first hour, such as 2027-01-01 (UTC; default: the first of this month)')
      .option('--to <date>', 'the hour after the last, such as 2027-02-01 (default: the end of the hour under way)')
      .option('--invoice <file>', 'CSV with the columns kind,name,quantity,usd: tokens of engines, kWh of energy'),
    async (factory, { from, to, invoice, ...options }) => {
      const lines = invoice === undefined ? undefined : invoiceFile(invoice)
      show(await factory.json('POST', '/api/books/reconcile', { from, to, invoice: lines }), options, reconcileView)
      return undefined
    },
  )

  does(books.command('export').description('all of the books, one JSON object a line'), async (factory) => {
    await print(factory.lines('GET', '/api/books/export'))
    return undefined
  })
}

/** As fast as the reader takes it; a reader that has enough (`| head`) is no error. */
async function print(lines: AsyncIterable<string> | Iterable<string>): Promise<void> {
  const out = process.stdout
  let failed: NodeJS.ErrnoException | undefined
  out.on('error', (cause) => {
    failed = cause
  })
  for await (const line of lines) {
    if (failed) break
    if (!out.write(`${line}\n`)) await once(out, 'drain').catch(() => undefined)
  }
  if (failed && failed.code !== 'EPIPE')
    throw new ControlError('disk_full', `stdout cannot be written (${failed.code})`, { cause: failed })
}

interface EventsPage {
  readonly events: readonly unknown[]
  readonly next: string | null
  readonly more: boolean
}

/** Of tenants that are billed in another currency. */
const asOfExchange = [
  '--exchange <number>',
  'currencies and rates as all declarations until this one say them, as an earlier statement names it (default: as all do)',
  whole,
] as const
