import { Command, CommanderError } from 'commander'
import { version } from '../operator/version.ts'
import { adminCommands } from './commands/admins.ts'
import { appCommands } from './commands/apps.ts'
import { batchCommands } from './commands/batches.ts'
import { bookCommands } from './commands/books.ts'
import { budgetCommands } from './commands/budgets.ts'
import { capCommands } from './commands/cap.ts'
import { chipCommands } from './commands/chips.ts'
import { completionCommand } from './commands/completion.ts'
import { configCommands } from './commands/config.ts'
import { costCommands } from './commands/costs.ts'
import { creditCommands } from './commands/credits.ts'
import { doctorCommand } from './commands/doctor.ts'
import { engineCommands } from './commands/engines.ts'
import { explainCommand } from './commands/explain.ts'
import { homeCommands } from './commands/homes.ts'
import { keyCommands } from './commands/keys.ts'
import { meterCommands } from './commands/meters.ts'
import { modelCommands } from './commands/models.ts'
import { noticeCommands } from './commands/notices.ts'
import { placeCommands } from './commands/place.ts'
import { priceCommands } from './commands/prices.ts'
import { railCommands } from './commands/rails.ts'
import { rateCommands } from './commands/rates.ts'
import { restartCommands } from './commands/restart.ts'
import { statusCommands } from './commands/status.ts'
import { storeCommands } from './commands/store.ts'
import { tenantCommands } from './commands/tenants.ts'
import { termsCommands } from './commands/terms.ts'
import { topCommand } from './commands/top.ts'
import { twinCommands } from './commands/twin.ts'
import { upCommand } from './commands/up.ts'
import { exitCodes } from './exit.ts'
import { complain } from './talk.ts'

/** The whole command line. */
export function program(): Command {
  const root = new Command('wattmill')
    .description('Watts and data in; tokens, models and decisions out; books that add up.')
    .version(version)
    .option('--home <dir>', 'the folder of the factory (or WATTMILL_HOME)', process.env.WATTMILL_HOME ?? '.wattmill')
    .option('-o, --format <format>', 'json, yaml or table', 'table')
    .addHelpText(
      'after',
      `\nExit codes:\n${Object.values(exitCodes)
        .map(({ code, means }) => `  ${code}  ${means}`)
        .join('\n')}`,
    )
  upCommand(root)
  statusCommands(root)
  topCommand(root)
  explainCommand(root)
  doctorCommand(root)
  restartCommands(root)
  keyCommands(root)
  adminCommands(root)
  appCommands(root)
  homeCommands(root)
  tenantCommands(root)
  engineCommands(root)
  meterCommands(root)
  modelCommands(root)
  priceCommands(root)
  rateCommands(root)
  creditCommands(root)
  termsCommands(root)
  costCommands(root)
  budgetCommands(root)
  railCommands(root)
  capCommands(root)
  noticeCommands(root)
  bookCommands(root)
  storeCommands(root)
  batchCommands(root)
  twinCommands(root)
  placeCommands(root)
  chipCommands(root)
  configCommands(root)
  completionCommand(root)
  prepare(root)
  return root
}

/** All commands alike: global options in each help, errors as ours are. */
function prepare(command: Command): void {
  command
    .exitOverride()
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({ outputError: () => undefined })
  for (const below of command.commands) prepare(below)
}

/** Runs one command line; sets the exit code. */
export async function run(args: readonly string[]): Promise<void> {
  const root = program()
  try {
    await root.parseAsync([...args], { from: 'user' })
  } catch (cause) {
    if (!(cause instanceof CommanderError)) throw cause
    process.exitCode = usage(root, args, cause)
  }
}

function usage(root: Command, args: readonly string[], { code, exitCode, message }: CommanderError): number {
  if (exitCode === 0) return exitCodes.ok.code
  const place = placeOf(root, args)
  if (code === 'commander.help') return exitCodes.usage.code // the help was printed, since no command was given
  complain(
    message.replace(/^error: /, '').replace(/\n\(Did you mean (.*)\?\)/s, '; did you mean $1?'),
    `${place} --help`,
  )
  return exitCodes.usage.code
}

/** The command that was meant, as far as its words are known. */
function placeOf(root: Command, args: readonly string[]): string {
  let at = root
  let words = 'wattmill'
  for (const word of args) {
    const below = at.commands.find((command) => command.name() === word)
    if (!below) continue
    at = below
    words += ` ${word}`
  }
  return words
}
