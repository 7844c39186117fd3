import type { Preset } from '../../adapters/openai/presets/preset.ts'
import { findPreset, unknownEngine } from '../../adapters/openai/presets/table.ts'
import { isName } from '../../adapters/sqlite/registry/names.ts'
import { ControlError } from './errors.ts'
import { didYouMean } from './nearest.ts'

/** The URL that was given, or the preset's own. */
export function addressOf(vendor: string | undefined, given: string | undefined): string {
  const preset = vendor === undefined ? undefined : findPreset(vendor)
  const url = given ?? preset?.url ?? undefined
  if (url === undefined)
    throw new ControlError('invalid_value', preset ? `${preset.title} has no address for all` : 'the URL is missing', {
      param: 'url',
      next: preset
        ? `Give yours with --url ${preset.urlForm}`
        : 'Give its base with --url, such as http://127.0.0.1:8000/v1, or choose a preset: wattmill engines presets',
    })
  return url
}

/**
 * How it is spoken to. OpenAI's own habits are only for OpenAI: `openai` with another URL has always meant any engine with that API.
 */
export function presetFor(vendor: string | undefined, url: string, keyFrom: string | undefined): Preset {
  const preset = (vendor !== undefined && findPreset(vendor)) || unknownEngine
  const isOwn = preset.url !== null && URL.parse(url)?.origin === URL.parse(preset.url)?.origin
  if (preset.id === 'openai' && !isOwn) return unknownEngine
  if (preset.key.needed && (isOwn || preset.url === null) && keyFrom === undefined)
    throw new ControlError('invalid_value', `${preset.title} wants a key`, {
      param: 'key_from',
      next: `Set ${preset.key.env} where the factory runs, and add --key-env ${preset.key.env}`,
    })
  return preset
}

/** The models asked for, each of which the engine must have; all it has when none was asked for. */
export function chosen(
  asked: Record<string, string> | undefined,
  found: readonly string[],
  { lists, title }: Pick<Preset, 'lists' | 'title'>,
): Record<string, string> {
  const isAsked = asked !== undefined && Object.keys(asked).length > 0
  if (lists === 'catalogue') {
    if (isAsked) return asked
    throw new ControlError('invalid_value', `${title} does not list what may be asked for`, {
      param: 'models',
      next: 'Name each with --model PUBLIC=UPSTREAM',
    })
  }
  if (found.length === 0)
    throw new ControlError('engine_bad_reply', 'the engine serves no model', {
      param: 'url',
      next: 'Load a model into it, then try again.',
    })
  if (!isAsked) {
    const unfit = found.find((model) => !isName(model))
    if (unfit !== undefined)
      throw new ControlError(
        'invalid_value',
        `the engine calls a model ${JSON.stringify(unfit.slice(0, 80))}, which is no name for a client`,
        { param: 'models', next: 'Name the models yourself with --model PUBLIC=UPSTREAM' },
      )
    return Object.fromEntries(found.map((model) => [model, model]))
  }
  for (const upstream of Object.values(asked))
    if (!found.includes(upstream))
      throw new ControlError('not_found', `the engine serves no ${upstream}${didYouMean(upstream, found)}`, {
        param: 'models',
        next: `It serves: ${found.slice(0, 20).join(', ')}`,
      })
  return asked
}
