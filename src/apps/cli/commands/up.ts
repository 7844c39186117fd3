import type { Command } from 'commander'
import { up } from '../../up/main.ts'
import { settings, usualPort } from '../../up/settings.ts'
import { type Common, guarded } from '../run.ts'
import { whole } from '../values.ts'

interface Options extends Common {
  readonly store?: string
  readonly port?: number
  readonly host?: string
  readonly config?: string
  readonly gateways?: number
  readonly tlsCert?: string
  readonly tlsKey?: string
  readonly trustedProxy?: readonly string[]
}

export function upCommand(program: Command): void {
  const command = program
    .command('up')
    .description('start the factory, and stay until Ctrl-C')
    .option('--port <n>', `one port for /v1, /api and the console; 0: any free one (default: ${usualPort})`, whole)
    .option('--store <address>', 'postgres://USER@HOST:PORT/DATABASE for registry and books (or WATTMILL_STORE)')
    .option('--host <address>', `address to listen on (default: ${settings.host.usual}, this machine only)`)
    .option('--config <file>', 'settings (default: wattmill.yaml, if it is here)')
    .option('--gateways <n>', 'gateway processes (default: 1)', whole)
    .option('--tls-cert <file>', 'PEM certificate chain: speak TLS; renewals are taken up by themselves')
    .option('--tls-key <file>', 'its PEM key, without a passphrase')
    .option('--trusted-proxy <network...>', 'whose x-forwarded-for is believed, such as 10.0.0.0/8')
  command.action(async () => {
    await guarded(() => up(given(command.optsWithGlobals<Options>())))
    // Whatever still waits in this process, the factory has ended, or did not begin.
    process.exit()
  })
}

const given = ({
  home,
  store = process.env.WATTMILL_STORE,
  port,
  host,
  config,
  gateways,
  tlsCert,
  tlsKey,
  trustedProxy,
}: Options) => ({
  home,
  ...(store !== undefined && { store }),
  ...(port !== undefined && { port }),
  ...(host !== undefined && { host }),
  ...(gateways !== undefined && { gateways }),
  ...(tlsCert !== undefined && { 'tls.cert': tlsCert }),
  ...(tlsKey !== undefined && { 'tls.key': tlsKey }),
  ...(trustedProxy !== undefined && { trusted_proxies: trustedProxy }),
  ...(config !== undefined && { config }),
})
