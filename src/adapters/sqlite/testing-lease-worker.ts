/** A thread that asks for leases of one budget until there is none, as an operator would: what it was granted is its last word. */
import { parentPort, workerData } from 'node:worker_threads'
import type { Incarnation } from '../../units/ids.ts'
import { home as homeAt } from '../files/home.ts'
import { Leases } from './leases.ts'
import { openStore } from './store.ts'

const { root, who, allowance, want, gate } = workerData as {
  readonly root: string
  readonly who: Incarnation
  readonly allowance: string
  readonly want: bigint
  /** Opened by the second one. */
  readonly gate: Int32Array<SharedArrayBuffer>
}
const store = openStore(homeAt(root))
const leases = new Leases(store)
Atomics.add(gate, 0, 1)
Atomics.notify(gate, 0)
Atomics.wait(gate, 0, 1)
let sum = 0n
for (let turn = 0; turn < 500; turn++) {
  const ask = { allowance, period: 0, free: 0n, reserved: 0n, returned: 0n, want, ahead: want }
  const [grant] = leases.answer(who, [ask], 1000 + turn).grants
  sum += grant?.amount ?? 0n
  if (grant?.exhausted) break
}
store.close()
parentPort?.postMessage(sum)
