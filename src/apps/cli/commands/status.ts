import type { Command } from 'commander'
import { type Backlog, backlogText } from '../../../books/backlog.ts'
import { type Room, roomText } from '../../../books/room.ts'
import type { EngineNow, EnginesNow } from '../../operator/engines-now.ts'
import { exitCodes } from '../exit.ts'
import { fields, type Row, table } from '../print.ts'
import { does, show } from '../run.ts'
import { talk } from '../talk.ts'
import { short } from '../top-view.ts'

export function statusCommands(program: Command): void {
  const command = program
    .command('status')
    .description('the factory at a glance')
    .option('--ready', 'exit with 5 also while it runs and no gateway is ready: for health checks')
  does<{ readonly ready?: boolean }>(command, async (factory, options) => {
    const status = (await factory.json('GET', '/api/status')) as Status
    show(status, options, glance)
    if (!factory.running) talk('The factory is stopped. Next: wattmill up')
    const up = options.ready ? status.gateways.some((gateway) => gateway.ready) : factory.running
    return up ? exitCodes.ok.code : exitCodes.unreachable.code
  })
}

interface Status extends Row {
  readonly gateways: readonly { readonly ready: boolean; readonly running: number; readonly waiting: number }[]
  readonly engine_host: {
    readonly up: boolean
    readonly models?: readonly { readonly model: string; readonly state: string }[]
    readonly memory?: { readonly budget: number; readonly used: number }
  }
  readonly homes: readonly {
    readonly number: number
    readonly host: string
    readonly gateways: number
    readonly stopped: boolean
    readonly abandoned: boolean
    readonly age_ms: number
  }[]
  readonly backlog: Backlog | null
  readonly books_lag: { readonly behind_s: number; readonly energy_behind_s: number } | null
  readonly journal_room: Room | null
  readonly meters: { readonly names: readonly string[]; readonly note: string } | null
  readonly economics: EnginesNow | null
}

const glance = ({
  gateways,
  homes,
  engine_host,
  backlog,
  books_lag,
  journal_room,
  meters,
  economics,
  ...status
}: Status): string[] => [
  ...fields({
    ...status,
    ...(meters && { meters: meters.names, energy: meters.note }),
    gateways: `${gateways.length}, ${gateways.filter((gateway) => gateway.ready).length} ready`,
    books_stopped: backlog ? backlogText(backlog) : undefined,
    next: backlog?.next,
    homes: homes.length > 1 ? homes.map(homeText) : undefined,
    running:
      gateways.length > 0
        ? `${gateways.reduce((sum, gateway) => sum + gateway.running, 0)} requests, ${gateways.reduce((sum, gateway) => sum + gateway.waiting, 0)} waiting`
        : status.running,
    embedded_engine: engine_host.up
      ? (engine_host.models ?? []).map((model) => `${model.model} ${model.state}`)
      : 'down',
    books_behind: books_lag ? `${books_lag.behind_s} s, energy ${books_lag.energy_behind_s} s` : undefined,
    journal_room: journal_room ? `${journal_room.state}: ${roomText(journal_room)}` : undefined,
    engine_memory: engine_host.memory
      ? `${mebibytes(engine_host.memory.used)} of ${mebibytes(engine_host.memory.budget)} MiB (estimated)`
      : undefined,
  }),
  ...(economics ? ['', ...table(economics.engines.map(economicsRow))] : []),
]

const homeText = ({ number, host, gateways, stopped, abandoned, age_ms }: Status['homes'][number]): string => {
  const seen = `last seen ${Math.ceil(age_ms / 1000)} s ago`
  return `${number} on ${host}: ${stopped ? 'stopped' : `${abandoned ? 'given up' : `${gateways} gateways`}, ${seen}`}`
}

const economicsRow = (engine: EngineNow): Row => ({
  'last 5 minutes': engine.engine,
  'tok/s out': short(engine.output_tokens_per_s),
  '$/M tok': short(engine.usd_per_mtoken.all),
  '$/M out': short(engine.usd_per_mtoken.output),
  'J/tok': short(engine.j_per_token.all),
  'J/out': short(engine.j_per_token.output),
  W: short(engine.power_w),
  energy: engine.energy_grade,
})

const mebibytes = (bytes: number): number => Math.ceil(bytes / 1024 / 1024)
