import type { Statement } from './statement.ts'
import { isDueOther } from './statement.ts'
import type { AgreementKind } from './terms/agreement.ts'

/** A statement as one page that needs nothing else: no script, nothing fetched, for the screen by day and night, and for paper. */
export function statementHtml(statement: Statement): string {
  const { tenant, from_ms, to_ms, lines, refunds, agreed, credits, waste, energy, billing } = statement
  const also = billing ? [billing.currency] : []
  const billed = (line: { readonly billed?: string }, sign = ''): string[] =>
    billing ? [`${sign}${line.billed ?? '0'}`] : []
  const period = `${moment(from_ms)} to ${moment(to_ms)}`
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Statement of ${escaped(tenant)}, ${period}</title>
<style>${style}</style>
</head>
<body>
<h1>Statement</h1>
<dl>
<dt>Tenant</dt><dd>${escaped(tenant)}</dd>
<dt>Period (UTC, its end not in it)</dt><dd>${period}</dd>
<dt>Requests</dt><dd>${grouped(statement.requests)}</dd>
<dt>Total</dt><dd class="total">${money(statement, 'total')}</dd>
${isDueOther(statement) ? untilDue(statement) : ''}</dl>
${missing(statement)}${section(
  'Billed',
  [
    'Application',
    'Model',
    'Price version',
    'Site',
    'Class of token',
    'Requests',
    'Tokens',
    'USD per million',
    'USD',
    ...also,
  ],
  lines.map((line) => [
    line.application,
    line.model,
    `${line.price_version ?? 'none'}${line.slo ? ` (${line.slo})` : ''}`,
    line.site,
    line.cached ? `${line.class}, answered from the cache` : line.class,
    line.requests,
    line.tokens,
    line.usd_per_million ?? '–',
    line.usd,
    ...billed(line),
  ]),
  5,
)}${section(
  'Refunded',
  ['Application', 'Model', 'Price version', 'Site', 'Requests', 'USD', ...also],
  refunds.map((line) => [
    line.application,
    line.model,
    line.price_version ?? 'none',
    line.site,
    line.requests,
    line.usd,
    ...billed(line),
  ]),
  4,
)}${section(
  'Agreed',
  ['Terms', 'What', 'Application', 'Model', 'USD', ...also],
  agreed.map((line) => [
    line.terms,
    agreedNames[line.kind],
    line.application || '–',
    line.model || '–',
    line.kind === 'commitment' ? line.usd : `−${line.usd}`,
    ...billed(line, line.kind === 'commitment' ? '' : '−'),
  ]),
  4,
)}${section(
  'Credit',
  ['Credit', 'Kind', 'Granted, USD', 'Used, USD', 'Expired, USD', 'Returned, USD', ...also.map((of) => `Used, ${of}`)],
  credits.map((line) => [
    line.credit,
    line.kind,
    line.granted_usd,
    line.used_usd,
    line.expired_usd,
    line.returned_usd,
    ...billed(line),
  ]),
  2,
)}${section(
  'Not billed: work that was for nothing',
  ['Application', 'Model', 'Cause', 'Site', 'Class of token', 'Tokens'],
  waste.map((line) => [line.application, line.model, line.cause, line.site, line.class, line.tokens]),
  5,
)}${section(
  'Energy',
  ['Application', 'How it is known', 'mJ'],
  energy.map((line) => [line.application, line.grade, line.energy_mj]),
  2,
)}${section(
  'Exchange rates',
  ['From day (UTC)', 'Declaration', `${also[0] ?? ''} for a dollar`],
  (billing?.rates ?? []).map(({ rate_day, exchange_version, rate }) => [rate_day, String(exchange_version), rate]),
  2,
)}${billing ? `<p class="note">${escaped(billing.currency)}: ${billing.rounding}. Made with all declarations of currencies and rates until number ${billing.exchange_version}.</p>\n` : ''}<p class="note">Amounts are exact, to the nano-dollar and the millijoule. Each request’s charge is rounded once and then added.</p>
</body>
</html>
`
}

const agreedNames: Readonly<Record<AgreementKind, string>> = {
  free: 'free quota',
  graduated: 'prices by tier',
  volume: 'price by volume',
  commitment: 'lacking of the commitment',
}

/** From the total to what is due; what is nothing is not told. */
function untilDue(statement: Statement): string {
  const told = [
    ['Taken off', 'taken_off'],
    ['Lacking of commitments', 'shortfall'],
    ['Paid with credit', 'credit'],
  ] as const
  const lines = told
    .filter(([, what]) => statement[`${what}_usd`] !== '0')
    .map(([name, what]) => `<dt>${name}</dt><dd>${money(statement, what)}</dd>\n`)
  return `${lines.join('')}<dt>Due</dt><dd class="total">${money(statement, 'due')}</dd>\n`
}

type Sum = 'total' | 'taken_off' | 'shortfall' | 'credit' | 'due'

/** In the currency in which the tenant is billed, and what that is in dollars. */
function money({ billing, currency, ...statement }: Statement, what: Sum): string {
  const usd = `${escaped(statement[`${what}_usd`])} ${currency}`
  return billing ? `${billing[what]} ${escaped(billing.currency)} = ${usd}` : usd
}

const missing = ({ requests_with_missing_counts: n }: Statement): string =>
  n === 0 ? '' : `<p>Of ${grouped(n)} requests some count is missing: they are charged for what is known.</p>\n`

/** A table, and nothing where there are no rows. Columns from `figures` on are figures. */
function section(
  title: string,
  heads: readonly string[],
  rows: readonly (readonly (string | number)[])[],
  figures: number,
): string {
  if (rows.length === 0) return ''
  const of = (at: number): string => (at >= figures ? ' class="figure"' : '')
  const head = heads.map((name, at) => `<th scope="col"${of(at)}>${escaped(name)}</th>`).join('')
  const body = rows.map(
    (row) =>
      `<tr>${row.map((value, at) => `<td${of(at)}>${typeof value === 'number' ? grouped(value) : escaped(value)}</td>`).join('')}</tr>`,
  )
  return `<h2>${escaped(title)}</h2>
<table>
<thead><tr>${head}</tr></thead>
<tbody>
${body.join('\n')}
</tbody>
</table>
`
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** Names are what people gave them: on a page they are text and nothing else. */
const escaped = (text: string): string => text.replace(/[&<>"']/g, (character) => entities[character] ?? '')

const grouped = (value: number): string => String(value).replace(/\B(?=(\d{3})+$)/g, '\u202f')

const moment = (ms: number): string => new Date(ms).toISOString().slice(0, 19).replace('T', ' ')

const style = `
:root { color-scheme: light dark; --ink: #1a1c1e; --paper: #fff; --dim: #5c636a; --line: #d5d9dd }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e8ea; --paper: #141618; --dim: #9aa2aa; --line: #33383d } }
@media print { :root { --ink: #000; --paper: #fff; --dim: #444; --line: #bbb } thead { display: table-header-group } tr { break-inside: avoid } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 76rem; margin: 2rem auto; padding: 0 1rem }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1.5rem }
dt, .note { color: var(--dim) }
dd { margin: 0 }
.total { font-weight: 600 }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid var(--line); overflow-wrap: anywhere }
th { overflow-wrap: normal }
.figure { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap }
`
