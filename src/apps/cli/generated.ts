/**
 * Writes the files that are made from tables in the source: `npm run docs`. That each is up to date is a test.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { dashboard } from '../../adapters/prometheus/dashboard.ts'
import { metricsPage } from '../../adapters/prometheus/page.ts'
import { configSchema } from '../up/schema.ts'
import { apiPage } from './api-page.ts'
import { cliPage } from './cli-page.ts'
import { configPage } from './config-page.ts'
import { errorsPage } from './errors-page.ts'

interface Generated {
  /** Below the repository's root. */
  readonly file: string
  readonly make: () => string
}

/** As the formatter has it: a list of words is one line where it fits. */
const json = (value: object): string =>
  `${JSON.stringify(value, null, 2)}\n`.replace(
    /^(.*)\[\n([^[\]{}]*?)\n *\](,?)$/gm,
    (whole, before: string, words: string, after: string) => {
      const line = `${before}[${words.trim().replace(/\n +/g, ' ')}]${after}`
      return line.length <= 120 ? line : whole
    },
  )

export const generated: readonly Generated[] = [
  { file: 'docs/errors.md', make: errorsPage },
  { file: 'docs/api.md', make: apiPage },
  { file: 'docs/cli.md', make: cliPage },
  { file: 'docs/config.md', make: configPage },
  { file: 'docs/wattmill.schema.json', make: () => json(configSchema()) },
  { file: 'docs/metrics.md', make: metricsPage },
  { file: 'examples/grafana/wattmill.json', make: () => json(dashboard()) },
]

/** Beside `src` in a clone. */
export const root = join(import.meta.dirname, '..', '..', '..')

if (import.meta.main)
  for (const { file, make } of generated) {
    mkdirSync(dirname(join(root, file)), { recursive: true })
    writeFileSync(join(root, file), make())
    console.error(`wrote ${file}`)
  }
