import { type ChildProcess, fork } from 'node:child_process'
import cluster from 'node:cluster'
import { extname, join } from 'node:path'
import { clockEnvironment } from '../../adapters/clock/clock.ts'
import type { Home } from '../../adapters/files/home.ts'
import type { Config } from './settings.ts'

export interface ModelArgument {
  readonly name: string
  readonly path: string
}

/** `.ts` in a clone, `.js` in a package. */
const main = (app: string): string => join(import.meta.dirname, '..', app, `main${extname(import.meta.filename)}`)

/**
 * Own process groups, so that Ctrl-C of the terminal reaches the launcher alone and the order of stopping is its own. On
 * Windows a detached child would open a window.
 */
const apart = process.platform !== 'win32'

const start = (app: string, args: string[], env: NodeJS.ProcessEnv = {}): ChildProcess =>
  fork(main(app), args, {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    detached: apart,
    env: { ...process.env, ...clockEnvironment(), ...env },
  })

export function forkOperator(home: Home, config: Config, url: string, console: string): ChildProcess {
  const { gateways, engine, site, power, prometheusUrl, otlp, room, store, engineLogDays, detailDays } = config
  const { host, certificate } = config
  const listening = { host, certificate }
  const kept = { store, room, engineLogDays, detailDays }
  const settings = {
    gateways,
    slots: engine.slots,
    site,
    ...power,
    url,
    listening,
    console,
    prometheusUrl,
    otlp,
    ...kept,
  }
  return start('operator', ['--home', home.root], { WATTMILL_OPERATOR: JSON.stringify(settings) })
}

export function forkEngine(home: Home, { engine }: Config, models: readonly ModelArgument[]): ChildProcess {
  const numbers = Object.entries(engine).flatMap(([name, value]) => [`--${name}`, String(value)])
  const files = models.flatMap(({ name, path }) => ['--model', `${name}=${path}`])
  return start('engine', ['--home', home.root, '--socket', home.engineSocket, ...numbers, ...files])
}

/** Gateways are cluster workers: they share the one port, which this process holds for them. */
export function forkGateway(home: Home, config: Config, port: number, slot: number): ChildProcess {
  const { host, certificate, trustedProxies } = config
  const args = ['--home', home.root, '--slot', String(slot), '--port', String(port), '--host', host]
  if (certificate) args.push('--tls-cert', certificate.cert, '--tls-key', certificate.key)
  for (const network of trustedProxies) args.push('--trusted-proxy', network)
  // The kernel gives each connection to a gateway. Handed out by this process instead (Node's default), one that is on its
  // way to a gateway that is killed at that moment stays open for ever, with nobody behind it.
  cluster.schedulingPolicy = cluster.SCHED_NONE
  cluster.setupPrimary({ exec: main('gateway'), args, silent: true })
  return cluster.fork({ ...clockEnvironment(), WATTMILL_GATEWAY: JSON.stringify(config.gateway) }).process
}
