/** A number that knows its unit: the compiler refuses watts where joules belong. Costs nothing at run time. */
declare const unit: unique symbol
export type Quantity<Unit extends string> = number & { readonly [unit]: Unit }

export type Seconds = Quantity<'s'>
export type Watts = Quantity<'W'>
export type Joules = Quantity<'J'>
export type Tokens = Quantity<'token'>
export type Bytes = Quantity<'B'>
export type BytesPerSecond = Quantity<'B/s'>
/** Floating-point (or integer) operations per second. */
export type FlopsPerSecond = Quantity<'FLOP/s'>
export type DollarsPerHour = Quantity<'USD/h'>

export const seconds = (value: number): Seconds => value as Seconds
export const watts = (value: number): Watts => value as Watts
export const joules = (value: number): Joules => value as Joules
export const tokens = (value: number): Tokens => value as Tokens
export const bytes = (value: number): Bytes => value as Bytes
export const bytesPerSecond = (value: number): BytesPerSecond => value as BytesPerSecond
export const flopsPerSecond = (value: number): FlopsPerSecond => value as FlopsPerSecond
export const dollarsPerHour = (value: number): DollarsPerHour => value as DollarsPerHour

/** Sum of two quantities of one unit. */
export const plus = <Q extends Quantity<string>>(a: Q, b: Q): Q => (a + b) as Q
/** Difference of two quantities of one unit. */
export const minus = <Q extends Quantity<string>>(a: Q, b: Q): Q => (a - b) as Q
export const atLeast = <Q extends Quantity<string>>(a: Q, b: Q): boolean => a >= b
export const larger = <Q extends Quantity<string>>(a: Q, b: Q): Q => (a > b ? a : b)
export const smaller = <Q extends Quantity<string>>(a: Q, b: Q): Q => (a < b ? a : b)

/** Energy = power × time. */
export const energy = (power: Watts, time: Seconds): Joules => joules(power * time)
