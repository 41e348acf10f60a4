/** `czar metrics`: what each worker cost and brought, and the sums. */
import { defineMetrics } from './report.ts';
import type { Verb } from '../verb.ts';

export const verb: Verb = {
  define(command, context) {
    defineMetrics(command, context);
  },
};
