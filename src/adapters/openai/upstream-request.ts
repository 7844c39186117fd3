import type { JsonObject } from '../../units/json.ts'
import { isObject } from '../../units/json.ts'
import type { Job } from './engine.ts'
import { withReasoning } from './reasoning.ts'
import type { Dialect } from './request.ts'

const paths: Readonly<Record<Dialect, string>> = {
  chat: '/chat/completions',
  text: '/completions',
  embeddings: '/embeddings',
}
export const pathOf = (dialect: Dialect): string => paths[dialect]

/**
 * Headers are made here from nothing: what a client sent, its credential above all, never travels on. The key belongs
 * to this upstream's origin alone, and the pool knows no other. The attempt's id lets the upstream's log be matched.
 */
export const outgoingHeaders = (job: Pick<Job, 'id'>, key: string | undefined): Record<string, string> => ({
  'content-type': 'application/json',
  accept: 'application/json, text/event-stream',
  'accept-encoding': 'identity',
  'user-agent': 'wattmill',
  'x-request-id': job.id,
  ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
})

/** The client's own body with the upstream's name of the model. A stream always reports its usage, since we bill by it. */
export function outgoingBody({ request, model }: Job, product?: string | null): string {
  const { stream_options, ...given } = request.body
  const body = request.dialect === 'chat' ? withReasoning(given, product) : given
  const options: JsonObject = isObject(stream_options) ? stream_options : {}
  return JSON.stringify({
    ...body,
    model,
    ...(request.stream ? { stream_options: { ...options, include_usage: true } } : {}),
  })
}
