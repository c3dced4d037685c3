// How a command reaches its gateway: through the socket of the running one, else by opening the store itself, which then
// nobody holds, or which many share.
import { join } from 'node:path';
import { answer, askControlSocket, type ControlAnswer } from './control-socket.ts';
import type { CliDeps, CommandConfig } from './gateway.ts';

export async function askGateway<Config extends CommandConfig>(
  deps: CliDeps<Config>,
  config: Config,
  method: 'GET' | 'POST',
  path: string,
): Promise<ControlAnswer> {
  const socket = join(config.data_dir, 'control.sock');
  const answered = config.database === null ? await askControlSocket(socket, method, path) : null;
  if (answered) return answered;
  const { ctx, close } = await deps.openOffline(config, deps.version);
  try {
    return await answer(ctx, method, path);
  } finally {
    await close();
  }
}

/** The body of a good answer; else its sentence goes to stderr and null comes back. */
export function bodyOf<Body>(found: ControlAnswer, stderr: NodeJS.WritableStream): Body | null {
  if (found.status === 200) return found.body as Body;
  stderr.write(`${(found.body as { error: string }).error}\n`);
  return null;
}
