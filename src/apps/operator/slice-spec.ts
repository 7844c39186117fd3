/** A board's slice as it is given after the board: `GPU-…@h200/3g.71gb`, or `GPU-…@60of132`, with `:ID` for DCGM's GPU_I_ID. */
import type { MeterSlice } from '../../adapters/sqlite/registry/meters.ts'
import { findMig, migTables } from '../../plant/chips/mig/tables.ts'
import { ControlError } from './errors.ts'
import { didYouMean } from './nearest.ts'

const migChips = migTables.flatMap(({ model, aliases, chips }) => [model, ...aliases, ...chips])

export interface BoardSpec {
  readonly uuid: string
  readonly slice?: MeterSlice
}

const wrong = (message: string, next?: string): ControlError =>
  new ControlError('invalid_value', message, { param: 'meters', ...(next !== undefined && { next }) })

export function boardSpec(text: string): BoardSpec {
  const [uuid = '', slice, more] = text.split('@')
  if (slice === undefined) return { uuid }
  const [, name = '', instance = null] = /^([^:]+)(?::([0-9]{1,3}))?$/.exec(slice) ?? []
  if (name === '' || more !== undefined)
    throw wrong(
      `${JSON.stringify(text.slice(0, 80))}: a slice is CHIP/PROFILE or SMSofSMS, and :ID of its GPU instance`,
    )
  return { uuid, slice: { name, instance, ...smsOf(name) } }
}

/** Energy is shared by SMs, which the "g" of a profile does not tell: where a table does not know them, people must. */
function smsOf(name: string): Pick<MeterSlice, 'sms' | 'board_sms'> {
  const [, given, of] = /^([0-9]{1,3})of([0-9]{1,3})$/.exec(name) ?? []
  if (given !== undefined) {
    const [sms, board_sms] = [Number(given), Number(of)]
    if (sms > 0 && sms <= board_sms) return { sms, board_sms }
    throw wrong(`${name}: a slice has at least one SM, and no more than its board`)
  }
  const [chip = '', profile = ''] = name.split('/')
  const geometry = findMig(chip)
  if (!geometry)
    throw wrong(
      `there are no MIG profiles of a chip ${chip}${didYouMean(chip, migChips)}`,
      'Say its SMs, such as @60of132',
    )
  const found = geometry.profiles.find((one) => one.name === profile)
  const names = geometry.profiles.map((one) => one.name)
  if (!found)
    throw wrong(`${chip} has no MIG profile ${profile}${didYouMean(profile, names)}`, `It has: ${names.join(', ')}`)
  if (found.sms === null || geometry.sms === null)
    throw wrong(`the SMs of ${name} are not known`, 'Say them, such as @60of132; on the board NVML does')
  return { sms: found.sms, board_sms: geometry.sms }
}
