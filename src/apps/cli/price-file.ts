import { readFileSync } from 'node:fs'
import { globOf, PriceTableError, slimTable } from '../../books/price-table.ts'
import { FieldError } from '../../units/field.ts'
import { told } from '../operator/yaml-file.ts'

/** What has to be sent of a price table: the models that are wanted, and of these what they cost, as it is written. */
export const slimmed = (file: string, only = '*', prefix = ''): string =>
  told(file, 'its models look so: {"m": {"input_cost_per_token": 7.5e-08, "output_cost_per_token": 3e-07}}', () => {
    const wanted = globOf(only)
    const text = readFileSync(file, 'utf8')
    try {
      return slimTable(text, (model) => model.startsWith(prefix) && wanted(model))
    } catch (cause) {
      if (cause instanceof PriceTableError) throw new FieldError(cause.message)
      throw cause
    }
  })
