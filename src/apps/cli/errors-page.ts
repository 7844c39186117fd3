import { errorCatalogue } from '../../lines/inference/errors.ts'
import { controlCatalogue } from '../operator/errors.ts'
import { exitCodes } from './exit.ts'

const row = (...cells: readonly (string | number)[]): string => `| ${cells.join(' | ')} |`
const code = (text: string): string => `\`${text}\``

/** docs/errors.md, from the tables in the source. */
export function errorsPage(): string {
  return [
    '# Errors',
    '',
    'Made by `npm run docs` from the tables in the source; do not edit by hand.',
    '',
    '## `/v1`: what clients can get',
    '',
    'The body is `{"error": {"message", "type", "param", "code"}}`, in the shape of OpenAI. *Retry*: the same request may succeed',
    'later; when to try again is in `retry-after-ms`. A stream that has begun ends with the same object in an event.',
    'Below `/v1/messages` it is `{"type": "error", "error": {"type", "message", "details": {"error_code", "param"}}, "request_id"}`,',
    'in the shape of Anthropic: the code is `error_code`, the type follows from the status, and the event is named `error`.',
    '',
    row('code', 'status', 'type', 'retry', 'what to do'),
    row('---', '---', '---', '---', '---'),
    ...Object.entries(errorCatalogue).map(([name, { status, type, retry, next }]) =>
      row(code(name), status, code(type), retry ? 'yes' : 'no', next),
    ),
    '',
    '## `/api` and the command line',
    '',
    'The body is `{"error": {"code", "message", "param", "next"}}`; the command line prints `message` and `next`, and exits with',
    'the code in the last column. Where an error knows a better next step than the one here, it says that one.',
    '',
    row('code', 'status', 'what to do', 'exit'),
    row('---', '---', '---', '---'),
    ...Object.entries(controlCatalogue).map(([name, { status, next, exit }]) => row(code(name), status, next, exit)),
    '',
    '## Exit codes',
    '',
    row('exit', 'means'),
    row('---', '---'),
    ...Object.values(exitCodes).map(({ code, means }) => row(code, means)),
    row(69, 'no Node 24 or later was found'),
    '',
  ].join('\n')
}
