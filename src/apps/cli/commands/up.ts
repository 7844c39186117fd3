import type { Command } from 'commander'
import { up } from '../../up/main.ts'
import { settings, usualPort } from '../../up/settings.ts'
import { type Common, guarded } from '../run.ts'
import { whole } from '../values.ts'

interface Options extends Common {
  readonly port?: number
  readonly host?: string
  readonly config?: string
  readonly gateways?: number
}

export function upCommand(program: Command): void {
  const command = program
    .command('up')
    .description('start the factory, and stay until Ctrl-C')
    .option('--port <n>', `one port for /v1, /api and the console; 0: any free one (default: ${usualPort})`, whole)
    .option('--host <address>', `address to listen on (default: ${settings.host.usual}, this machine only)`)
    .option('--config <file>', 'settings (default: wattmill.yaml, if it is here)')
    .option('--gateways <n>', 'gateway processes (default: 1)', whole)
  command.action(() =>
    guarded(async () => {
      const { home, port, host, config, gateways } = command.optsWithGlobals<Options>()
      const flags = {
        ...(port !== undefined && { port }),
        ...(host !== undefined && { host }),
        ...(gateways !== undefined && { gateways }),
      }
      const code = await up({ home, ...flags, ...(config !== undefined && { config }) })
      // Whatever still waits in this process, the factory has ended.
      process.exit(code)
    }),
  )
}
