import type { Command } from 'commander'
import { fields } from '../print.ts'
import { does, show } from '../run.ts'
import { talk } from '../talk.ts'

export function restartCommands(program: Command): void {
  const restart = program.command('restart').description('replace processes without losing a request')
  does(
    restart
      .command('gateways')
      .description('one after the other, with the limits and the certificate that wattmill.yaml names now'),
    async (factory, options) => {
      if (factory.running) talk('Each gateway first finishes what it has begun; that may take half a minute.')
      show(await factory.json('POST', '/api/gateways/restart'), options, fields)
      return undefined
    },
  )
}
