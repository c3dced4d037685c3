import type { TaskTrace } from '../domain/tasks/index.ts';
import { parseTaskId, uuidToTaskId } from '../kernel/ids.ts';
import { microCentsToUsd } from '../kernel/money.ts';
import { askGateway, bodyOf } from './ask.ts';
import type { CliDeps, CommandConfig } from './gateway.ts';

/** Prints a task's trace. Exit code 1: there is no such task. */
export async function runTasksShow<Config extends CommandConfig>(
  deps: CliDeps<Config>,
  text: string,
  options: { config?: string; json?: boolean },
): Promise<number> {
  const taskId = parseTaskId(text);
  if (taskId === null) {
    deps.stderr.write(`"${text}" is no task id: expected a UUID or tsk_ and 26 characters.\n`);
    return 2;
  }
  const config = deps.readConfig(
    options.config === undefined ? {} : { configFile: options.config },
  );
  const found = await askGateway(deps, config, 'GET', `/tasks/${taskId}`);
  const trace = bodyOf<TaskTrace>(found, deps.stderr);
  if (trace === null) return 1;
  deps.stdout.write(options.json ? `${JSON.stringify(trace)}\n` : describe(trace));
  return 0;
}

function describe({ task, attempts, events }: TaskTrace): string {
  const lines = [
    `Task      ${uuidToTaskId(task.id)}  (${task.id})`,
    `Status    ${task.status}${task.failure ? `: ${task.failure.code}, ${task.failure.message}` : ''}`,
    `Model     ${task.model}  (${task.service}/${task.action}, asked as ${task.modelAsSent})`,
    `Size      ${task.interpretation.size}, background ${task.interpretation.background}`,
    `Price     $${microCentsToUsd(task.quote.amount).toFixed(2)} quoted${charged(task)}`,
    `Account   ${task.accountId}, key ${task.keyId}`,
    `Created   ${toTime(task.createdAt)}, deadline ${toTime(task.deadlineAt)}`,
    'Attempts',
    ...attempts.map(
      (attempt) =>
        `  ${attempt.number}  ${attempt.provider}  ${attempt.state}${attempt.failureClass ? ` (${attempt.failureClass})` : ''}  ${toTime(attempt.startedAt)}${attempt.detail ? `  ${attempt.detail.split('\n')[0]}` : ''}`,
    ),
    'Events',
    ...events.map((event) => `  ${toTime(event.createdAt)}  ${event.type}`),
    ...task.outputs.map(
      (output) => `Output ${output.index}  ${output.width}x${output.height}  ${output.sha256}`,
    ),
  ];
  return `${lines.join('\n')}\n`;
}

function charged(task: TaskTrace['task']): string {
  return task.charged === null ? '' : `, $${microCentsToUsd(task.charged).toFixed(2)} charged`;
}

function toTime(atMs: number): string {
  return new Date(atMs).toISOString();
}
