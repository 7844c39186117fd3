import { isFirst } from '../../../adapters/sqlite/nodes.ts'
import { roomText } from '../../../books/room.ts'
import type { Factory, Live } from '../factory.ts'
import { storeReads } from '../store-reads.ts'
import { bad, type Finding, good, warning } from './finding.ts'

const lookAtOutput = 'See the output of wattmill up.'

/** The processes of a factory that runs; of one that stands, that it stands. */
export function processFindings(factory: Factory): Finding[] {
  const { live, home, store } = factory
  if (!live) return [warning('factory', `stopped, in ${home.root}`, 'wattmill up')]
  return [
    good('factory', `runs in ${home.root}`),
    ...(live.url === undefined ? [] : [good('port', live.url)]),
    ...gateways(live),
    room(live),
    live.engine.status()
      ? good('engine-host', 'answers')
      : storeReads(factory)(() => isFirst(store)) === false
        ? good('engine-host', 'another home of this store has it')
        : bad('engine-host', 'does not answer', `${lookAtOutput} node-llama-cpp may lack a build for this machine.`),
  ]
}

function gateways({ gateways }: Live): Finding[] {
  const list = gateways.list()
  const ready = list.filter((gateway) => gateway.ready).length
  const deaf = list.filter((gateway) => !gateway.journal_up).length
  if (list.length === 0) return [bad('gateways', 'none answers', lookAtOutput)]
  return [
    ready > 0
      ? good('gateways', `${list.length} answer, ${ready} ready`)
      : bad('gateways', 'none is ready', 'curl …/readyz says what each waits for.'),
    deaf === 0
      ? good('journal', 'every gateway writes its own')
      : bad('journal', `${deaf} gateways cannot write theirs`, 'Free disk space; they go on by themselves.'),
  ]
}

function room({ room: { room } }: Live): Finding {
  const found = roomText(room)
  const fix = 'Free disk space, or raise limits.journal_bytes; what waits is booked as soon as the operator can.'
  if (room.state === 'full') return bad('journal-room', `full: ${found}; nothing new is admitted`, fix)
  return room.state === 'scarce' ? warning('journal-room', found, fix) : good('journal-room', found)
}
