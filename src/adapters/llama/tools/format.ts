/**
 * How a model writes tool calls: told by its chat template, since it was trained on it. Three ways are read; a template
 * that has tools in another way is said to have none that we can read.
 *
 *   Hermes, Qwen 2.5, Qwen 3   <tool_call>{"name": "f", "arguments": {…}}</tool_call>, one after the other
 *   Mistral                    [TOOL_CALLS][{"name": "f", "arguments": {…}}, …]
 *   Llama 3.1 to 3.3           {"name": "f", "parameters": {…}} and nothing else
 *
 * Source: the templates in these models' GGUF files.
 */
import { grammarText, jsonRules, literal, type Rules } from '../grammar/gbnf.ts'
import { SchemaError } from '../grammar/keywords.ts'
import { addSchema } from '../grammar/schema.ts'
import type { ToolSpec } from '../protocol.ts'

export interface ToolFormat {
  /** Text before calls; empty where an answer that begins with `{` is one. */
  readonly open: string
  /** Text after each call. */
  readonly close: string
  /** Calls are the items of one JSON list. */
  readonly list: boolean
  /** The key under which the arguments stand. */
  readonly key: 'arguments' | 'parameters'
  /** Mistral's template refuses ids of any other length than nine. */
  readonly id: { readonly prefix: string; readonly length: number }
}

const long = { prefix: 'call_', length: 24 }
const HERMES: ToolFormat = { open: '<tool_call>', close: '</tool_call>', list: false, key: 'arguments', id: long }
const MISTRAL: ToolFormat = {
  open: '[TOOL_CALLS]',
  close: '',
  list: true,
  key: 'arguments',
  id: { prefix: '', length: 9 },
}
const LLAMA_3: ToolFormat = { open: '', close: '', list: false, key: 'parameters', id: long }

/** Undefined: the template has no tools, or writes them in a way that is not read here. */
export function toolFormat(template: string | undefined): ToolFormat | undefined {
  if (!template || !/\btools\b/.test(template)) return undefined
  if (template.includes('[TOOL_CALLS]')) return template.includes('[ARGS]') ? undefined : MISTRAL
  if (template.includes('<tool_call>')) return template.includes('<function=') ? undefined : HERMES
  if (/"name": function name, "parameters"/.test(template)) return LLAMA_3
  return undefined
}

/** A grammar of calls of these tools: of an answer that is nothing else, or of what follows `open`. */
export function callGrammar(
  format: ToolFormat,
  tools: readonly ToolSpec[],
  part: { readonly after: 'open' | 'nothing'; readonly many: boolean },
): string {
  const rules = jsonRules()
  rules.set('call', tools.map((tool) => callRule(rules, tool, format.key)).join(' | '))
  const one = format.close === '' ? 'call' : `call ws ${literal(format.close)}`
  const next = format.open === '' ? undefined : `ws ${literal(format.open)} ws ${one}`
  const body = format.list
    ? `"[" ws call ws ${part.many ? '( "," ws call ws )*' : ''} "]"`
    : part.many && next && part.after === 'nothing'
      ? `${one} ( ${next} )*`
      : one
  rules.set('root', part.after === 'open' ? `ws ${body}` : `${literal(format.open)} ws ${body}`)
  return grammarText(rules)
}

/** Arguments as the tool's schema wants them; any object where there is none, or one that no grammar stands for. */
function callRule(rules: Rules, { name, parameters }: ToolSpec, key: string): string {
  const before = new Map(rules)
  let schema = 'object'
  try {
    if (parameters !== undefined) schema = addSchema(rules, parameters)
  } catch (error) {
    if (!(error instanceof SchemaError)) throw error
    for (const rule of rules.keys()) if (!before.has(rule)) rules.delete(rule)
  }
  return `"{" ws "\\"name\\"" ws ":" ws ${literal(JSON.stringify(name))} ws "," ws "\\"${key}\\"" ws ":" ws ${schema} ws "}"`
}
