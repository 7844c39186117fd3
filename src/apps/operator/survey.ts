import { dial } from '../../adapters/http/dial.ts'
import { keyHeader } from '../../adapters/openai/presets/quirks.ts'
import { presetOf } from '../../adapters/openai/presets/table.ts'
import { ask } from '../../adapters/openai/survey/ask.ts'
import { costOf } from '../../adapters/openai/survey/checks.ts'
import { differences, survey } from '../../adapters/openai/survey/survey.ts'
import type { EngineRecord } from '../../adapters/sqlite/registry/engines.ts'
import { ControlError } from './errors.ts'
import { didYouMean } from './nearest.ts'
import { secretFrom } from './probe.ts'

/** What a survey would cost at most. */
export function planSurvey(engine: EngineRecord, wanted: string | undefined) {
  const { model, upstream } = modelOf(engine, wanted)
  return { name: engine.name, model, at_most: costOf(upstream) }
}

/** Asks an engine what it does, past the gateway: nobody is billed, and a meter of its own sees it as foreign traffic. */
export async function surveyEngine(engine: EngineRecord, wanted: string | undefined) {
  const { model, upstream, url } = modelOf(engine, wanted)
  const preset = presetOf(engine.product)
  const headers = {
    'user-agent': 'wattmill',
    ...keyHeader(preset.key, engine.key_from === null ? undefined : secretFrom(engine.key_from)),
  }
  const pool = dial(url, { connections: 2, connectMs: 10_000 })
  try {
    const base = url.pathname.replace(/\/+$/, '')
    const { findings, spent } = await survey(upstream, preset, (question) => ask(pool, base, headers, question))
    const differing = differences(findings, preset)
    return {
      model,
      preset: preset.id,
      at_most: costOf(upstream),
      spent,
      findings: findings.map((finding) => ({ ...finding, expected: preset.does[finding.check] ?? null })),
      differences: differing,
    }
  } finally {
    await pool.destroy()
  }
}

/** One of its models by its public name, and where it is asked for. */
function modelOf({ name, vendor, url, models }: EngineRecord, wanted: string | undefined) {
  if (vendor === 'anthropic')
    throw new ControlError(
      'invalid_value',
      'a survey asks in the words of OpenAI, and this engine has the API of Anthropic',
      {
        param: 'name',
        next: `without a survey: wattmill engines probe ${name} --free`,
      },
    )
  if (url === null)
    throw new ControlError('invalid_value', 'the embedded engine is a part of the factory and is not surveyed', {
      param: 'name',
      next: 'docs/api.md lists what it serves; without a survey: wattmill engines probe embedded --free',
    })
  const model = wanted ?? Object.keys(models)[0]
  const upstream = model !== undefined && Object.hasOwn(models, model) ? models[model] : undefined
  if (model === undefined || upstream === undefined)
    throw new ControlError('not_found', `${name} serves no ${model}${didYouMean(model ?? '', Object.keys(models))}`, {
      param: 'model',
      next: 'wattmill engines list',
    })
  return { model, upstream, url: new URL(url) }
}
