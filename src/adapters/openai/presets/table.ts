import { hosted } from './hosted.ts'
import { type Preset, plain } from './preset.ts'
import { selfHosted } from './self-hosted.ts'

/** Raised when a preset is added, changed or dropped. */
export const presetsVersion = 2

export const presets: readonly Preset[] = [...hosted, ...selfHosted]

/** What may be said to choose one: its own names. */
export const presetNames: readonly string[] = presets.flatMap(({ id, aka }) => (aka ? [id, aka] : [id]))

export const findPreset = (name: string): Preset | undefined =>
  presets.find(({ id, aka }) => id === name || aka === name)

/** For an engine of which nobody said what it is: OpenAI's habits, and no expectation. */
export const unknownEngine: Preset = {
  ...plain,
  id: 'unknown',
  title: 'an engine with the API of OpenAI',
  hosted: false,
  url: null,
  key: { header: 'authorization', needed: false, env: null },
  does: {},
  sources: [],
}

/** How an engine is spoken to, by what is stored of it; whoever is unknown is spoken to as OpenAI's API says. */
export const presetOf = (product: string | null | undefined): Preset =>
  (product && findPreset(product)) || unknownEngine
