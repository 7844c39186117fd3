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
    '## Costs',
    '',
    '`costs:` is a list of what `wattmill costs set` takes (docs/cli.md), each with its `kind`; a curve may lie in a `file` beside it.',
    '`wattmill up`, SIGHUP to it, and `wattmill config apply` put it into force: what is new or was changed holds from now on, never from',
    'before (a demand charge that is changed or ends, from the next month); what the file does not state any more ends; the same file again',
    'changes nothing. What was set by hand and is not in the file stays. A file without `costs:` touches none of them; `costs: []` ends all',
    'that it stated. A cost of an engine that is not there yet waits for it, and is told so.',
    '',
    '```yaml',
    'costs:',
    '  - {kind: capacity, name: h100, capex_usd: 250000, years: 5, rate: 0.08}',
    '  - {kind: staff, name: ops, per_month: 9000}',
    '  - {kind: tariff, value: 0.11, rules: [{hours: [22, 6], value: 0.07}]}',
    '  - {kind: list, name: openai, model: gpt-x, input: 1.25, output: 10}',
    '```',
    '',
    '## Settings',
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
