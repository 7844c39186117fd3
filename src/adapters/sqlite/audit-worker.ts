/** The thread that checks the books: it sees them as they are when it begins, says what it found, and ends. */
import { parentPort, workerData } from 'node:worker_threads'
import type { Home } from '../files/home.ts'
import { openBooks } from './books.ts'
import { check } from './check.ts'

const books = openBooks(workerData as Home)
try {
  parentPort?.postMessage(check(books))
} finally {
  books.close()
}
