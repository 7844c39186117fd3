import type { Refusal } from '../../lines/inference/errors.ts'
import { refusal } from '../../lines/inference/errors.ts'
import type { Replica } from '../../plant/infrastructure/replica.ts'
import type { ApiRequest, ParsedRequest } from '../openai/request.ts'
import { inChat } from '../openai/request.ts'
import { unsupported } from '../openai/unsupported.ts'
import { fromChat } from './from-chat.ts'
import { inOriginal, toChat } from './to-chat.ts'
import { unsayable } from './unsayable.ts'
import { untranslatable } from './untranslatable.ts'
import { unbillable } from './upstream-request.ts'

const refused = (why: Refusal): ParsedRequest => ({ ok: false, refusal: why })

/** A request in all languages that the engines of its model speak; refused where one of them has no words for it. */
export function fitted(request: ApiRequest, vendors: ReadonlySet<Replica['vendor']>): ParsedRequest {
  if (request.dialect === 'messages') return fittedMessages(request, vendors)
  const strange = vendors.has('llama') ? unsupported(request) : undefined
  if (strange) return refused(strange)
  return vendors.has('anthropic') ? withMessages(request) : { ok: true, request }
}

function fittedMessages(request: ApiRequest, vendors: ReadonlySet<Replica['vendor']>): ParsedRequest {
  const { body } = request
  const costly = vendors.has('anthropic') ? unbillable(body) : undefined
  if (costly) return refused(costly)
  if (!vendors.has('llama') && !vendors.has('openai')) return { ok: true, request }
  const foreign = untranslatable(body)
  if (foreign) return refused(foreign)
  const { body: chat, origins } = toChat(body)
  const whole = { ...request, chat }
  const strange = vendors.has('llama') ? unsupported(inChat(whole)) : undefined
  if (!strange) return { ok: true, request: whole }
  const { param, message } = strange
  return refused({
    ...strange,
    message: inOriginal(message, origins),
    ...(param !== undefined && { param: inOriginal(param, origins) }),
  })
}

function withMessages(request: ApiRequest): ParsedRequest {
  const { dialect, body } = request
  if (dialect !== 'chat')
    return refused(
      refusal(
        'unsupported_parameter',
        'an engine of this model has the API of Anthropic, which answers messages only',
        {
          param: 'model',
        },
      ),
    )
  const strange = unsayable(body) ?? unbillable(body)
  return strange ? refused(strange) : { ok: true, request: { ...request, messages: fromChat(body) } }
}
