// Names of the server-sent events of a task.

export const STATE_EVENTS = [
  'task.pending',
  'task.processing',
  'task.completed',
  'task.failed',
] as const;

export const LIVE_EVENTS = ['task.progress', 'task.partial_image'] as const;
