/** The thread that works out hours: it sees the books as they are when it begins, says what each hour is, and ends. */
import { parentPort, workerData } from 'node:worker_threads'
import type { Home } from '../../files/home.ts'
import { openBooks } from '../books.ts'
import { workOut } from './work-out.ts'

const { home, hours } = workerData as { readonly home: Home; readonly hours: readonly number[] }
const books = openBooks(home)
try {
  for (const hour of hours) parentPort?.postMessage(workOut(books, hour))
} finally {
  books.close()
}
