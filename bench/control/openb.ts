import { existsSync, readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'

/** The published cluster and workloads of Alibaba (openb, cluster-trace-gpu-v2023), which FGD (ATC'23) is measured on. */
export const traces = `${process.env.WATTMILL_DATA ?? '../shared/data'}/traces`

export interface OpenbNode {
  readonly name: string
  readonly cpu: number
  readonly memory: number
  readonly gpus: number
  readonly model: string
}

export interface OpenbPod {
  readonly name: string
  readonly cpu: number
  readonly memory: number
  readonly gpus: number
  /** Thousandths of each GPU. */
  readonly milli: number
  /** Models it may run on, `|` between them; empty is any. */
  readonly spec: string
}

export const readNodes = (): OpenbNode[] =>
  rows('openb_node_list_gpu_node').map((row) => ({
    name: row.sn ?? '',
    cpu: Number(row.cpu_milli),
    memory: Number(row.memory_mib),
    gpus: Number(row.gpu),
    model: row.model ?? '',
  }))

/** In order of name, which the draws of the benchmark count on. */
export const readPods = (workload: string): OpenbPod[] =>
  rows(`openb_pod_list_${workload}`)
    .map((row) => {
      const gpus = Number(row.num_gpu)
      return {
        name: row.name ?? '',
        cpu: Number(row.cpu_milli),
        memory: Number(row.memory_mib),
        gpus,
        milli: gpus === 0 ? 0 : Number(row.gpu_milli),
        spec: gpus === 0 ? '' : (row.gpu_spec ?? ''),
      }
    })
    .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))

export const hasTraces = (): boolean => existsSync(`${traces}/openb_node_list_gpu_node.csv.gz`)

function rows(name: string): Readonly<Record<string, string>>[] {
  const text = gunzipSync(readFileSync(`${traces}/${name}.csv.gz`)).toString('utf8')
  const [head = '', ...lines] = text.split('\n').filter((line) => line !== '')
  const columns = head.split(',')
  return lines.map((line) => {
    const cells = line.split(',')
    return Object.fromEntries(columns.map((column, index) => [column, cells[index] ?? '']))
  })
}
