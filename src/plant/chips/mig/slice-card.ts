import { bytes, bytesPerSecond, flopsPerSecond } from '../../../units/quantity.ts'
import type { ChipCard } from '../card.ts'
import type { MigGeometry, MigProfile } from './geometry.ts'

/**
 * A MIG instance as a chip of its own: peak by its share of the SMs, bandwidth by its share of the memory slots.
 *
 * The "g" of its name is no measure of compute: on an H100 a 1g.20gb has 26 of 132 SMs and a 3g.40gb has 60, not 16 and 48.
 * Unknown SM counts leave the peak unknown. Power is the board's: instances share one limit, so idle and full are not divided.
 */
export function sliceCard(chip: ChipCard, geometry: MigGeometry, profile: MigProfile): ChipCard {
  const compute = profile.sms !== null && geometry.sms !== null ? profile.sms / geometry.sms : null
  const memory = profile.memorySlices / geometry.memorySlices
  const { peak } = chip
  const part = (of: keyof typeof peak): ChipCard['peak'][typeof of] => {
    const whole = peak[of]
    return whole === null || compute === null ? null : flopsPerSecond(whole * compute)
  }
  return {
    id: `${chip.id}/${profile.name}`,
    name: `${chip.name} ${profile.name}`,
    peak: { fp16: part('fp16'), bf16: part('bf16'), fp8: part('fp8'), int8: part('int8'), fp4: part('fp4') },
    memory: profile.memory ?? (chip.memory === null ? null : bytes(chip.memory * memory)),
    bandwidth: chip.bandwidth === null ? null : bytesPerSecond(chip.bandwidth * memory),
    link: null, // instances of one GPU have no NVLink, neither to each other nor to other GPUs
    idle: chip.idle,
    full: chip.full,
  }
}
