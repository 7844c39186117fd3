import type { Command } from 'commander'
import { Field } from '../../../units/field.ts'
import { yamlFile } from '../../operator/yaml-file.ts'
import { fields } from '../print.ts'
import { does, path, show } from '../run.ts'

interface Rail {
  readonly name: string
  readonly scope: string
  readonly of: string
  readonly input: Rules | null
  readonly output: (Rules & { readonly schema?: unknown }) | null
}

interface Rules {
  readonly words?: readonly string[]
  readonly patterns?: readonly string[]
  readonly most_bytes?: number
}

export function railCommands(program: Command): void {
  const rails = program.command('rails').description('guard rails: what prompts and answers must be')

  does<{ file: string; tenant?: string; app?: string; model?: string }>(
    rails
      .command('set')
      .description('set a guard rail from a file; setting it again replaces it')
      .argument('<name>', 'how answers and the log of changes call it')
      .requiredOption('--file <file>', 'YAML or JSON with `input` and `output` (examples/rails.yaml)')
      .option('--tenant <name>', 'only for a tenant')
      .option('--app <name>', 'only for an application: TENANT/APPLICATION')
      .option('--model <name>', 'only for who asks for a model'),
    async (factory, { file, tenant, app, model, ...options }, name = '') => {
      const rules = yamlFile(file, rulesOf, 'a good one: examples/rails.yaml')
      const set = await factory.json('POST', '/api/rails', { ...rules, name, tenant, app, model })
      show(set, options, (rail: Rail) => fields(row(rail)))
      return undefined
    },
  )

  does(rails.command('list').description('list guard rails and whom they bind'), async (factory, options) => {
    show(await factory.json('GET', '/api/rails'), options, ({ rails }: { rails: Rail[] }) => rails.map(row))
    return undefined
  })

  does(
    rails.command('remove').description('take a guard rail away').argument('<name>', 'its name'),
    async (factory, options, name = '') => {
      show(await factory.json('DELETE', path`/api/rails/${name}`), options, (rail: Rail) => fields(row(rail)))
      return undefined
    },
  )
}

/** The operator judges what is in them; here only that the file has nothing else. */
function rulesOf(value: unknown) {
  const file = new Field(value)
  const rules = { input: file.any('input'), output: file.any('output') }
  file.done()
  return rules
}

const row = ({ name, scope, of, input, output }: Rail) => ({
  name,
  binds: scope === 'factory' ? 'everybody' : `${scope} ${of}`,
  input: words(input),
  output: words(output),
})

function words(rules: Rail['output']): string {
  if (!rules) return '-'
  const { words = [], patterns = [], most_bytes, schema } = rules
  const said = [
    words.length > 0 && `${words.length} words`,
    patterns.length > 0 && `${patterns.length} patterns`,
    most_bytes !== undefined && `at most ${most_bytes} bytes`,
    schema !== undefined && 'a schema',
  ]
  return said.filter((one) => one !== false).join(', ')
}
