import type { ApiRequest } from '../../adapters/openai/request.ts'
import type { GatewayMetricName } from '../../adapters/prometheus/metrics.ts'
import { Recorder, type Series } from '../../adapters/prometheus/recorder.ts'
import { causeOf } from '../../books/bearer.ts'
import { costOf } from '../../books/post.ts'
import type { CloseRow } from '../../books/row.ts'
import { inputTokens, outputTokens, tokenClasses } from '../../books/usage.ts'
import { Earnings } from '../../control/cap/earnings.ts'
import type { Refusal } from '../../lines/inference/errors.ts'
import type { Ending, Event, Flow } from '../../lines/inference/flow.ts'
import { billedPrice } from '../../lines/inference/flow-price.ts'
import {
  type Objectives,
  tpotOf,
  type Verdicts,
  verdictsOf,
  verdictsOfRefusal,
} from '../../lines/inference/objectives.ts'
import { attemptId } from '../../units/ids.ts'
import type { Seconds } from '../../units/quantity.ts'

/** When an answer's last piece came, and where its gaps are counted: looked up once a request, not once a token. */
interface Gaps {
  at: Seconds
  readonly series: Series
}

/** What a gateway measures of its requests. It only looks: no request waits for it, and none goes another way. */
export class Measures {
  readonly recorder: Recorder
  /** What requests earn by the second: what is lost when one must wait. */
  readonly earnings = new Earnings()
  readonly #objectives: Objectives
  readonly #gaps = new WeakMap<Flow, Gaps>()

  constructor(objectives: Objectives, recorder = new Recorder()) {
    this.#objectives = objectives
    this.recorder = recorder
  }

  /** Before the line takes the event: a late one, of another attempt, is not measured. */
  event(flow: Flow, event: Event, now: Seconds): void {
    if (!('attempt' in event) || flow.phase !== 'generating' || !isUnderWay(flow, event.attempt)) return
    const own = event.attempt === flow.attempt || !flow.rival?.lost
    if (event.kind === 'chunk' && event.tokens > 0 && own) this.#chunk(flow, event.tokens, now)
    if (event.kind === 'ended' || event.kind === 'failed')
      this.recorder.count('wattmill_attempts_total', [
        (event.attempt === flow.attempt ? flow.replica : flow.rival?.replica)?.id ?? '',
        event.kind === 'ended' ? 'ok' : event.failure.fault,
      ])
  }

  /** After the line has settled, refused or left it. */
  finished(flow: Flow, ending: Ending, now: Seconds): void {
    if (ending.kind === 'refused') this.refused(ending.refusal, flow.ask.model)
    if (ending.kind === 'settled' && flow.closing) this.#settled(flow, flow.closing, now)
  }

  refused(refusal: Refusal, model = ''): void {
    this.recorder.count('wattmill_refusals_total', [refusal.code])
    this.#judge(verdictsOfRefusal(refusal), model)
  }

  cached(result: 'hit' | 'miss', model: string): void {
    this.recorder.count('wattmill_cache_lookups_total', [model, result])
  }

  #chunk(flow: Flow, tokens: number, now: Seconds): void {
    const gaps = this.#gaps.get(flow)
    if (!gaps) {
      const series = this.recorder.series('wattmill_inter_token_latency_seconds', flow.ask.model)
      this.#gaps.set(flow, { at: now, series })
      return
    }
    gaps.series.observe((now - gaps.at) / tokens, tokens)
    gaps.at = now
  }

  #settled(flow: Flow, row: CloseRow, now: Seconds): void {
    const { model, outcome } = row
    const complete = outcome === 'complete'
    const of = [operationOf(flow), 'wattmill', model]
    const observe = (name: GatewayMetricName, values: readonly string[], value: number | undefined): void =>
      value === undefined ? undefined : this.recorder.observe(name, values, value)
    const last = row.attempts.at(-1)
    const hedge = row.attempts.find((attempt) => attempt.hedge)
    if (hedge) this.recorder.count('wattmill_hedges_total', [model, hedge === last ? 'won' : 'lost'])
    const tpot = complete && last ? tpotOf(flow.firstAt, now, outputTokens(last.usage)) : undefined

    const seconds = (row.closed_ms - row.at_ms) / 1000
    this.earnings.learn(model, flow.ask.slo, Number(costOf(row, billedPrice(flow))), seconds)
    this.recorder.count('wattmill_requests_total', [model, outcome])
    observe('wattmill_queue_time_seconds', [model], row.queued_ms / 1000)
    observe('gen_ai_server_request_duration_seconds', [...of, complete ? '' : outcome], now - flow.askedAt)
    observe('gen_ai_server_time_to_first_token_seconds', of, row.ttft_ms === null ? undefined : row.ttft_ms / 1000)
    observe('gen_ai_server_time_per_output_token_seconds', of, tpot)
    this.#usage(row, of)
    this.#judge(verdictsOf(row, tpot, this.#objectives), model)
  }

  #usage(row: CloseRow, of: readonly string[]): void {
    for (const { number, replica, usage } of row.attempts) {
      const use = causeOf(row, attemptId(row.id, number)) ? 'waste' : 'served'
      for (const tokenClass of tokenClasses) {
        const count = usage[tokenClass]
        if (count?.tokens)
          this.recorder.count(
            'wattmill_tokens_total',
            [row.model, replica, tokenClass, count.source, use],
            count.tokens,
          )
      }
      if (use === 'waste') continue
      if (usage.input_uncached) this.recorder.observe('gen_ai_client_token_usage', [...of, 'input'], inputTokens(usage))
      if (usage.output_visible)
        this.recorder.observe('gen_ai_client_token_usage', [...of, 'output'], outputTokens(usage))
    }
  }

  #judge(verdicts: Verdicts, model: string): void {
    for (const [objective, good] of Object.entries(verdicts))
      this.recorder.count('wattmill_slo_requests_total', [objective, model, good ? 'good' : 'bad'])
  }
}

/** As OpenTelemetry names what was asked for. */
const operations = { chat: 'chat', text: 'text_completion', embeddings: 'embeddings', messages: 'chat' } as const
const operationOf = (flow: Flow): string => operations[(flow.ask.body as ApiRequest).dialect]

const isUnderWay = (flow: Flow, attempt: number): boolean =>
  attempt === flow.rival?.attempt || (attempt === flow.attempt && !flow.over)
