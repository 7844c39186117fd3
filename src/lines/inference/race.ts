import type { Flow, Rival } from './flow.ts'

/** Of two attempts under way, the one that is looked at becomes the flow's own, and the other its rival. */
export function exchange(flow: Flow): void {
  const { rival } = flow
  if (!rival) return
  flow.rival = rivalOf(flow)
  flow.attempt = rival.attempt
  flow.replica = rival.replica
  flow.begun = rival.begun
  flow.hedge = rival.hedge
}

/** The flow's own attempt, as it is when another starts beside it. */
export const rivalOf = ({ attempt, replica, begun, hedge, produced }: Flow): Rival => ({
  attempt,
  replica,
  begun,
  hedge,
  produced,
  lost: false,
})

/** The winner stands last: the request's outcome is its own. */
export function lineUp(flow: Flow, winner: number): void {
  flow.attempts.sort((a, b) => Number(a.number === winner) - Number(b.number === winner))
}
