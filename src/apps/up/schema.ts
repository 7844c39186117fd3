import Type from 'typebox'
import { stateInput } from '../operator/cost-terms.ts'
import { type Setting, settings } from './settings.ts'

/** JSON Schema of `wattmill.yaml`, from the table of settings: what `up` would refuse, an editor marks. */
export function configSchema(): object {
  const top: Record<string, Type.TSchema> = {}
  const groups = new Map<string, Record<string, Type.TSchema>>()
  for (const [path, setting] of Object.entries(settings)) {
    const [first = '', second] = path.split('.')
    if (second === undefined) top[first] = Type.Optional(typeOf(setting))
    else groups.set(first, { ...groups.get(first), [second]: Type.Optional(typeOf(setting)) })
  }
  for (const [name, fields] of groups) top[name] = Type.Optional(Type.Object(fields, closed))
  top.costs = Type.Optional(costsSchema)
  const schema = Type.Object(top, { ...closed, title: 'wattmill.yaml' })
  return { $schema: 'http://json-schema.org/draft-07/schema#', ...schema }
}

const { at: _, ...stated } = stateInput

/** Values by time may lie in a file. */
const costSchema = Type.Object(
  { ...stated, file: Type.Optional(Type.String({ description: 'values by time, beside this file: YAML or CSV' })) },
  { additionalProperties: false },
)

interface Shape {
  readonly type?: string
  readonly pattern?: string
  readonly properties?: Readonly<Record<string, Type.TSchema>>
  readonly items?: Type.TSchema
}

/** Decimals are text, and may be written as numbers. */
function asWritten(schema: Type.TSchema): Type.TSchema {
  const { type, pattern, properties, items } = schema as Shape
  if (type === 'string' && pattern !== undefined) return Type.Union([schema, Type.Number({ minimum: 0 })])
  const inside = Object.entries(properties ?? {}).map(([name, field]) => [name, asWritten(field)])
  return {
    ...schema,
    ...(properties && { properties: Object.fromEntries(inside) }),
    ...(items && { items: asWritten(items) }),
  }
}

const costsSchema = Type.Array(asWritten(costSchema), {
  description: 'what capacity, people, energy and hosted models cost, as `wattmill costs set` takes it',
})

/** An unknown name is a slip of the keyboard, not a setting for later. */
const closed = { additionalProperties: false }

function typeOf(setting: Setting): Type.TSchema {
  const computed = 'usualIs' in setting && setting.usualIs !== undefined
  const told = computed
    ? { description: `${setting.why}; usually ${setting.usualIs}` }
    : { description: setting.why, default: setting.usual }
  switch (setting.kind) {
    case 'integer':
      return Type.Integer({ minimum: setting.min, maximum: setting.max, ...told })
    case 'number':
      return Type.Number({ minimum: setting.min, maximum: setting.max, ...told })
    case 'name':
      return Type.String({ pattern: '^[A-Za-z0-9._:/-]{1,100}$', ...told })
    case 'text':
      return Type.String({ ...(setting.usual === '' ? {} : { minLength: 1 }), ...told })
    case 'url':
      return Type.String({ pattern: '^(https?://.+)?$', ...told })
    case 'file':
      return Type.String(told)
    case 'networks':
      return Type.Array(Type.String(), told)
  }
}
