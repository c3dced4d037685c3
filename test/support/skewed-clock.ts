// `node --import` of this file gives a process a wall clock that is CLOCK_SKEW_MS off, as on a machine without NTP.
const skewMs = Number(process.env['CLOCK_SKEW_MS'] ?? 0);
const RealDate = Date;

class SkewedDate extends RealDate {
  constructor(...args: [] | [number | string | Date]) {
    super(args[0] ?? RealDate.now() + skewMs);
  }
  static override now(): number {
    return RealDate.now() + skewMs;
  }
}

globalThis.Date = SkewedDate as DateConstructor;
