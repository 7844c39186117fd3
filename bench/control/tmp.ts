import { runTwin } from '../../src/twin/run.ts'
import { scenario } from './cap.ts'
const s = scenario(Number(process.argv[2] ?? .6), process.argv[3] === 'dev', 1)
let last = ''
const r = runTwin(s, [], { onCap: (d) => { const line = JSON.stringify(d.settings.map((x) => x.load[0] + x.load.at(-1) + ':' + [...x.engines.values()].join() + (x.power ? '@' + x.power : ''))) + JSON.stringify(d.held.map((h) => h.slo)); if (line !== last) console.log((d.at_ms - s.start_ms) / 1000, d.limits[0]?.drawn.toFixed(0), 'plan', d.limits[0]?.planned.toFixed(0), 'of', d.limits[0]?.ahead, 'corr', d.limits[0]?.correction.toFixed(0), line); last = line } })
console.log(JSON.stringify(r.power), JSON.stringify(r.classes))
