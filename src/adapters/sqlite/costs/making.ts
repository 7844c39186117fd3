/** What training, evaluation and data of models cost, borne hour by hour by what the models serve (`books/making.ts`). */
import type { Findings } from '../../../books/check.ts'
import type { CostDeclaration } from '../../../books/cost.ts'
import { hour_ms } from '../../../books/cost-hour.ts'
import type { Job } from '../../../books/making.ts'
import { accountsOfJob, borneAfter, jobsOf, modelOf, servedByModel } from '../../../books/making.ts'
import { all, allBig, one, run } from '../query.ts'
import { rowsUnderWay } from '../seen.ts'
import type { Store } from '../store.ts'
import { type HourShare, isUnderRepair, postBeside } from './beside.ts'

type Reader = Pick<Store, 'database'>
type Served = ReadonlyMap<string, bigint>

/** Tokens of an hour of the models whose jobs are borne by tokens. */
export function servedInHour(books: Reader, hour: number, declared: readonly CostDeclaration[]): Served {
  const models = new Set(
    jobsOf(declared)
      .filter(({ terms, from, to }) => terms.tokens !== null && hour >= from && hour < to)
      .map(({ name }) => modelOf(name)),
  )
  if (models.size === 0) return new Map()
  const served = servedByModel(rowsUnderWay(books, hour * hour_ms, (hour + 1) * hour_ms), hour)
  return new Map([...served].filter(([model]) => models.has(model)))
}

/** Within the transaction that posts the hour. */
export function keepServed({ database }: Store, hour: number, served: Served): void {
  run(database, 'delete from served_hour where hour = ?', hour)
  for (const [model, tokens] of served)
    run(database, 'insert into served_hour (hour, model, tokens) values (?, ?, ?)', hour, model, tokens)
}

/**
 * Posts what hours bear of each job that is in force in one. An hour that was worked out again changes those after it as well;
 * while there are others to be worked out again, they wait for the last of them.
 */
export function postMaking(store: Store, hour: number, again: boolean, declared: readonly CostDeclaration[]): void {
  for (const job of jobsOf(declared)) {
    if (hour < job.from || hour >= job.to || isUnderRepair(store, job)) continue
    const way = accountsOfJob(job)
    for (const { due, ...share } of sharesOf(store, job, again ? job.from : hour)) postBeside(store, way, share, due)
  }
}

interface Due extends HourShare {
  /** What it should bear. */
  readonly due: bigint
}

const closedIn = `
  select h.hour, h.frozen, coalesce(c.amount, 0) as amount, coalesce(s.tokens, 0) as tokens from closed_hour h
  left join cost_hour c on c.hour = h.hour and c.source = ? and c.unit = 'nano-USD'
  left join served_hour s on s.hour = h.hour and s.model = ?
  where h.hour >= ? and h.hour < ? order by h.hour`

const servedBefore = 'select sum(tokens) as tokens from served_hour where model = ? and hour >= ? and hour < ?'

function sharesOf({ database }: Reader, job: Job, first: number): Due[] {
  const { terms, name, from, to } = job
  let served = BigInt(one<{ tokens: number | null }>(database, servedBefore, modelOf(name), from, first)?.tokens ?? 0)
  let before = borneAfter(terms, first - from, served)
  return allBig<Record<'hour' | 'frozen' | 'amount' | 'tokens', bigint>>(
    database,
    closedIn,
    accountsOfJob(job).source,
    modelOf(name),
    first,
    to,
  ).map(({ hour, frozen, amount, tokens }) => {
    served += tokens
    const after = borneAfter(terms, Number(hour) + 1 - from, served)
    const due = after - before
    before = after
    return { hour: Number(hour), frozen: frozen !== 0n, amount, due }
  })
}

/** A job, and how much of it is borne by closed hours. */
export function borneJobs(books: Reader, declared: readonly CostDeclaration[]) {
  return jobsOf(declared).map((job) => {
    const { database } = books
    const [model, sum] = [
      modelOf(job.name),
      'select sum(amount) as amount from cost_hour where source = ? and hour >= ? and hour < ?',
    ]
    const [row] = allBig<{ amount: bigint | null }>(database, sum, accountsOfJob(job).source, job.from, job.to)
    const served = one<{ tokens: number | null }>(database, servedBefore, model, job.from, job.to)?.tokens ?? 0
    return { job, borne: BigInt(row?.amount ?? 0n), served: job.terms.tokens === null ? null : Number(served) }
  })
}

/** Tokens by the requests of each hour, and what each job's hours bear by these. */
export function checkMaking(books: Reader, findings: Findings, declared: readonly CostDeclaration[]): void {
  const jobs = jobsOf(declared)
  if (jobs.some(({ terms }) => terms.tokens !== null)) checkServed(books, findings, declared)
  for (const job of jobs) {
    if (isUnderRepair(books, job)) continue
    for (const { hour, frozen, amount, due } of sharesOf(books, job, job.from))
      if (!frozen && amount !== due)
        findings.add('hour', `${hour}/${accountsOfJob(job).source}`, `bears ${amount}, should bear ${due}`)
  }
}

const whole = 'select hour, declared from closed_hour where stale = 0 and frozen = 0 order by hour'

function checkServed(books: Reader, findings: Findings, declared: readonly CostDeclaration[]): void {
  const kept = Map.groupBy(
    allBig<{ hour: bigint; model: string; tokens: bigint }>(books.database, 'select * from served_hour'),
    ({ hour }) => Number(hour),
  )
  const text = (served: Iterable<readonly [string, bigint]>): string =>
    [...served]
      .map(([model, tokens]) => `${model} ${tokens}`)
      .sort()
      .join(', ')
  for (const closed of all<{ hour: number; declared: number }>(books.database, whole)) {
    const known = declared.filter(({ version }) => version <= closed.declared)
    const is = text((kept.get(closed.hour) ?? []).map(({ model, tokens }) => [model, tokens] as const))
    const should = text(servedInHour(books, closed.hour, known))
    if (is !== should)
      findings.add('hour', `${closed.hour}/served`, `tokens ${is || 'none'}, by its requests ${should || 'none'}`)
  }
}
