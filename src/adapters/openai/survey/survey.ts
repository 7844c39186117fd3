import type { JsonObject } from '../../../units/json.ts'
import type { Preset } from '../presets/preset.ts'
import type { Heard } from './ask.ts'
import { type Cost, type Limit, type Question, questions } from './checks.ts'
import { type CheckId, checkIds, type Finding, type Saw } from './finding.ts'
import * as judge from './judge.ts'
import { textOf, usageOf } from './read.ts'

export interface Survey {
  readonly model: string
  readonly findings: readonly Finding[]
  /** What it cost, as far as the engine told. */
  readonly spent: Cost
}

/**
 * Finds out what an engine does with one of its models, question by question. It first looks whether limits are obeyed: where they are
 * not, nothing is asked whose answer could be long.
 */
export async function survey(
  model: string,
  { request }: Pick<Preset, 'request'>,
  put: (question: Question) => Promise<Heard>,
): Promise<Survey> {
  const findings: Finding[] = []
  const spent = { requests: 0, input_tokens: 0, output_tokens: 0 }
  const asked = async (question: Question): Promise<Heard> => {
    const heard = await put(question)
    spent.requests++
    spent.input_tokens += countOf(heard, 'prompt_tokens')
    spent.output_tokens += countOf(heard, 'completion_tokens')
    return heard
  }
  const usual: Limit = request.rename.max_tokens ? 'max_completion_tokens' : 'max_tokens'
  const limits = questions(model, usual)
  findings.push(judge.limit('max_tokens', await asked(limits.maxTokens)))
  findings.push(judge.limit('max_completion_tokens', await asked(limits.maxCompletionTokens)))
  const obeyed = obeyedLimit(findings, usual)
  const all = questions(model, obeyed ?? usual)
  if (obeyed) findings.push(...(await chats(all, asked)))
  findings.push(judge.completions(await asked(all.completions)))
  findings.push(judge.embeddings(await asked(all.embeddings)))
  if (obeyed) findings.push(judge.unknownModel(await asked(all.unknownModel)))
  findings.push(judge.error(await asked(all.error)))
  return { model, findings: inOrder(findings, obeyed ? 'not asked' : 'not asked: it obeys no limit'), spent }
}

type Questions = ReturnType<typeof questions>

async function chats(all: Questions, asked: (question: Question) => Promise<Heard>): Promise<Finding[]> {
  const first = await asked(all.chat)
  const chat = judge.chat(first)
  if (chat.saw !== 'yes') return [chat]
  const again = await asked(all.again)
  const [plain, withUsage] = [await asked(all.stream), await asked(all.streamUsage)]
  const word = wordOf(textOf(again))
  const seeds = [await asked(all.seed(7)), await asked(all.seed(7)), await asked(all.seed(8))] as const
  return [
    chat,
    judge.stream(plain),
    judge.streamUsage(plain, withUsage),
    judge.cached(usageOf(first), usageOf(again)),
    judge.reasoning([first, again, withUsage].map(usageOf)),
    judge.stop(word, word === '' ? again : await asked(all.stop(word))),
    judge.seed(...seeds),
    judge.several(await asked(all.n)),
    judge.logprobs(await asked(all.logprobs)),
    judge.tools(await asked(all.tools)),
    judge.jsonSchema(await asked(all.jsonSchema)),
  ]
}

/** The name of the limit that is obeyed: the usual one, unless it alone is not. Undefined: neither is. */
function obeyedLimit(findings: readonly Finding[], usual: Limit): Limit | undefined {
  const saw = (of: Limit): Saw | undefined => findings.find(({ check }) => check === of)?.saw
  const other: Limit = usual === 'max_tokens' ? 'max_completion_tokens' : 'max_tokens'
  const fine: readonly (Saw | undefined)[] = ['yes', 'unclear']
  return fine.includes(saw(usual)) ? usual : fine.includes(saw(other)) ? other : undefined
}

/** Some letters out of the middle of an answer, that a second one of the same kind will have again. */
function wordOf(text: string): string {
  const words = [...text.matchAll(/[A-Za-z]{3,}/g)].map(([word]) => word)
  return words[Math.floor(words.length / 2)] ?? ''
}

function countOf(heard: Heard, field: string): number {
  const report: JsonObject | undefined = usageOf(heard)?.report
  const value = report?.[field]
  return typeof value === 'number' ? value : 0
}

/** All that was looked at, in one order; what was not asked is said. */
const inOrder = (findings: readonly Finding[], why: string): Finding[] =>
  checkIds
    .filter((check) => check !== 'models')
    .map((check: CheckId) => findings.find((one) => one.check === check) ?? { check, saw: 'unclear', detail: why })

/** Where an engine does otherwise than its preset says. What stayed unclear is no difference. */
export function differences(
  findings: readonly Finding[],
  { does }: Pick<Preset, 'does'>,
): { readonly check: CheckId; readonly expected: Saw; readonly saw: Saw }[] {
  return findings.flatMap(({ check, saw }) => {
    const expected = does[check]
    const open: readonly Saw[] = ['unclear', 'failed']
    return expected === undefined || expected === saw || open.includes(saw) ? [] : [{ check, expected, saw }]
  })
}
