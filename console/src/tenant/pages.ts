import type { Entry } from '../lib/pages.ts'

/** What a tenant sees: of itself alone. */
export const tenantPages: readonly Entry[] = [
  { page: '', name: 'Overview', key: 'o', about: 'what is left, and what was used' },
  { page: 'models', name: 'Models', key: 'm', about: 'what can be asked for, and its price' },
  { page: 'connect', name: 'Connect', key: 'c', about: 'the first request from a program' },
  { page: 'keys', name: 'Keys', key: 'k', about: 'create, rotate, revoke' },
  { page: 'usage', name: 'Usage', key: 'u', about: 'by application and day' },
  { page: 'requests', name: 'Requests', key: 'r', about: 'each with its receipt' },
  { page: 'errors', name: 'Errors', key: 'e', about: 'what failed, when and how' },
  { page: 'credit', name: 'Credit', key: 'd', about: 'what was paid in advance or given, and what is left' },
  { page: 'statements', name: 'Statements', key: 's', about: 'what is owed for a month' },
]
