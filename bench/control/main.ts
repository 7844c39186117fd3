/** `npm run bench:control`: placement and power caps against the published policies, with losses shown. */
import { allocation } from './allocation.ts'
import { cap } from './cap.ts'
import { mig } from './mig.ts'
import { speed } from './speed.ts'

const parts: Readonly<Record<string, () => boolean>> = { allocation, mig, cap, speed }
const wanted = process.argv.slice(2)
const unknown = wanted.filter((name) => !Object.hasOwn(parts, name))
if (unknown.length > 0) {
  console.error(`there is no part ${unknown.join(', ')}; parts are ${Object.keys(parts).join(', ')}`)
  process.exit(2)
}
const met = Object.entries(parts)
  .filter(([name]) => wanted.length === 0 || wanted.includes(name))
  .map(([name, run]) => ({ name, met: run() }))
console.log(`\n${met.map(({ name, met }) => `${name}: bar ${met ? 'met' : 'MISSED'}`).join('\n')}`)
if (met.some((one) => !one.met)) process.exitCode = 1
