export { cancelTask } from './cancel.ts';
export { type CreateTaskInput, createTask } from './create.ts';
export { describeTask, type TaskTrace } from './describe.ts';
export { failUnfinishedTasks } from './fail-unfinished.ts';
export { getTask } from './get.ts';
export { listTasks } from './list.ts';
export { listTaskEvents } from './list-events.ts';
export { taskToCreateView, taskToResultView, taskToView } from './view.ts';
export { waitForTask } from './wait.ts';
