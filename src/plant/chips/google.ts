import { accelerator, type Row } from './accelerator.ts'

const rows: readonly Row[] = [
  {
    id: 'tpu-v5e',
    name: 'TPU v5e',
    memory_gb: 16,
    memoryType: 'HBM2',
    bandwidth_gbs: 819,
    tflops: { bf16: 197, int8: 393 },
    link_gbs: 400,
    interconnect: 'ICI bidirectional',
    sources: {
      specification: ['docs.cloud.google.com/tpu/docs/v5e'],
    },
    notes: 'no public TDP; third-party $/hr figures conflict (0.32/core vs 1.60)',
  },
  {
    id: 'tpu-v5p',
    name: 'TPU v5p',
    memory_gb: 95,
    memoryType: 'HBM2e',
    bandwidth_gbs: 2765,
    tflops: { bf16: 459, int8: 918 },
    link_gbs: 1200,
    interconnect: 'ICI bidirectional',
    sources: {
      specification: ['docs.cloud.google.com/tpu/docs/v5p-training', 'aiwiki.ai/wiki/google_tpu_v5p (int8)'],
    },
    notes: 'tpu7x page lists FP8 = 459 (runs at bf16 rate)',
  },
  {
    id: 'tpu-v6e',
    name: 'TPU v6e Trillium',
    memory_gb: 32,
    memoryType: 'HBM',
    bandwidth_gbs: 1638,
    tflops: { bf16: 918, int8: 1836 },
    link_gbs: 800,
    interconnect: 'ICI bidirectional',
    sources: {
      specification: ['docs.cloud.google.com/tpu/docs/v6e'],
    },
    notes: 'tpu7x page lists FP8 = 918',
  },
  {
    id: 'tpu-v7',
    name: 'TPU7x Ironwood',
    memory_gb: 192,
    memoryIn: 'GiB',
    memoryType: 'HBM3e',
    bandwidth_gbs: 7380,
    tflops: { bf16: 2307, fp8: 4614 },
    link_gbs: 1200,
    interconnect: 'ICI bidirectional',
    sources: {
      specification: ['docs.cloud.google.com/tpu/docs/tpu7x'],
    },
    notes: 'memory is GiB',
  },
]

export const google = rows.map((row) => accelerator('Google', row))
