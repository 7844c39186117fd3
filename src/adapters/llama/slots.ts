/**
 * Which free sequence a prompt should take: the one whose KV cache has the longest beginning in common with it.
 *
 * Among equals the one that holds least is taken, so that a long conversation is not thrown away for a prompt that shares
 * only a BOS token with it.
 */

export interface Lane {
  readonly held: readonly number[]
  readonly cuttable: boolean
}

export interface Choice {
  readonly lane: number
  /** Prompt tokens taken from the cache. */
  readonly keep: number
}

export function chooseLane(lanes: readonly Lane[], prompt: readonly number[]): Choice | undefined {
  let best: Choice | undefined
  lanes.forEach((lane, at) => {
    const keep = reusable(lane, prompt)
    const holds = best ? (lanes[best.lane]?.held.length ?? 0) : Number.POSITIVE_INFINITY
    if (!best || keep > best.keep || (keep === best.keep && lane.held.length < holds)) best = { lane: at, keep }
  })
  return best
}

/** The last prompt token is always evaluated: its logits are the first sample. */
function reusable(lane: Lane, prompt: readonly number[]): number {
  const most = Math.min(lane.held.length, prompt.length - 1)
  let common = 0
  while (common < most && lane.held[common] === prompt[common]) common++
  return lane.cuttable || common === lane.held.length ? common : 0
}
