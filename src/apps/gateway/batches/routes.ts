import type { Route } from '../routes.ts'
import { cancelBatch, createBatch, listBatches, showBatch } from './batches.ts'
import { deleteFile, fileContent, listFiles, showFile, uploadFile } from './files.ts'

const GET = ['GET', 'HEAD']

/** Files and batches; the method decides where a path has several. */
export const batchRoutes: readonly Route[] = [
  {
    methods: ['POST'],
    path: '/v1/files',
    about: 'A file of requests for a batch: a form with `purpose` and `file`',
    match: /^\/v1\/files$/,
    handle: uploadFile,
  },
  {
    methods: GET,
    path: '/v1/files',
    about: "The tenant's files, newest first: `after`, `limit`, `order`, `purpose`",
    match: /^\/v1\/files$/,
    handle: listFiles,
  },
  {
    methods: GET,
    path: '/v1/files/{id}',
    about: 'What is known of a file',
    match: /^\/v1\/files\/[^/]+$/,
    handle: showFile,
  },
  {
    methods: ['DELETE'],
    path: '/v1/files/{id}',
    about: 'Delete a file; a batch that was made of it goes on',
    match: /^\/v1\/files\/[^/]+$/,
    handle: deleteFile,
  },
  {
    methods: GET,
    path: '/v1/files/{id}/content',
    about: 'The bytes of a file',
    match: /^\/v1\/files\/[^/]+\/content$/,
    handle: fileContent,
  },
  {
    methods: ['POST'],
    path: '/v1/batches',
    about: 'Hand in a batch: its lines run as class `batch` when there is headroom',
    match: /^\/v1\/batches$/,
    handle: createBatch,
  },
  {
    methods: GET,
    path: '/v1/batches',
    about: "The tenant's batches, newest first: `after`, `limit`",
    match: /^\/v1\/batches$/,
    handle: listBatches,
  },
  {
    methods: GET,
    path: '/v1/batches/{id}',
    about: 'Where a batch stands, and the ids of its files',
    match: /^\/v1\/batches\/[^/]+$/,
    handle: showBatch,
  },
  {
    methods: ['POST'],
    path: '/v1/batches/{id}/cancel',
    about: 'Cancel a batch: what is under way is answered, nothing new is asked',
    match: /^\/v1\/batches\/[^/]+\/cancel$/,
    handle: cancelBatch,
  },
]
