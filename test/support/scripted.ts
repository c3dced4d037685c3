// A scripted upstream and the configuration that routes every model to it.
import { createScriptedServer, type ScriptedServer } from '../../src/providers/scripted/server.ts';

export interface ScriptedSetup {
  server: ScriptedServer;
  config: object;
}

export async function startScripted(
  form: 'immediate' | 'job',
  settings: object = {},
): Promise<ScriptedSetup> {
  const server = await createScriptedServer();
  const scripted = { type: 'scripted', form, base_url: server.url };
  return {
    server,
    config: { providers: { scripted }, routes: { '*': ['scripted'] }, ...settings },
  };
}
