import { contentType, exposition } from '../../../adapters/prometheus/text.ts'
import { ControlError } from '../errors.ts'
import { readings } from '../readings.ts'
import { Answer, type Route, route } from '../router.ts'

export const metricRoutes: readonly Route[] = [
  route({
    method: 'GET',
    path: '/metrics',
    role: 'viewer',
    about: 'Metrics in the text format of Prometheus; without the admin key from this machine only',
    near: true,
    storeless: true,
    run: (factory) => {
      if (!factory.live) throw new ControlError('factory_unreachable', 'metrics are kept while the factory runs')
      const text = exposition(readings(factory, factory.live))
      return new Answer({ status: 200, headers: { 'content-type': contentType }, body: { text } })
    },
  }),
]
