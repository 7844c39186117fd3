/** The command line's process: `bin/wattmill.mjs` starts it on a Node that is new enough. */
import { run } from './program.ts'

await run(process.argv.slice(2))
