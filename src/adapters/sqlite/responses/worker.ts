/** The thread that waits for the disk on behalf of kept responses, so that no event loop does. */
import { parentPort, workerData } from 'node:worker_threads'
import { ResponseTable } from './table.ts'
import type { ResponseDone, ResponseWork } from './work.ts'

const { path } = workerData as { readonly path: string }
let table: ResponseTable | undefined

/** What is written together is flushed together; who only reads does not wait for a flush of its own. */
function perform(works: readonly ResponseWork[]): ResponseDone[] {
  const done: ResponseDone[] = []
  const write = (open: ResponseTable, work: ResponseWork, at: number): void => {
    if (work.do === 'put') done[at] = { done: 'put', kept: open.put(work) }
    if (work.do === 'remove') done[at] = { done: 'remove', removed: open.remove(work) }
  }
  try {
    table ??= new ResponseTable(path)
    const open = table
    if (works.some((work) => work.do === 'put' || work.do === 'remove'))
      open.transact(() => {
        for (const [at, work] of works.entries()) write(open, work, at)
      })
    for (const [at, work] of works.entries()) {
      if (work.do === 'read') done[at] = { done: 'read', looked: open.read(work) }
      if (work.do === 'purge') done[at] = { done: 'purge', purged: open.purge(work) }
    }
    return done
  } catch (cause) {
    return works.map(() => ({ done: 'failed', why: (cause as Error).message }))
  }
}

/** No work at all: the end. */
parentPort?.on('message', (works: readonly ResponseWork[]) => {
  if (works.length > 0) return parentPort?.postMessage(perform(works))
  table?.close()
  parentPort?.close()
})
