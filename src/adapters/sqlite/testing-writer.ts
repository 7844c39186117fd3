/** A gateway that only journals, for the tests that kill it: prints the id of each row once it was told that it is durable. */
import { writeSync } from 'node:fs'
import type { Incarnation } from '../../units/ids.ts'
import { openJournal } from './journal.ts'
import { openRow } from './testing.ts'

const [directory = '', incarnation = ''] = process.argv.slice(2)
const journal = openJournal({ directory, incarnation: incarnation as Incarnation, onState: () => process.exit(1) })
let number = 0

/** Through a pipe that may be full: whoever reads it is slower than we are. */
function say(line: string): void {
  for (;;) {
    try {
      return void writeSync(1, line)
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== 'EAGAIN') throw cause
    }
  }
}

setInterval(() => {
  for (let n = 0; n < 20; n++) {
    const row = openRow(number++, {}, incarnation as Incarnation)
    journal.append(row, (durable) => durable && say(`${row.id}\n`))
  }
}, 1)
