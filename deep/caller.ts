import { byteToken, EOS, OWN, writeTinyModel } from '../src/adapters/llama/testing.ts'

/** ChatML with tools as Hermes and Qwen write them. */
const template = `{% for tool in tools %}<tool_call>{{ tool | tojson }}
{% endfor %}{% for m in messages %}<|im_start|>{{ m.role }}
{{ m.content }}<|im_end|>
{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant
{% endif %}`

/** Opens a call after any prompt and ends after a closed one; within it the grammar of the arguments decides. */
const closed = new Set([OWN + 1, byteToken('>'.charCodeAt(0))])
const next = (token: number): number => (token === byteToken(10) ? OWN : closed.has(token) ? EOS : token)

/** A model that answers whatever it is asked with a call of a tool. */
export const writeCaller = (file: string): string =>
  writeTinyModel(file, { template, own: ['<tool_call>', '</tool_call>'], next, context: 2048 })
