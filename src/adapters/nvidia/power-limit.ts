import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

/** The power limit of a board: what holds now, between what it may be, and what it is when nobody says. */
export interface BoardLimit {
  readonly uuid: string
  readonly now_w: number
  readonly least_w: number
  readonly most_w: number
  readonly usual_w: number
}

const fields = 'uuid,power.limit,power.min_limit,power.max_limit,power.default_limit'
/** A driver that hangs must not hang us. */
const answer_ms = 5_000

/** Boards of this machine that have one; none where there is no driver. */
export async function boardLimits(command = 'nvidia-smi'): Promise<BoardLimit[]> {
  try {
    const asked = [`--query-gpu=${fields}`, '--format=csv,noheader,nounits']
    const { stdout } = await promisify(execFile)(command, asked, { timeout: answer_ms })
    return stdout.split('\n').flatMap((line) => parseLimitLine(line) ?? [])
  } catch {
    return []
  }
}

/** One CSV line; boards that cannot be limited say `[N/A]`. */
export function parseLimitLine(line: string): BoardLimit | undefined {
  const [uuid = '', ...figures] = line.split(',').map((cell) => cell.trim())
  const [now_w = Number.NaN, least_w = Number.NaN, most_w = Number.NaN, usual_w = Number.NaN] = figures.map((text) =>
    /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN,
  )
  if (!/^GPU-[\w-]+$/.test(uuid) || !(least_w <= now_w && now_w <= most_w) || Number.isNaN(usual_w)) return undefined
  return { uuid, now_w, least_w, most_w, usual_w }
}

/** Needs to be root. Whether it holds is what `boardLimits` says afterwards; why it was refused comes back in words. */
export async function limitBoard(uuid: string, power_w: number, command = 'nvidia-smi'): Promise<string | undefined> {
  try {
    await promisify(execFile)(command, ['-i', uuid, '-pl', String(Math.floor(power_w))], { timeout: answer_ms })
    return undefined
  } catch (cause) {
    const { stdout = '', message } = cause as { stdout?: string; message: string }
    return (stdout.trim() || message).split('\n')[0]
  }
}
