import type { Command } from 'commander'
import { ControlError } from '../../operator/errors.ts'
import type { Reached } from '../../operator/reach.ts'
import { exitCodes } from '../exit.ts'
import { does, formatOf, show } from '../run.ts'
import { isScreen, live } from '../screen.ts'
import { complain } from '../talk.ts'
import { type Top, topLines } from '../top-view.ts'
import { seconds } from '../values.ts'

/** As often as gateways tell the operator. */
const usualSeconds = 1

export function topCommand(program: Command): void {
  does<{ every?: number; once?: boolean }>(
    program
      .command('top')
      .description('the factory live: tokens, dollars and joules by engine, and the requests under way; q quits')
      .option('--every <seconds>', `how often it looks (default: ${usualSeconds})`, seconds)
      .option('--once', 'one look, then end; so it is without a terminal and with -o json or yaml'),
    async (factory, { every = usualSeconds, once, ...options }) => {
      if (!factory.running) {
        complain('the factory is stopped: there is nothing to watch', 'wattmill up')
        return exitCodes.unreachable.code
      }
      if (once || formatOf(options.format) !== 'table' || !isScreen()) {
        show(await look(factory), options, topLines)
        return undefined
      }
      await live(() => page(factory), every * 1000)
      return undefined
    },
  )
}

const look = async (factory: Reached): Promise<Top> => {
  const get = (url: string): Promise<unknown> => factory.json('GET', url)
  const [status, floor, economics, listed, under] = await Promise.all(
    ['/api/status', '/api/floor', '/api/economics', '/api/engines', '/api/flows'].map(get),
  )
  const { engines } = listed as Pick<Top, 'engines'>
  const { flows } = under as Pick<Top, 'flows'>
  return { status, floor, economics, engines, flows } as Top
}

/** An operator that starts again is waited for: who watches wants to see it come back. */
async function page(factory: Reached): Promise<readonly string[]> {
  try {
    return topLines(await look(factory))
  } catch (cause) {
    if (!(cause instanceof ControlError) || cause.code !== 'factory_unreachable') throw cause
    return [`${cause.message}; trying again. Gateways go on serving. q quits.`]
  }
}
