/** The first request in the words of each client, with the base URL that it wants. The key is in the environment, never in a line. */
export interface Snippet {
  readonly name: string
  /** How it is made ready. */
  readonly before: string
  readonly text: string
}

export function snippets(origin: string, model: string): readonly Snippet[] {
  const quoted = JSON.stringify(model)
  return [
    {
      name: 'curl',
      before: 'export WATTMILL_KEY=wm-…',
      text: `curl ${origin}/v1/chat/completions \\
  -H "authorization: Bearer $WATTMILL_KEY" \\
  -H "content-type: application/json" \\
  -d '{"model": ${shell(quoted)}, "messages": [{"role": "user", "content": "Hello"}]}'`,
    },
    {
      name: 'OpenAI, Python',
      before: 'pip install openai',
      text: `import os
from openai import OpenAI

client = OpenAI(base_url="${origin}/v1", api_key=os.environ["WATTMILL_KEY"])
answer = client.chat.completions.create(
    model=${quoted},
    messages=[{"role": "user", "content": "Hello"}],
)
print(answer.choices[0].message.content)`,
    },
    {
      name: 'OpenAI, JavaScript',
      before: 'npm install openai',
      text: `import OpenAI from 'openai'

const client = new OpenAI({ baseURL: '${origin}/v1', apiKey: process.env.WATTMILL_KEY })
const answer = await client.chat.completions.create({
  model: ${quoted},
  messages: [{ role: 'user', content: 'Hello' }],
})
console.log(answer.choices[0].message.content)`,
    },
    {
      name: 'Anthropic, Python',
      before: 'pip install anthropic',
      text: `import os
from anthropic import Anthropic

client = Anthropic(base_url="${origin}", api_key=os.environ["WATTMILL_KEY"])
answer = client.messages.create(
    model=${quoted},
    max_tokens=256,
    messages=[{"role": "user", "content": "Hello"}],
)
print(answer.content[0].text)`,
    },
    {
      name: 'Anthropic, JavaScript',
      before: 'npm install @anthropic-ai/sdk',
      text: `import Anthropic from '@anthropic-ai/sdk'

const client = new Anthropic({ baseURL: '${origin}', apiKey: process.env.WATTMILL_KEY })
const answer = await client.messages.create({
  model: ${quoted},
  max_tokens: 256,
  messages: [{ role: 'user', content: 'Hello' }],
})
console.log(answer.content[0].text)`,
    },
  ]
}

/** Within single quotes of a shell. */
const shell = (text: string): string => text.replaceAll("'", "'\\''")
