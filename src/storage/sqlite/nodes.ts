import type { OperationTable } from './operation.ts';

type Names = 'nodes.start' | 'nodes.renew' | 'nodes.stop';

export const nodeOperations: OperationTable<Names> = {
  'nodes.start'(db, { nodeId, leaseMs }, now) {
    // The folder's lock says that this is the only process: whoever else is listed is dead.
    db.run('DELETE FROM nodes', {});
    db.run('INSERT INTO nodes (id, lease_until, started_at) VALUES ($nodeId, $until, $now)', {
      nodeId,
      until: now + leaseMs,
      now,
    });
    return {};
  },

  'nodes.renew'(db, { nodeId, leaseMs }, now) {
    // A lease that ran out is not revived: its tasks may be others' already.
    const changed = db.run(
      'UPDATE nodes SET lease_until = $until WHERE id = $nodeId AND lease_until > $now',
      { nodeId, until: now + leaseMs, now },
    );
    return { lost: changed === 0 };
  },

  'nodes.stop'(db, { nodeId }) {
    db.run('DELETE FROM nodes WHERE id = $nodeId', { nodeId });
    return {};
  },
};
