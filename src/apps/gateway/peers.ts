import { wordIn, wordOut } from '../../adapters/peers/word.ts'
import type { Router } from '../../lines/inference/route.ts'
import type { Seconds } from '../../units/quantity.ts'

/** How often gateways tell each other; and who has nothing to say says so this often, or would be taken for gone. */
const [tellMs, restMs] = [100, 1000]

/** What reaches the other gateways of this home: the launcher passes it on. */
export interface Channel {
  /** `taken`: it is out of this process; until then no other is sent. */
  send(message: { readonly word: unknown }, taken: () => void): void
  hear(told: (message: unknown) => void): void
}

/** The channel to the launcher; none, when nobody started this process. */
export const launcherChannel: Channel = {
  send: (message, taken) =>
    process.connected ? process.send?.(message, undefined, undefined, () => taken()) : taken(),
  hear: (told) => void process.on('message', told),
}

/**
 * Gateways of one home tell each other what they have under way and what they sent where, so that all of them know what lies in
 * whose cache, and what waits where. A word that is lost makes a guess worse, and nothing wrong.
 */
export function talkToPeers(
  from: string,
  router: Router,
  channel: Channel,
  now: () => Seconds,
  gateways: () => number,
): { close(): void } {
  let under = false
  let silentMs = 0
  channel.hear((message) => {
    const heard = wordIn((message as { word?: unknown } | null)?.word)
    if (heard && heard.from !== from) router.heard(heard.from, heard.word, now())
  })
  const timer = setInterval(() => {
    router.forget(now())
    if (under || gateways() < 2) return
    const word = router.tell(now())
    silentMs += tellMs
    if (word.loads.size === 0 && word.sent.length === 0 && silentMs < restMs) return
    silentMs = 0
    under = true
    channel.send({ word: wordOut(from, word) }, () => {
      under = false
    })
  }, tellMs).unref()
  return { close: () => clearInterval(timer) }
}
