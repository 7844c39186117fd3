/** What the command's exit code says; printed by `wattmill --help` and in docs/errors.md. */
export const exitCodes = {
  ok: { code: 0, means: 'done' },
  failed: { code: 1, means: 'failed for a reason of its own, or `doctor` found something bad' },
  usage: { code: 2, means: 'the command line, a value or the configuration is wrong' },
  not_found: { code: 3, means: 'what was named does not exist' },
  refused: { code: 4, means: 'refused: a conflict, a file that is no model, an engine that does not answer' },
  unreachable: { code: 5, means: 'the factory is stopped or does not answer' },
  not_conserved: { code: 6, means: 'the books are not conserved, or the log of changes is not as it was written' },
  no_access: { code: 7, means: 'no permission, or the disk is full or broken' },
  interrupted: { code: 130, means: 'stopped with Ctrl-C; the same command goes on from there where it can' },
} as const
