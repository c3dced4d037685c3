// The machine codes of a failed task (contract §1.5), and the HTTP status each stands for in a Task Result.

export const TASK_ERRORS = {
  content_policy: { status: 400, title: 'Refused by the content policy' },
  source_unreachable: { status: 422, title: 'A source image could not be downloaded' },
  source_invalid: { status: 422, title: 'A source is no readable image' },
  provider_error: { status: 502, title: 'The image provider failed' },
  provider_quota: { status: 503, title: 'The image provider has no quota left' },
  upstream_bad_response: { status: 502, title: 'The image provider answered with no usable image' },
  no_provider: { status: 503, title: 'Nothing serves this model here' },
  worker_lost: { status: 500, title: 'The gateway lost the task several times' },
  interrupted_by_restore: {
    status: 503,
    title: 'The gateway was restored from a backup meanwhile',
  },
  expired: { status: 504, title: 'Not finished before its deadline' },
  canceled: { status: 409, title: 'Cancelled' },
  internal_error: { status: 500, title: 'The gateway met an internal error' },
} as const;
