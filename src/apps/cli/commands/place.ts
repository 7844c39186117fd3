import { createHash } from 'node:crypto'
import type { Command } from 'commander'
import { clock } from '../../../adapters/clock/clock.ts'
import { usualOutlook } from '../../../control/place/outlook.ts'
import { plan } from '../../../control/place/plan.ts'
import { readCluster } from '../../../control/place/read-cluster.ts'
import { readWorkload } from '../../../control/place/read-workload.ts'
import { yamlFile } from '../../operator/yaml-file.ts'
import { planView } from '../place-view.ts'
import { type Common, guarded, show } from '../run.ts'

interface Files {
  readonly cluster: string
  readonly workload: string
}

export function placeCommands(program: Command): void {
  const place = program.command('place').description('where replicas go: on which GPUs and MIG slices, and why')
  const planned = place
    .command('plan')
    .description('what would be placed, moved and refused, with reasons and the nvidia-smi commands; changes nothing')
    .requiredOption('--cluster <file>', 'what stands and runs (YAML); examples/place/ has one')
    .requiredOption('--workload <file>', 'what shall run (YAML)')
  planned.action(() => guarded(async () => showPlan(planned.optsWithGlobals<Common & Files>())))
}

async function showPlan(options: Common & Files): Promise<undefined> {
  const examples = 'examples/place/ has files that work'
  const at_ms = clock.ms()
  const cluster = yamlFile(options.cluster, (value) => ({ value, read: readCluster(value, at_ms) }), examples)
  const workload = yamlFile(options.workload, (value) => ({ value, read: readWorkload(value) }), examples)
  const inputs = { cluster: cluster.value, at_ms: cluster.read.at_ms, workload: workload.value, config: usualOutlook }
  const hash = createHash('sha256').update(JSON.stringify(inputs)).digest('hex')
  show(plan(cluster.read, workload.read, usualOutlook, `sha256:${hash}`), options, planView)
}
