import type { JsonObject } from '../../units/json.ts'
import { isObject } from '../../units/json.ts'
import type { Job } from './engine.ts'
import type { Preset } from './presets/preset.ts'
import { adapted, keyHeader } from './presets/quirks.ts'
import { withReasoning } from './presets/reasoning.ts'
import type { Dialect } from './request.ts'

const paths: Readonly<Record<Dialect, string>> = {
  chat: '/chat/completions',
  text: '/completions',
  embeddings: '/embeddings',
  messages: '/chat/completions', // translated on its way in
}
export const pathOf = (dialect: Dialect): string => paths[dialect]

/**
 * Headers are made here from nothing: what a client sent, its credential above all, never travels on. The key belongs
 * to this upstream's origin alone, and the pool knows no other. The attempt's id lets the upstream's log be matched.
 */
export const outgoingHeaders = (
  job: Pick<Job, 'id'>,
  preset: Pick<Preset, 'key'>,
  key: string | undefined,
): Record<string, string> => ({
  'content-type': 'application/json',
  accept: 'application/json, text/event-stream',
  'accept-encoding': 'identity',
  'user-agent': 'wattmill',
  'x-request-id': job.id,
  ...keyHeader(preset.key, key),
})

/**
 * The client's own body, or what it was translated to, with the upstream's name of the model, in the upstream's words. A
 * stream always reports its usage, since we bill by it.
 *
 * Written anew, though long prompts take time to write: of two fields with one name the engine's parser may read the other
 * one, and what was checked and priced must be what it reads.
 */
export function outgoingBody({ request, model }: Job, preset: Pick<Preset, 'request' | 'reasoning'>): string {
  const { stream_options, ...given } = request.body
  const body =
    request.dialect === 'chat' ? withReasoning(adapted(given, preset.request), preset, request.reasoning) : given
  const options: JsonObject = isObject(stream_options) ? stream_options : {}
  return JSON.stringify({
    ...body,
    model,
    ...(request.stream ? { stream_options: { ...options, include_usage: true } } : {}),
  })
}
