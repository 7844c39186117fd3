import { accelerator, type Row } from './accelerator.ts'

const rows: readonly Row[] = [
  {
    id: 'trainium1',
    name: 'Trainium1',
    memory_gb: 32,
    memoryIn: 'GiB',
    memoryType: 'HBM',
    bandwidth_gbs: 820,
    tflops: { bf16: 190, fp8: 190, int8: 380 },
    interconnect: 'NeuronLink-v2',
    sources: {
      specification: ['awsdocs-neuron.readthedocs-hosted.com neuron-hardware/trainium'],
    },
    notes: 'fp8 = cFP8 at bf16 rate; memory GiB',
  },
  {
    id: 'trainium2',
    name: 'Trainium2',
    memory_gb: 96,
    memoryIn: 'GiB',
    memoryType: 'HBM',
    bandwidth_gbs: 2900,
    tflops: { bf16: 667, fp8: 1299 },
    interconnect: 'NeuronLink-v3',
    sources: {
      specification: ['awsdocs-neuron.readthedocs-hosted.com neuron-hardware/trainium2', 'NKI guide (2.9 TB/s)'],
    },
    notes: 'memory GiB',
  },
  {
    id: 'trainium3',
    name: 'Trainium3',
    memory_gb: 144,
    memoryIn: 'GiB',
    memoryType: 'HBM',
    bandwidth_gbs: 4900,
    tflops: { bf16: 671, fp8: 2517, fp4: 2517 },
    link_gbs: 2560,
    interconnect: 'NeuronLink-v4, total per device',
    sources: {
      specification: ['awsdocs-neuron.readthedocs-hosted.com neuron-hardware/trainium3'],
    },
    notes: 'MXFP8 = MXFP4 rate; memory GiB',
  },
  {
    id: 'inferentia2',
    name: 'Inferentia2',
    memory_gb: 32,
    memoryIn: 'GiB',
    memoryType: 'HBM',
    bandwidth_gbs: 820,
    tflops: { bf16: 190, fp8: 190, int8: 380 },
    interconnect: 'NeuronLink-v2',
    sources: {
      specification: ['awsdocs-neuron.readthedocs-hosted.com neuron-hardware/inferentia2'],
    },
    notes: 'fp8 = cFP8 at bf16 rate; memory GiB',
  },
]

export const aws = rows.map((row) => accelerator('AWS', row))
