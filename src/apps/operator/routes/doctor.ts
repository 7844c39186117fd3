import { statfsSync, statSync } from 'node:fs'
import type { MeterHealth } from '../../../adapters/sqlite/attribution.ts'
import { meterHealth } from '../../../adapters/sqlite/attribution.ts'
import { all } from '../../../adapters/sqlite/registry/change.ts'
import { listEngines, servedModels } from '../../../adapters/sqlite/registry/engines.ts'
import { listModelFiles } from '../../../adapters/sqlite/registry/models.ts'
import { pricesInForce } from '../../../adapters/sqlite/registry/prices.ts'
import type { Factory } from '../factory.ts'
import { type Route, route } from '../router.ts'

/** One thing that was looked at. `fix` is a command or a deed, given where something is amiss. */
export interface Finding {
  readonly check: string
  readonly state: 'good' | 'warning' | 'bad'
  readonly found: string
  readonly fix?: string
}

/** Below a gigabyte a journal and a store fill up within days. */
const scarce_bytes = 1024 ** 3

export const doctorRoutes: readonly Route[] = [
  route({
    method: 'GET',
    path: '/api/doctor',
    about: 'What is well and what is not, each with its fix',
    run: (factory) => ({ findings: [...processes(factory), ...files(factory), ...offer(factory), ...books(factory)] }),
  }),
]

const good = (check: string, found: string): Finding => ({ check, state: 'good', found })

function processes(factory: Factory): Finding[] {
  const { live } = factory
  if (!live) return [{ check: 'factory', state: 'warning', found: 'stopped', fix: 'wattmill up' }]
  const gateways = live.gateways.list()
  const deaf = gateways.filter((gateway) => !gateway.journal_up)
  return [
    gateways.length > 0
      ? good('gateways', `${gateways.length} answer, ${gateways.filter((gateway) => gateway.ready).length} ready`)
      : { check: 'gateways', state: 'bad', found: 'none answers', fix: 'See the output of wattmill up.' },
    ...(deaf.length > 0
      ? [
          {
            check: 'journal',
            state: 'bad',
            found: `${deaf.length} gateways cannot write their journal`,
            fix: 'Free disk space; they go on by themselves.',
          } as const,
        ]
      : []),
    live.engine.status()
      ? good('engine host', 'answers')
      : {
          check: 'engine host',
          state: 'bad',
          found: 'does not answer',
          fix: 'See the output of wattmill up; node-llama-cpp may lack a build for this machine.',
        },
  ]
}

function files({ home }: Factory): Finding[] {
  const disk = statfsSync(home.root)
  const free = disk.bavail * disk.bsize
  const room = `${(free / 1024 ** 3).toFixed(1)} GiB free at ${home.root}`
  const secret = statSync(home.adminKey, { throwIfNoEntry: false })
  const open = secret && process.platform !== 'win32' && (secret.mode & 0o077) !== 0
  return [
    free > scarce_bytes
      ? good('disk', room)
      : { check: 'disk', state: 'warning', found: room, fix: 'Free some space.' },
    !secret
      ? { check: 'admin key', state: 'warning', found: 'missing', fix: 'It is made at the next `wattmill up`.' }
      : open
        ? { check: 'admin key', state: 'bad', found: 'others may read it', fix: `chmod 600 ${home.adminKey}` }
        : good('admin key', home.adminKey),
  ]
}

function offer({ store, now, live }: Factory): Finding[] {
  const served = [...servedModels(store).keys()]
  const priced = new Set(pricesInForce(store, now()).map((price) => String(price.model)))
  const free = served.filter((model) => !priced.has(model))
  const gone = listModelFiles(store).filter((file) => !statSync(file.path, { throwIfNoEntry: false }))
  const failed = live?.engine.status()?.models.filter((model) => model.state === 'failed') ?? []
  const dry = listEngines(store).filter((engine) => engine.draining)
  return [
    served.length > 0
      ? good('models', served.slice(0, 20).join(', '))
      : { check: 'models', state: 'warning', found: 'none', fix: 'wattmill models add FILE.gguf' },
    ...free.map(
      (model): Finding => ({
        check: 'price',
        state: 'warning',
        found: `${model} has none: it is booked at 0`,
        fix: `wattmill prices set ${model} --input 0.05 --output 0.20`,
      }),
    ),
    ...gone.map(
      (file): Finding => ({
        check: 'model file',
        state: 'bad',
        found: `${file.path} is gone`,
        fix: `wattmill models remove ${file.name}`,
      }),
    ),
    ...failed.map(
      (model): Finding => ({
        check: 'model',
        state: 'bad',
        found: `${model.model}: ${model.error ?? 'not loaded'}`,
        fix: `wattmill models load ${model.model}   (or: wattmill models remove ${model.model})`,
      }),
    ),
    ...dry.map(
      (engine): Finding => ({
        check: 'engine',
        state: 'warning',
        found: `${engine.name} is draining`,
        fix: `wattmill engines drain ${engine.name} --undo`,
      }),
    ),
  ]
}

function books({ store, live }: Factory): Finding[] {
  const quarantined = Number(all<{ n: number }>(store, 'select count(*) as n from quarantine')[0]?.n ?? 0)
  return [
    quarantined === 0
      ? good('quarantine', 'empty')
      : {
          check: 'quarantine',
          state: 'bad',
          found: `${quarantined} rows contradict what is booked`,
          fix: 'wattmill books check',
        },
    ...(live?.keeper.meters().names ?? []).map((meter) => attribution(meterHealth(store, meter))),
  ]
}

const attribution = ({ meter, state, residual_factor }: MeterHealth): Finding => {
  const times = `${meter} counts ${residual_factor} × what the engine's steps explain`
  switch (state) {
    case 'drifted':
      return {
        check: 'attribution',
        state: 'warning',
        found: `${times}: the shares add up, and may be unfair`,
        fix: 'Look for other work on what it measures; what a step costs is learned anew while the engine is busy.',
      }
    case 'other work':
      return good('attribution', `${times}: other work of this machine is in it`)
    case 'good':
      return good('attribution', `${meter}: factor ${residual_factor}`)
    case 'not learned yet':
      return good('attribution', `${meter}: ${state}, shared by tokens`)
  }
}
