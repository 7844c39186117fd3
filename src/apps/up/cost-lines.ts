/** `costs:` of `wattmill.yaml`: each entry is what `wattmill costs set` takes, but for the moment from which it holds. */
import { existsSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import Type from 'typebox'
import { isMap, isScalar, isSeq, type Node, type YAMLMap } from 'yaml'
import { isSameCost, type Named } from '../../books/filed-cost.ts'
import { costCurve } from '../operator/cost-file.ts'
import { type CostAsked, declarationOf, stateInput } from '../operator/cost-terms.ts'
import { asControlError, ControlError } from '../operator/errors.ts'
import { inputParser } from '../operator/input.ts'

/** A cost as the file states it, and where. */
export type StatedCost = Omit<CostAsked, 'from'> & { readonly at: string }

/** Tells what is wrong with something in the file. */
export type Wrong = (node: unknown, path: string, message: string) => void

const { at: _, ...fields } = stateInput
const parse = inputParser(Type.Object(fields))

/** `where`: of a node, as `wattmill.yaml:12`. */
export function costLines(
  list: unknown,
  file: string,
  { wrong, where }: { readonly wrong: Wrong; readonly where: (node: unknown) => string },
): StatedCost[] {
  if (!isSeq(list)) {
    wrong(list, 'costs', 'costs is a list such as [{kind: staff, name: ops, per_month: 9000}]; [] ends all of them')
    return []
  }
  const known: Named[] = []
  return list.items.flatMap((item, index): StatedCost[] => {
    const path = `costs.${index}`
    if (!isMap(item)) {
      wrong(item, path, 'a cost is a group such as {kind: staff, name: ops, per_month: 9000}')
      return []
    }
    try {
      const asked = parse(valuesOf(item, file), []) as unknown as Omit<CostAsked, 'from'>
      const { kind, name } = declarationOf(asked, 0)
      if (known.some((one) => isSameCost(one, { kind, name })))
        throw new ControlError('invalid_value', `${kind} ${name} stands above already`, { param: 'kind' })
      known.push({ kind, name })
      return [{ ...asked, at: where(item) }]
    } catch (cause) {
      const { message, param = '' } = asControlError(cause)
      wrong(fieldOf(item, param) ?? item, `${path}${param && `.${param}`}`, message)
      return []
    }
  })
}

const noFrom =
  'from is not for a file: what changes in it holds from now on; for another moment: wattmill costs set KIND --from DATE'

/** Decimals as they are written: 0.10 is text for whoever counts exactly. */
function valuesOf(item: YAMLMap, file: string): Record<string, unknown> {
  const values = plain(item, Type.Object(fields) as Shape) as Record<string, unknown>
  if ('from' in values) throw new ControlError('unknown_field', noFrom, { param: 'from' })
  const { file: curve, ...rest } = values
  if (curve === undefined) return rest
  const path = resolve(dirname(file), String(curve))
  if (!existsSync(path)) throw new ControlError('not_found', `there is no file ${path}`, { param: 'file' })
  return { ...costCurve(path), ...rest }
}

interface Shape {
  readonly type?: string
  readonly properties?: Readonly<Record<string, Shape>>
  readonly items?: Shape
}

function plain(node: unknown, shape: Shape | undefined): unknown {
  if (isMap(node))
    return Object.fromEntries(
      node.items.map(({ key, value }) => {
        const name = String(isScalar(key) ? key.value : key)
        return [name, plain(value, shape?.properties?.[name])]
      }),
    )
  if (isSeq(node)) return node.items.map((one) => plain(one, shape?.items))
  if (!isScalar(node)) return undefined
  return typeof node.value === 'number' && shape?.type === 'string' ? (node.source ?? String(node.value)) : node.value
}

const fieldOf = (item: YAMLMap, name: string): Node | undefined =>
  item.items.find(({ key }) => isScalar(key) && key.value === name)?.key as Node | undefined
