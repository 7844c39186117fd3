import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openJournal } from '../../src/adapters/sqlite/journal.ts'
import { closeRow, gateway } from '../../src/adapters/sqlite/testing.ts'

/** Usage events a second that are durable when they are answered, with so many waiting for their commit at any time. */
export async function durableEvents(seconds: number, waiting: number): Promise<number> {
  const directory = mkdtempSync(join(tmpdir(), 'wattmill-bench-books-'))
  const onState = (state: string, why: string): void => {
    if (state === 'down') throw new Error(`the journal went down: ${why}`)
  }
  const journal = openJournal({ directory, incarnation: gateway, onState })
  const end = performance.now() + seconds * 1000
  let [sent, durable] = [0, 0]
  await new Promise<void>((done, fail) => {
    const next = (): void => {
      if (performance.now() >= end) return void (journal.depth === 0 && done())
      journal.append(closeRow(++sent), (good) => {
        if (!good) return fail(new Error('a row was not made durable'))
        durable++
        next()
      })
    }
    for (let at = 0; at < waiting; at++) next()
  })
  const took_s = seconds + (performance.now() - end) / 1000
  await journal.close()
  rmSync(directory, { recursive: true, force: true })
  return durable / took_s
}
