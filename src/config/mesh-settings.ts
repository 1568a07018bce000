/** The settings of discovery: Envoy's own resources, served on the control port. */
import { duration, section, text } from './setting';

/** `mesh` in the settings file. */
export const mesh = section(
  "Discovery (xDS): listeners, routes, clusters, endpoints and runtime layers in Envoy's own YAML, served to Envoys on the control port.",
  {
    path: text({
      doc: 'A folder of .yaml, .yml and .json files, each with a list `resources` of objects with `@type`; empty serves none.',
      fallback: '',
      takes: 'a path',
    }),
    poll_interval: duration({
      doc: 'How often the folder is looked at; what has a mistake keeps the resources that were there.',
      fallback: '2s',
      min: '100ms',
      max: '10m',
    }),
  },
);
