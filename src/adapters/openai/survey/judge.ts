import type { JsonObject } from '../../../units/json.ts'
import { isObject } from '../../../units/json.ts'
import type { Heard } from './ask.ts'
import type { Limit } from './checks.ts'
import type { CheckId, Finding, Saw } from './finding.ts'
import { choicesOf, countNamed, endOf, errorShape, type FoundUsage, refusalOf, textOf, usageOf } from './read.ts'

const finding = (check: CheckId, saw: Saw, detail = ''): Finding => ({ check, saw, detail })

/** No answer to judge: it said no, or nothing at all. */
const said = (check: CheckId, heard: Heard): Finding | undefined =>
  heard.kind === 'refused'
    ? finding(check, 'refused', refusalOf(heard))
    : heard.kind === 'trouble'
      ? finding(check, 'failed', refusalOf(heard))
      : undefined

export function chat(heard: Heard): Finding {
  const no = said('chat', heard)
  if (no) return no
  if (heard.kind === 'events') return finding('chat', 'failed', 'it streamed an answer that was asked for whole')
  const usage = usageOf(heard)
  return finding('chat', 'yes', usage ? `usage in ${usage.at}` : 'without usage')
}

export function stream(heard: Heard): Finding {
  const no = said('stream', heard)
  if (no) return no
  if (heard.kind !== 'events') return finding('stream', 'ignored', 'the answer came whole')
  const ends = `${heard.done ? 'ends' : 'does not end'} with [DONE]`
  return finding('stream', 'yes', `${heard.chunks.length} chunks, ${ends}`)
}

/** Of a stream that was not asked for its usage, and one that was. */
export function streamUsage(unasked: Heard, asked: Heard): Finding {
  const [without, within] = [usageOf(unasked), usageOf(asked)]
  const refused = asked.kind === 'refused' ? `; refuses stream_options (${refusalOf(asked)})` : ''
  if (without) return finding('stream_usage', 'always', `in ${without.at}${refused}`)
  if (within) return finding('stream_usage', 'on_request', `in ${within.at} ${lastOf(asked)}`)
  return said('stream_usage', asked) ?? finding('stream_usage', 'never')
}

/** Whether the chunk of the usage has choices besides. */
function lastOf(heard: Heard): string {
  const last = heard.kind === 'events' ? heard.chunks.findLast((chunk) => isObject(chunk.usage)) : undefined
  return last ? `of a chunk ${choicesOf(last).length === 0 ? 'without' : 'with'} choices` : ''
}

export function cached(before: FoundUsage | undefined, after: FoundUsage | undefined): Finding {
  const [cold, warm] = [before, after].map((one) => one && countNamed(one.report, /cached_tokens|cache_hit_tokens/))
  if (!warm || !after) return finding('cached', 'absent', 'no usage names cached tokens')
  const [was, is] = [before?.report.prompt_tokens, after.report.prompt_tokens].map(Number)
  const more = warm.value - (cold?.value ?? 0)
  const counted =
    more <= 0
      ? 'the same prompt twice was not told to be cached'
      : was === is
        ? `${warm.value} of ${is} prompt tokens the second time: prompt_tokens counts them`
        : is === Number(was) - more
          ? `${warm.value} besides ${is} prompt tokens the second time: prompt_tokens leaves them out`
          : `${warm.value} cached; ${was} prompt tokens, then ${is}`
  return finding('cached', `usage.${warm.path}`, counted)
}

export function reasoning(usages: readonly (FoundUsage | undefined)[]): Finding {
  const named = usages.flatMap((one) => (one ? [countNamed(one.report, /reasoning_tokens|thinking_tokens/)] : []))
  const found = named.find((one) => (one?.value ?? 0) > 0) ?? named.find((one) => one !== undefined)
  return found
    ? finding('reasoning', `usage.${found.path}`, `${found.value} tokens`)
    : finding('reasoning', 'absent', 'no usage names reasoning tokens')
}

/** The answer to a limit of two tokens where some fifty were due. */
export function limit(of: Limit, heard: Heard): Finding {
  const no = said(of, heard)
  if (no) return no
  const length = textOf(heard).length
  if (heard.kind === 'events' && heard.cut) return finding(of, 'ignored', 'the answer went on; it was hung up on')
  if (endOf(heard) === 'length') return finding(of, 'yes', 'finish_reason is length')
  return length > 40
    ? finding(of, 'ignored', `${length} characters came`)
    : finding(of, 'unclear', `the answer was short: finish_reason ${String(endOf(heard))}`)
}

/** `word` was in the answer before it was asked to stop there. */
export function stop(word: string, heard: Heard): Finding {
  const no = said('stop', heard)
  if (no) return no
  if (word === '') return finding('stop', 'unclear', 'the answer has no words to stop at')
  return textOf(heard).includes(word)
    ? finding('stop', 'ignored', 'the stop string is in the answer')
    : finding('stop', 'yes', `stops at ${JSON.stringify(word)}`)
}

export function seed(one: Heard, same: Heard, other: Heard): Finding {
  const no = said('seed', one)
  if (no) return no
  const [first, second, third] = [one, same, other].map(textOf)
  if (first !== second) return finding('seed', 'ignored', 'the same seed gave two answers')
  return first === third
    ? finding('seed', 'unclear', 'taken; another seed gave the same answer too')
    : finding('seed', 'yes', 'the same seed gives the same answer, another one another')
}

export function several(heard: Heard): Finding {
  const no = said('n', heard)
  if (no) return no
  const count = heard.kind === 'whole' ? choicesOf(heard.body).length : 0
  return count === 2 ? finding('n', 'yes', 'two choices') : finding('n', 'ignored', `${count} choice for n = 2`)
}

export function logprobs(heard: Heard): Finding {
  const no = said('logprobs', heard)
  if (no) return no
  const [choice] = heard.kind === 'whole' ? choicesOf(heard.body) : []
  const content = isObject(choice?.logprobs) ? choice.logprobs.content : undefined
  const [token] = Array.isArray(content) ? content.filter(isObject) : []
  if (!token) return finding('logprobs', 'ignored', 'none came')
  const top = Array.isArray(token.top_logprobs) ? token.top_logprobs.length : 0
  return finding('logprobs', 'yes', `${top} alternatives for top_logprobs = 2`)
}

export function tools(heard: Heard): Finding {
  const no = said('tools', heard)
  if (no) return no
  const [choice] = heard.kind === 'whole' ? choicesOf(heard.body) : []
  const message = isObject(choice?.message) ? choice.message : {}
  const calls = Array.isArray(message.tool_calls) ? message.tool_calls.length : 0
  return calls > 0
    ? finding('tools', 'yes', `calls it; finish_reason ${String(choice?.finish_reason)}`)
    : finding('tools', 'ignored', 'no call')
}

export function jsonSchema(heard: Heard): Finding {
  const no = said('json_schema', heard)
  if (no) return no
  const value = parsed(textOf(heard))
  const keeps =
    isObject(value) && Object.keys(value).join() === 'answer' && ['yes', 'no'].includes(String(value.answer))
  if (keeps) return finding('json_schema', 'yes', 'the answer keeps to the schema')
  return endOf(heard) === 'length' && /^\s*(\{|$)/.test(textOf(heard))
    ? finding('json_schema', 'unclear', 'the answer was cut before it was whole')
    : finding('json_schema', 'ignored', 'the answer does not keep to the schema')
}

export function completions(heard: Heard): Finding {
  const no = said('completions', heard)
  if (no) return no
  const [choice] = heard.kind === 'whole' ? choicesOf(heard.body) : []
  return typeof choice?.text === 'string'
    ? finding('completions', 'yes')
    : finding('completions', 'failed', 'no text came')
}

export function embeddings(heard: Heard): Finding {
  const no = said('embeddings', heard)
  if (no) return no
  const [first] = heard.kind === 'whole' && Array.isArray(heard.body.data) ? heard.body.data.filter(isObject) : []
  const vector = (first as JsonObject | undefined)?.embedding
  return Array.isArray(vector) && vector.length > 0
    ? finding('embeddings', 'yes', `${vector.length} dimensions`)
    : finding('embeddings', 'failed', 'no vector came')
}

/** A name that no engine has. */
export const unknownModel = (heard: Heard): Finding =>
  said('unknown_model', heard) ?? finding('unknown_model', 'ignored', 'it answers whatever model is asked for')

/** A request that makes no sense. */
export function error(heard: Heard): Finding {
  if (heard.kind === 'trouble') return finding('error', 'failed', heard.why)
  if (heard.kind !== 'refused') return finding('error', 'absent', 'it answered a request without messages')
  const shape = errorShape(heard.body)
  return shape ? finding('error', shape.saw, `status ${heard.status}`) : finding('error', 'unclear', refusalOf(heard))
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
