export { adjustCredits } from './adjust-credits.ts';
export { balanceToView } from './balance-view.ts';
export { refusalError } from './refusal-error.ts';
