import { MODELS } from './task-load.ts';

/** One model each for what answers at once, what has job ids, and what may be asked again. */
export function chaosConfig(url: string, lostMax: number): object {
  const provider = (form: string, repeatable = false) => ({
    type: 'scripted',
    form,
    base_url: url,
    repeatable,
  });
  return {
    providers: {
      immediate: provider('immediate'),
      job: provider('job'),
      repeatable: provider('immediate', true),
    },
    routes: Object.fromEntries(
      MODELS.map((model, index) => [model, [['immediate', 'job', 'repeatable'][index]]]),
    ),
    tasks: { cancels_per_hour_max: 100_000, lost_max: lostMax },
  };
}
