import type { Command } from 'commander'
import { fields, type Row, table } from '../print.ts'
import { does, path, query, show } from '../run.ts'
import { talk } from '../talk.ts'

interface Cost {
  readonly requests: number
  readonly input_tokens: number
  readonly output_tokens: number
}

interface Survey {
  readonly model: string
  readonly preset: string
  readonly spent: Cost
  readonly findings: readonly { check: string; saw: string; expected: string | null; detail: string }[]
  readonly differences: readonly { check: string; expected: string; saw: string }[]
}

interface Probed extends Row {
  readonly survey?: Survey
}

export const probeCommand = (engines: Command): Command =>
  does<{ free?: boolean; model?: string }>(
    engines
      .command('probe')
      .description('ask an engine now what it serves and how: models, streams, usage, tools, limits, errors')
      .argument('<name>')
      .option('--model <model>', 'which of its models is asked, by its public name (default: its first)')
      .option('--free', 'ask only whether it answers, for its models and metrics; that costs no tokens'),
    async (factory, { free, model, ...options }, name = '') => {
      const isEmbedded = name === 'embedded'
      const at = path`/api/engines/${name}/probe`
      if (!free && !isEmbedded) {
        const { at_most, model: asked } = (await factory.json('GET', at + query({ model }))) as {
          at_most: Cost
          model: string
        }
        talk(
          `Asks ${name} for ${asked}: at most ${costLine(at_most)}, which nobody is billed for. --free asks for nothing.`,
        )
      }
      const probed = await factory.json('POST', at, isEmbedded ? {} : { survey: !free, model })
      show(probed, options, view)
      return undefined
    },
  )

const costLine = ({ requests, input_tokens, output_tokens }: Cost): string =>
  `${requests} requests, ${input_tokens} tokens in, ${output_tokens} out`

function view({ survey, ...plain }: Probed): string[] {
  if (!survey) return fields(plain)
  const rows = survey.findings.map(({ check, saw, expected, detail }) => ({
    check,
    saw,
    preset: expected,
    differs: survey.differences.some((one) => one.check === check) ? 'DIFFERS' : '',
    detail,
  }))
  const differing = survey.differences.map(({ check, expected, saw }) => `${check}: ${saw}, not ${expected}`)
  const word =
    survey.preset === 'unknown'
      ? 'It is no known preset: there is nothing to compare with.'
      : differing.length === 0
        ? `Nothing seen differs from preset ${survey.preset}.`
        : `Differs from preset ${survey.preset}: ${differing.join('; ')}.`
  return [...fields(plain), '', ...table(rows), '', word, `Spent on ${survey.model}: ${costLine(survey.spent)}.`]
}
