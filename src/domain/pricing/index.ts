export { chargeFor, type Quote, quoteFor } from './quote.ts';
