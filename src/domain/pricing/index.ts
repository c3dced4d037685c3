export { chargeFor, type Quote, quoteFor } from './quote.ts';
export { priceQuote, priceSchedules } from './schedules.ts';
