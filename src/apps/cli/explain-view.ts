import type { ExplainedInterval, Explanation, Moved } from '../../adapters/sqlite/explain.ts'
import type { Receipt } from '../../books/receipt.ts'
import type { CostParts } from '../../books/row.ts'
import type { SliceShare } from '../../books/slices.ts'
import { formatDollars, nanoDollars } from '../../units/amount.ts'
import { fields, type Row, table } from './print.ts'
import { attemptRow, attribution, joules } from './views.ts'

type Settled = Extract<Receipt, { state: 'settled' }>
type Open = Extract<Receipt, { state: 'open' }>

/** What happened, from the admission to the ledger, as people read it. */
export function explainView(explanation: Explanation): string[] {
  switch (explanation.kind) {
    case 'request':
      return [...requestLines(explanation.receipt), ...transferLines(explanation.transfers)]
    case 'transfer':
      return [
        'Transfer',
        ...indented(fields(transferFields(explanation.transfer))),
        ...(explanation.interval ? ['', ...intervalLines(explanation.interval)] : []),
        ...(explanation.receipt ? ['', ...requestLines(explanation.receipt)] : []),
      ]
    case 'interval':
      return [...intervalLines(explanation.interval), ...transferLines(explanation.transfers)]
  }
}

const requestLines = (receipt: Receipt): string[] =>
  receipt.state === 'open' ? openLines(receipt) : settledLines(receipt)

const openLines = (receipt: Open): string[] => [
  `Request ${receipt.id} is under way`,
  ...indented(
    fields({
      admitted: at(receipt.at_ms),
      for: `${receipt.tenant}/${receipt.application}`,
      model: receipt.model,
      price: priceName(receipt.price_version),
      reserved_tokens: receipt.reserved_tokens,
      snapshot: receipt.snapshot,
    }),
  ),
]

const hedgeText = (hedge: Settled['attempts'][number]['hedge']): string =>
  hedge ? `, a hedge: no first token after ${hedge.after_ms} ms, ${hedge.expected_ms} ms were expected` : ''

/** Why this replica: what it was expected to cost, part by part, beside the next best. */
const choiceText = ({ of, nano_usd, next }: NonNullable<Settled['attempts'][number]['choice']>): string =>
  `of ${of} for ${costText(nano_usd)}; next ${next.replica} for ${costText(next.nano_usd)}`

function costText(parts: CostParts): string {
  const usd = (amount: number): string => `$${formatDollars(nanoDollars(BigInt(amount)))}`
  const each = Object.entries(parts).filter(([, amount]) => amount > 0)
  const total = each.reduce((sum, [, amount]) => sum + amount, 0)
  return `${usd(total)} (${each.map(([part, amount]) => `${part} ${usd(amount)}`).join(' + ')})`
}

function settledLines(receipt: Settled): string[] {
  const { attempts, energy, cached } = receipt
  const engines = attempts.map(
    ({ number, replica, waste, hedge }) =>
      `${number}. ${replica}${hedgeText(hedge)}${waste ? ` (waste: ${waste})` : ''}`,
  )
  const chosen = attempts.flatMap(({ number, choice }) => (choice ? `${number}. ${choiceText(choice)}` : []))
  return [
    `Request ${receipt.id} ended: ${receipt.outcome}`,
    '',
    'Admission',
    ...indented(
      fields({
        for: `${receipt.tenant}/${receipt.application} by key ${receipt.key}`,
        model: receipt.model,
        at: `${at(receipt.at_ms)}, after ${receipt.queued_ms} ms in the queue`,
        price: priceName(receipt.price_version),
        snapshot: `${receipt.snapshot} of keys, prices and fleet`,
      }),
    ),
    '',
    'Route',
    ...indented(
      fields({
        engines:
          engines.length > 0 ? engines : cached ? `none: the answer of ${cached.from}, from the cache` : 'none took it',
        chosen: chosen.length > 0 ? chosen : undefined,
        first_token: receipt.ttft_ms === null ? 'none' : `after ${receipt.ttft_ms} ms`,
        settled: at(receipt.closed_ms),
      }),
    ),
    '',
    'Usage, by who counted it',
    ...indented(table(attempts.map(attemptRow))),
    '',
    'Price',
    ...indented(
      fields({
        cost: `$${receipt.cost_usd}`,
        ...(receipt.price ? pricesOf(receipt.price) : { price: 'none was set: booked at 0' }),
      }),
    ),
    '',
    'Energy',
    ...indented(
      fields({
        joules: joules(energy.energy_mj) ?? 'unknown',
        meter: energy.grade,
        division: attribution(energy.attribution),
        state: energy.final ? 'final' : 'provisional: some interval is still open',
        intervals: energy.intervals.map(
          ({ meter, sequence, energy_mj }) => `${meter}/${sequence} ${joules(energy_mj)} J`,
        ),
      }),
    ),
  ]
}

const pricesOf = ({ usd_per_million }: NonNullable<Settled['price']>): Row =>
  Object.fromEntries(Object.entries(usd_per_million).map(([of, usd]) => [of, `$${usd} per million tokens`]))

const intervalLines = (interval: ExplainedInterval): string[] => [
  `Interval ${interval.meter}/${interval.sequence}`,
  ...indented(
    fields({
      measures: interval.engines.length > 0 ? interval.engines : 'this machine',
      from: at(interval.from_ms),
      to: at(interval.to_ms),
      joules: `${joules(interval.energy_mj)} (${interval.grade})`,
      idle_floor: `${joules(interval.idle_mj)} J`,
      ...(interval.slices.length > 0 && { slices: interval.slices.map(sliceText) }),
      ...(interval.reset && { reset: 'the meter began anew: what it drew before is unknown' }),
      attributed: interval.posted_ms === null ? 'not yet' : at(interval.posted_ms),
    }),
  ),
]

const sliceText = ({ engine, instance, profile, sms, busy_us, source }: SliceShare): string =>
  `${engine ?? `GPU instance ${instance} (${profile}) of nobody's`}: ${sms ?? 'unknown'} SMs × ${busy_us / 1e6} s (${source})`

const transferLines = (transfers: readonly Moved[]): string[] =>
  transfers.length === 0
    ? ['', 'Nothing is posted yet.']
    : ['', 'Transfers', ...indented(table(transfers.map(({ at_ms: _, request: __, ...transfer }) => transfer)))]

const transferFields = ({ at_ms, request, ...transfer }: Moved): Row => ({
  ...transfer,
  at: at(at_ms),
  request: request ?? 'belongs to none',
})

const priceName = (version: number | null): string => (version === null ? 'none: booked at 0' : `version ${version}`)
const at = (ms: number): string => new Date(ms).toISOString()
const indented = (lines: readonly string[]): string[] => lines.map((line) => `  ${line}`)
