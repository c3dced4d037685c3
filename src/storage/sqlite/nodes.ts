import { toNode } from '../rows/to-domain.ts';
import type { OperationTable } from './operation.ts';

type Names = 'nodes.start' | 'nodes.renew' | 'nodes.stop' | 'nodes.list' | 'nodes.drain';

export const nodeOperations: OperationTable<Names> = {
  'nodes.start'(db, { nodeId, leaseMs, name, version, settingsHash }, now) {
    // The folder's lock says that this is the only process: whoever else is listed is dead.
    db.run('UPDATE nodes SET lease_until = 0', {});
    db.run(
      `DELETE FROM nodes WHERE NOT EXISTS
         (SELECT 1 FROM tasks WHERE owner = nodes.id AND status = 'processing')`,
      {},
    );
    db.run(
      `INSERT INTO nodes (id, name, version, settings_hash, lease_until, started_at)
       VALUES ($nodeId, $name, $version, $settingsHash, $until, $now)`,
      { nodeId, name, version, settingsHash, until: now + leaseMs, now },
    );
    return {};
  },

  'nodes.renew'(db, { nodeId, leaseMs }, now) {
    // A lease that ran out is not revived: its tasks may be others' already.
    const changed = db.run(
      'UPDATE nodes SET lease_until = $until WHERE id = $nodeId AND lease_until > $now',
      { nodeId, until: now + leaseMs, now },
    );
    const row = db.get('SELECT is_draining FROM nodes WHERE id = $nodeId', { nodeId });
    return { lost: changed === 0, isDraining: row?.['is_draining'] === 1 };
  },

  'nodes.stop'(db, { nodeId }) {
    db.run('UPDATE nodes SET lease_until = 0 WHERE id = $nodeId', { nodeId });
    return {};
  },

  'nodes.list'(db, _input, now) {
    const rows = db.all(
      `SELECT nodes.*, (SELECT COUNT(*) FROM tasks WHERE owner = nodes.id AND status = 'processing') AS running
       FROM nodes WHERE lease_until > $now ORDER BY started_at, id`,
      { now },
    );
    return rows.map(toNode);
  },

  'nodes.drain'(db, { nodeId }) {
    const changed = db.run('UPDATE nodes SET is_draining = 1 WHERE id = $nodeId', { nodeId });
    return { found: changed === 1 };
  },
};
