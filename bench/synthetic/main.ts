/**
 * Starts a SYNTHETIC GPU node and prints how to add it: `npm run synthetic -- [--api-port 8000] [--dcgm-port 9400] [--gpus 1]`.
 * Runs until Ctrl-C.
 */
import { parseArgs } from 'node:util'
import { SyntheticNode } from './gpu-node.ts'

const { values } = parseArgs({
  options: {
    'api-port': { type: 'string', default: '8000' },
    'dcgm-port': { type: 'string', default: '9400' },
    gpus: { type: 'string', default: '1' },
    model: { type: 'string', default: 'synthetic-8b' },
  },
})

const node = new SyntheticNode({
  model: values.model,
  gpus: Number(values.gpus),
  apiPort: Number(values['api-port']),
  dcgmPort: Number(values['dcgm-port']),
})
const { api, dcgm } = await node.listen()
console.log(
  `A synthetic GPU node: no model is run, no power is measured.

  vLLM-shaped engine    ${api}/v1   (metrics at ${api}/metrics)
  DCGM-shaped exporter  ${dcgm}/metrics

  npx wattmill engines add gpu --url ${api}/v1 --chips h200:${values.gpus} --cost-per-hour 3.50 \\
    --meter dcgm:${dcgm}#${node.uuids.join(',')}`,
)
