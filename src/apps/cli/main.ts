/** The command line's process: `bin/wattmill.mjs` starts it on a Node that is new enough. */
import { run } from './program.ts'

// What a factory writes is its owner's to read, also in a folder that was there before; its processes inherit this.
process.umask(0o077)
await run(process.argv.slice(2))
