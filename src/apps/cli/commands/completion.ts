import type { Command } from 'commander'
import { ControlError } from '../../operator/errors.ts'
import { didYouMean } from '../../operator/nearest.ts'
import { completion, type Shell, shells } from '../completion.ts'
import { guarded } from '../run.ts'

export function completionCommand(program: Command): void {
  program
    .command('completion')
    .description(`a script that completes commands in your shell: ${shells.join(', ')}`)
    .argument('<shell>', 'bash: source <(wattmill completion bash)   fish: wattmill completion fish | source')
    .action((shell: string) =>
      guarded(async () => {
        if (!shells.some((each) => each === shell))
          throw new ControlError('invalid_value', `there is no completion for ${shell}${didYouMean(shell, shells)}`, {
            param: 'shell',
            next: `wattmill completion ${shells.join('|')}`,
          })
        process.stdout.write(completion(program, shell as Shell))
        return undefined
      }),
    )
}
