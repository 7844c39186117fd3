import type { Command } from 'commander'
import { explainView } from '../explain-view.ts'
import { does, path, show } from '../run.ts'

export function explainCommand(program: Command): void {
  does(
    program
      .command('explain')
      .description('a request from its admission to the ledger; or a transfer or meter interval back to its request')
      .argument('<id>', 'x-request-id of an answer, id of a transfer, or METER/SEQUENCE'),
    async (factory, options, id = '') => {
      show(await factory.json('GET', path`/api/explain/${id}`), options, explainView)
      return undefined
    },
  )
}
