import { accelerator, type Row } from './accelerator.ts'
import { inferencexCosts, inferencexPower, inferencexSpecs } from './sources.ts'

const rows: readonly Row[] = [
  {
    id: 'mi300x',
    name: 'Instinct MI300X',
    memory_gb: 192,
    memoryType: 'HBM3',
    bandwidth_gbs: 5300,
    tflops: { bf16: 1307, fp8: 2615, int8: 2615 },
    tdp_w: 750,
    link_gbs: 448,
    interconnect: 'Infinity Fabric mesh, per direction',
    rental_usd_h: [1.55, 1.85],
    ownership_usd_h: [1.12, 1.4],
    allIn_kw: 1.79,
    sources: {
      specification: [inferencexSpecs, inferencexPower, 'aiwiki.ai amd_instinct_mi355x'],
      rental: [inferencexCosts, 'gpu.blog/gpus/instinct-mi300x-mi300x'],
      ownership: [inferencexCosts],
      allIn: [inferencexCosts],
    },
    notes: 'int8 = fp8 rate on CDNA3',
  },
  {
    id: 'mi325x',
    name: 'Instinct MI325X',
    memory_gb: 256,
    memoryType: 'HBM3e',
    bandwidth_gbs: 6000,
    tflops: { bf16: 1307, fp8: 2615, int8: 2615 },
    tdp_w: 1000,
    link_gbs: 448,
    interconnect: 'Infinity Fabric mesh, per direction',
    rental_usd_h: [1.8],
    ownership_usd_h: [1.28, 1.59],
    allIn_kw: 2.18,
    sources: {
      specification: [inferencexSpecs, inferencexPower],
      rental: [inferencexCosts],
      ownership: [inferencexCosts],
      allIn: [inferencexCosts],
    },
  },
  {
    id: 'mi355x',
    name: 'Instinct MI355X',
    memory_gb: 288,
    memoryType: 'HBM3e',
    bandwidth_gbs: 8000,
    tflops: { bf16: 2516, fp8: 5033, fp4: 10066, int8: 5033 },
    tdp_w: 1400,
    link_gbs: 576,
    interconnect: 'Infinity Fabric mesh, per direction',
    rental_usd_h: [2.1],
    ownership_usd_h: [1.48, 1.9],
    allIn_kw: 2.65,
    sources: {
      specification: [inferencexSpecs, inferencexPower, 'tomshardware.com mi355x 1400W'],
      rental: [inferencexCosts],
      ownership: [inferencexCosts],
      allIn: [inferencexCosts],
    },
    notes: 'int8 assumed = fp8 rate',
  },
]

export const amd = rows.map((row) => accelerator('AMD', row))
