import type { BatchEndpoint, LineFault } from '../../lines/inference/batch/batch.ts'
import type { Refusal } from '../../lines/inference/errors.ts'
import type { JsonObject } from '../../units/json.ts'
import { isObject } from '../../units/json.ts'
import { errorAnswer } from '../http/errors.ts'
import { parseObject } from '../http/json.ts'
import type { Receipt } from './receipt.ts'
import { wattmillObject } from './receipt.ts'
import type { Dialect } from './request.ts'

/** One request of a batch. */
export interface BatchLine {
  readonly custom_id: string
  readonly body: JsonObject
}

export type ReadLine =
  | { readonly ok: true; readonly line: BatchLine }
  | { readonly ok: false; readonly fault: LineFault }

export const dialectOf: Readonly<Record<BatchEndpoint, Dialect>> = {
  '/v1/chat/completions': 'chat',
  '/v1/completions': 'text',
  '/v1/embeddings': 'embeddings',
}

const longestId = 512

/** A line of an input file: `{"custom_id": "…", "method": "POST", "url": "/v1/chat/completions", "body": {…}}`. */
export function readBatchLine(bytes: Buffer | undefined, line: number, endpoint: BatchEndpoint): ReadLine {
  const wrong = (code: string, param: string | null, message: string): ReadLine => ({
    ok: false,
    fault: { code, message, line, param },
  })
  if (!bytes) return wrong('line_too_long', null, 'the line is longer than `limits.body_bytes`')
  const json = parseObject(bytes)
  if (!json.ok) return wrong('invalid_json_line', null, json.refusal.message.replace('the body', 'the line'))
  const { custom_id, method, url, body } = json.value
  if (typeof custom_id !== 'string' || custom_id === '' || custom_id.length > longestId)
    return wrong('invalid_value', 'custom_id', `"custom_id" must be a string of 1 to ${longestId} characters`)
  if (method !== 'POST') return wrong('invalid_method', 'method', '"method" must be POST')
  if (url !== endpoint) return wrong('mismatched_url', 'url', `"url" must be the endpoint of the batch, ${endpoint}`)
  if (!isObject(body)) return wrong('invalid_value', 'body', '"body" must be an object')
  if (body.stream === true) return wrong('invalid_value', 'body.stream', 'an answer of a batch cannot be streamed')
  return { ok: true, line: { custom_id, body } }
}

/** A line of an output file: the answer as the endpoint would have given it, and what it cost. */
export const answerLine = (custom_id: string, request_id: string, body: JsonObject, receipt: Receipt): string =>
  lineOf(custom_id, request_id, 200, { ...body, wattmill: wattmillObject(receipt) })

/** A line of an error file: the endpoint's refusal. */
export function refusalLine(custom_id: string, request_id: string, refusal: Refusal): string {
  const { status, body } = errorAnswer(refusal, request_id)
  return lineOf(custom_id, request_id, status, JSON.parse(body) as JsonObject)
}

const lineOf = (custom_id: string, request_id: string, status_code: number, body: JsonObject): string =>
  JSON.stringify({
    id: `batch_req_${request_id}`,
    custom_id,
    response: { status_code, request_id, body },
    error: null,
  })

const expired = { code: 'batch_expired', message: 'The batch expired before this request was answered.' }

/** A line of an error file: what the batch did not come to. */
export const expiredLine = (custom_id: string): string =>
  JSON.stringify({ id: null, custom_id, response: null, error: expired })

/** Which line of the input a line of an output or error file answers, and whether it went well. */
export function answeredBy(line: Buffer | string): { readonly custom_id: string; readonly good: boolean } {
  const { custom_id, response } = JSON.parse(line.toString()) as JsonObject
  return { custom_id: String(custom_id), good: isObject(response) && response.status_code === 200 }
}
