// One line that fills up on a terminal; a line per quarter elsewhere.

const WIDTH = 30;

export interface ProgressBar {
  update(fraction: number, label: string): void;
  end(): void;
}

export function createProgressBar(out: NodeJS.WriteStream): ProgressBar {
  let shownQuarter = -1;
  return {
    update(fraction, label) {
      const percent = Math.round(Math.min(1, Math.max(0, fraction)) * 100);
      if (out.isTTY) {
        const filled = Math.round((percent / 100) * WIDTH);
        const bar = `${'█'.repeat(filled)}${'░'.repeat(WIDTH - filled)}`;
        out.write(`\r\u001b[K  ${bar} ${String(percent).padStart(3)} %  ${label}`);
        return;
      }
      const quarter = Math.floor(percent / 25);
      if (quarter <= shownQuarter) return;
      shownQuarter = quarter;
      out.write(`  ${percent} %  ${label}\n`);
    },
    end() {
      if (out.isTTY) out.write('\r\u001b[K');
    },
  };
}
