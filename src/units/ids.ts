/** Names that must not be mixed up: a string that knows what it names. */
declare const named: unique symbol
export type Id<Kind extends string> = string & { readonly [named]: Kind }

/** `<gateway incarnation>-<number>`: who accepted the request, and which of its requests it was. */
export type RequestId = Id<'request'>
/** `<request id>/<attempt number>`: one try of one engine; what an engine is told and logs. */
export type AttemptId = Id<'attempt'>
export type TenantId = Id<'tenant'>
export type ApplicationId = Id<'application'>
export type KeyId = Id<'key'>
export type ReplicaId = Id<'replica'>
export type ModelId = Id<'model'>
/** Where engines stand: a data centre, a region of a provider. */
export type SiteId = Id<'site'>
/** One life of a process, from start to death. */
export type Incarnation = Id<'incarnation'>

export const id = <I extends Id<string>>(text: string): I => text as I

export const requestId = (incarnation: Incarnation, number: number): RequestId =>
  `${incarnation}-${number.toString(36)}` as RequestId
export const attemptId = (request: RequestId, attempt: number): AttemptId => `${request}/${attempt}` as AttemptId
export const requestOf = (attempt: AttemptId): RequestId => attempt.slice(0, attempt.lastIndexOf('/')) as RequestId
export const gatewayOf = (request: RequestId): Incarnation => request.slice(0, request.lastIndexOf('-')) as Incarnation
