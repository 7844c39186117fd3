import type { Command } from 'commander'
import { fields, type Row } from '../print.ts'
import { does, path, show } from '../run.ts'
import { again, mapping, whole } from '../values.ts'
import { presetsCommand } from './presets.ts'
import { probeCommand } from './probe.ts'

interface Engine {
  readonly name: string
  readonly vendor: string
  readonly url: string | null
  readonly chips: string | null
  readonly site: string
  readonly cost_per_hour_usd: string | null
  readonly meters: readonly string[]
  readonly concurrency: number
  readonly draining: boolean
  readonly up: boolean | null
  readonly running: number
  readonly models: Readonly<Record<string, string>>
}

interface Add {
  readonly url?: string
  readonly preset?: string
  readonly vendor?: string
  readonly keyEnv?: string
  readonly keyFrom?: string
  readonly concurrency?: number
  readonly chips?: string
  readonly site?: string
  readonly costPerHour?: string
  readonly meter?: string[]
  readonly metricsUrl?: string
  readonly model?: Record<string, string>
}

export function engineCommands(program: Command): void {
  const engines = program.command('engines').description('engines: what serves the models')

  does<Add>(
    engines
      .command('add')
      .description('add an engine with the API of OpenAI or of Anthropic; it is asked for its models first')
      .argument('<name>')
      .option('--url <url>', 'base of its API, such as http://127.0.0.1:8000/v1 (default: that of the preset)')
      .option(
        '--preset <preset>',
        'which engine or hosted API it is, as `wattmill engines presets` lists them (default: found out)',
      )
      .option('--vendor <preset>', 'the same as --preset')
      .option('--key-env <name>', 'environment variable of the factory that holds its key')
      .option('--key-from <where>', 'env:NAME or file:PATH; the key itself is never stored')
      .option('--concurrency <n>', 'requests at once (default: 64)', whole)
      .option('--chips <chip:n>', 'what it runs on, such as h200:8')
      .option('--site <name>', 'where it stands, such as eu-north (default: main)')
      .option('--cost-per-hour <usd>', 'US dollars per hour for all of it, such as 24')
      .option(
        '--meter <meter>',
        'dcgm:URL#UUID,…  dcgm:URL#UUID@CHIP/PROFILE:INSTANCE  prom:QUERY  prom:URL#joules/15s=QUERY  redfish:URL#env:NAME  csv:PATH#time=COLUMN,kwh=COLUMN  nvidia-smi:UUID,…  watts:IDLE,FULL; again for more',
        again,
      )
      .option('--metrics-url <url>', 'its page of metrics (default: found out)')
      .option(
        '--model <public=upstream>',
        'a model to serve, under a name of yours; again for more (default: all it has)',
        mapping,
      ),
    async (factory, { url, preset, vendor, keyEnv, keyFrom, concurrency, model, ...options }, name) => {
      const { chips, site, costPerHour, meter, metricsUrl } = options
      const engine = await factory.json('POST', '/api/engines', {
        name,
        url,
        vendor: preset ?? vendor,
        key_from: keyFrom ?? (keyEnv === undefined ? undefined : `env:${keyEnv}`),
        concurrency,
        chips,
        site,
        cost_per_hour: costPerHour,
        meters: meter,
        metrics_url: metricsUrl,
        models: model,
      })
      show(engine, options, (added: Engine) => fields(row(added)))
      return undefined
    },
  )

  does(engines.command('list').description('list engines and what they serve'), async (factory, options) => {
    show(await factory.json('GET', '/api/engines'), options, ({ engines }: { engines: Engine[] }) => engines.map(row))
    return undefined
  })

  probeCommand(engines)
  presetsCommand(engines)

  does<{ undo?: boolean }>(
    engines
      .command('drain')
      .description('take an engine out of routing; requests under way end in peace')
      .argument('<name>')
      .option('--undo', 'put it back'),
    async (factory, { undo, ...options }, name = '') => {
      const engine = await factory.json('POST', path`/api/engines/${name}/drain`, { undo })
      show(engine, options, (drained: Engine) => fields(row(drained)))
      return undefined
    },
  )

  does(
    engines
      .command('site')
      .description('say where an engine stands from now on; what it answered and cost until now stays where it was')
      .argument('<name>')
      .argument('<site>', 'such as eu-north'),
    async (factory, options, name = '', site = '') => {
      const engine = await factory.json('POST', path`/api/engines/${name}/site`, { site })
      show(engine, options, (moved: Engine) => fields(row(moved)))
      return undefined
    },
  )

  does(
    engines
      .command('cost')
      .description('declare what an engine costs per hour from now on')
      .argument('<name>')
      .argument('<usd>', 'US dollars per hour for all of it, such as 24; 0 takes it back'),
    async (factory, options, name = '', usd = '') => {
      const engine = await factory.json('POST', path`/api/engines/${name}/cost`, { per_hour: usd })
      show(engine, options, (costed: Engine) => fields(row(costed)))
      return undefined
    },
  )

  does(
    engines.command('remove').description('remove an engine; requests under way end in peace').argument('<name>'),
    async (factory, options, name = '') => {
      show(await factory.json('DELETE', path`/api/engines/${name}`), options, ({ published: _, ...gone }: Row) =>
        fields(gone),
      )
      return undefined
    },
  )
}

const row = (engine: Engine) => ({
  name: engine.name,
  state: engine.draining ? 'draining' : engine.up === null ? 'unknown' : engine.up ? 'up' : 'down',
  vendor: engine.vendor,
  running: `${engine.running}/${engine.concurrency}`,
  chips: engine.chips,
  site: engine.site,
  usd_per_hour: engine.cost_per_hour_usd,
  meters: engine.meters,
  url: engine.url ?? '(embedded)',
  models: Object.entries(engine.models).map(([name, upstream]) => (name === upstream ? name : `${name}=${upstream}`)),
})
