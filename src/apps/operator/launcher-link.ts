import { type ControlCode, ControlError } from './errors.ts'
import type { LauncherLink } from './start.ts'

interface Restarted {
  readonly restarted?: {
    readonly gateways?: number
    readonly failed?: { readonly code: ControlCode; readonly message: string; readonly next: string }
  }
}

/** The launcher at the other end of this process's channel. One restart at a time: who asks meanwhile hears its end too. */
export function launcherLink(channel: NodeJS.Process): LauncherLink {
  let restart: Promise<number> | undefined
  const restarted = (): Promise<number> =>
    new Promise((resolve, reject) => {
      const heard = (message: unknown): void => {
        const end = (message as Restarted).restarted
        if (!end) return
        channel.off('message', heard)
        if (!end.failed) return resolve(end.gateways ?? 0)
        const { code, message: why, next } = end.failed
        reject(new ControlError(code, why, { next }))
      }
      channel.on('message', heard)
      channel.send?.({ restart: 'gateways' })
    })
  return {
    modelsChanged(models) {
      if (channel.connected) channel.send?.({ models })
    },
    restartGateways() {
      restart ??= restarted().finally(() => {
        restart = undefined
      })
      return restart
    },
  }
}
