// Every operation of the store, by name.
import type { Store } from '../kernel/store.ts';
import type { AccountOperations } from './accounts/operations.ts';
import type { LedgerOperations } from './ledger/operations.ts';
import type { NodeOperations, OutputOperations, TaskOperations } from './tasks/operations.ts';

export type Operations = AccountOperations &
  LedgerOperations &
  TaskOperations &
  OutputOperations &
  NodeOperations;

export type GatewayStore = Store<Operations>;
