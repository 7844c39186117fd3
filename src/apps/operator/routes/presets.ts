import Type from 'typebox'
import { listPricesOf, pricesAsOf, pricesSource } from '../../../adapters/openai/presets/list-price.ts'
import type { Preset } from '../../../adapters/openai/presets/preset.ts'
import { findPreset, presetNames, presets, presetsVersion } from '../../../adapters/openai/presets/table.ts'
import { ControlError } from '../errors.ts'
import { didYouMean } from '../nearest.ts'
import { type Route, route } from '../router.ts'

export const presetRoutes: readonly Route[] = [
  route({
    method: 'GET',
    path: '/api/presets',
    role: 'viewer',
    about: 'Engines and hosted APIs that are known: address, key, what differs, sources',
    run: () => ({ version: presetsVersion, presets: presets.map(display) }),
  }),
  route({
    method: 'GET',
    path: '/api/presets/{name}',
    role: 'viewer',
    about: 'One preset, with the list prices of its models and their date',
    input: { name: Type.String() },
    run: (_, { name }) => {
      const preset = findPreset(name)
      if (!preset)
        throw new ControlError('not_found', `there is no preset ${name}${didYouMean(name, presetNames)}`, {
          param: 'name',
          next: 'wattmill engines presets',
        })
      return { ...display(preset), list_prices: pricesOf(preset) }
    },
  }),
]

const display = ({ id, aka, urlForm, metrics, statuses, does, ...preset }: Preset) => ({
  name: id,
  also: aka ?? null,
  title: preset.title,
  api: preset.api,
  hosted: preset.hosted,
  url: preset.url ?? urlForm ?? null,
  key: preset.key,
  metrics,
  renames: preset.request.rename,
  refuses: preset.request.refuses,
  usage: preset.usage,
  statuses,
  does,
  notes: preset.notes,
  sources: preset.sources,
})

function pricesOf({ id }: Preset) {
  const prices = listPricesOf(id)
  if (prices.size === 0) return null
  return {
    as_of: pricesAsOf,
    source: pricesSource,
    usd_per_million: Object.fromEntries(prices),
  }
}
