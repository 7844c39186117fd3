import { type Setting, settings } from '../up/settings.ts'

const row = (...cells: readonly string[]): string =>
  `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
const code = (text: string): string => `\`${text}\``

/** docs/config.md, from the table of settings. */
export function configPage(): string {
  return [
    '# wattmill.yaml',
    '',
    'Made by `npm run docs` from the table of settings; do not edit by hand.',
    '',
    '`wattmill up` reads `wattmill.yaml` of the current folder, or the file that `--config` names. Flags outrank it. An unknown',
    'name is an error, with the nearest known one. Secrets do not belong into it: engines name theirs by `env:` or `file:`.',
    '',
    'For editors: `wattmill config schema > wattmill.schema.json`, and as the first line of the file',
    '',
    '```yaml',
    '# yaml-language-server: $schema=./wattmill.schema.json',
    '```',
    '',
    '`wattmill config validate` tells every mistake with its line and column; `wattmill config explain PATH` what a setting',
    'means and what is in force. An example is in [examples/wattmill.yaml](../examples/wattmill.yaml).',
    '',
    row('setting', 'type', 'usual', 'bounds', 'why'),
    row('---', '---', '---', '---', '---'),
    ...Object.entries(settings).map(([path, setting]: [string, Setting]) =>
      row(code(path), setting.kind, usualText(setting), boundsText(setting), setting.why),
    ),
    '',
  ].join('\n')
}

function usualText(setting: Setting): string {
  if ('usualIs' in setting && setting.usualIs !== undefined) return setting.usualIs
  if (setting.usual === '' || (Array.isArray(setting.usual) && setting.usual.length === 0)) return 'none'
  return code(String(setting.usual))
}

const boundsText = (setting: Setting): string => ('min' in setting ? `${setting.min} to ${setting.max}` : '')
