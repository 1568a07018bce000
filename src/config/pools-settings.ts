/** The settings of pools: buckets that share a total, are sized ahead of demand and lend to each other. */
import { choice, duration, number, ratio, rows, section, text, toggle, whole } from './setting';

const name = (doc: string) => text({ doc, fallback: '', pattern: /^(\S.{0,127})?$/, takes: 'text' });
const perS = (doc: string) => number({ doc, fallback: 0, min: 0, max: 1e9, unit: 'requests a second' });

const list = rows(
  { doc: 'The pools.', takes: 'a list of at most 100 pools', max: 100 },
  {
    name: text({
      doc: 'Names the pool.',
      fallback: '',
      pattern: /^[A-Za-z0-9_.-]{1,64}$/,
      takes: 'letters, digits, _, . and -, at most 64',
    }),
    mode: choice(['off', 'shadow', 'active'], {
      doc: '`shadow` computes and records what would be done; `active` does it.',
      fallback: 'shadow',
    }),
    total_per_s: perS('What all members together may get; 0: the sum of their configured rates.'),
    max_share: ratio({ doc: 'The largest part of the total for one service.', fallback: 0.8 }),
    lending: toggle({ doc: 'Members lend tokens that they can spare.', fallback: true }),
    lend_at_once: toggle({
      doc: 'A bucket that runs empty borrows at once, on behalf of the call that waits.',
      fallback: true,
    }),
    learning_mode: choice(['off', 'shadow', 'active'], {
      doc: 'What a learned allocator does: `shadow` until it is measurably better, then it is promoted by itself; `active` at once. What applies is the lesser of `mode` and this.',
      fallback: 'shadow',
    }),
    auto_promote: toggle({
      doc: 'Go from shadow to active when the proposals lose less than the configured limits did, and back when they lose more.',
      fallback: false,
    }),
  },
);

const members = rows(
  {
    doc: 'Which rules belong to which pool. Of the rows that match a rule, the first counts.',
    takes: 'a list of at most 10000 rows',
    max: 10_000,
  },
  {
    pool: name('The pool.'),
    match: text({
      doc: "A rule's id (such as `domain.key_value`), `*` for any characters. A rule with a bucket for each value has its heavy keys as members.",
      fallback: '',
      pattern: /^\S(.{0,510}\S)?$/,
      takes: 'a pattern of at most 512 characters',
    }),
    priority: choice(['', 'CRITICAL', 'HIGH', 'MEDIUM', 'LOW'], {
      doc: "The priority; else the rule's, else MEDIUM.",
      fallback: '',
    }),
    sla_weight: number({
      doc: 'What its SLA makes it weigh among its priority.',
      fallback: 1,
      min: 0.001,
      max: 1_000,
    }),
    region_weight: number({
      doc: 'What its region makes it weigh; the two are multiplied.',
      fallback: 1,
      min: 0.001,
      max: 1_000,
    }),
    guarantee_per_s: perS('What it gets whenever it has demand for it.'),
    min_per_s: perS('It never gets less.'),
    max_per_s: perS('It never gets more; 0: twice what its limit says, or the total if that is less.'),
    max_capacity: whole({
      doc: 'Its bucket is never larger; 0: four times what its limit says.',
      fallback: 0,
      min: 0,
      max: 4_294_967_295,
    }),
    lendable: ratio({ doc: 'The part of its configured rate that others may use.', fallback: 0.9 }),
    borrowable: number({
      doc: 'How much it may have beyond its configured rate, as a part of it.',
      fallback: 1,
      min: 0,
      max: 100,
    }),
  },
);

const sizing = section('How sizes follow demand.', {
  safety_margin: number({
    doc: 'Added to forecast demand, as a part of it.',
    fallback: 0.2,
    min: 0,
    max: 10,
  }),
  threshold_high: ratio({ doc: 'Use of its rate over which a member grows.', fallback: 0.8 }),
  threshold_low: ratio({ doc: 'Use of its rate under which it shrinks after a while.', fallback: 0.3 }),
  growth_factor: number({ doc: 'By what it grows.', fallback: 1.5, min: 1, max: 10 }),
  shrink_factor: number({ doc: 'By what it shrinks.', fallback: 0.8, min: 0.01, max: 1 }),
  shrink_after: duration({ doc: 'How long use has to be low.', fallback: '1m', min: '1s', max: '1d' }),
  cooldown: duration({
    doc: 'The least time between two changes of one size.',
    fallback: '5s',
    min: '0s',
    max: '1h',
  }),
  max_step: number({
    doc: 'The largest change of a rate in one interval, as a part of the configured rate.',
    fallback: 3,
    min: 0.001,
    max: 100,
  }),
  dead_band: ratio({ doc: 'Smaller changes, as a part of the present rate, are left.', fallback: 0.02 }),
});

const signals = section(
  'Which of `observe.prometheus.signals` tell how a service is; its pool shares less when it suffers.',
  {
    cpu: name('Its CPU use, 0 to 1; empty: none.'),
    memory: name('Its memory use, 0 to 1.'),
    errors: name('The part of its answers that are errors, 0 to 1.'),
    latency: name('Its response time, milliseconds.'),
  },
);

const reward = section('What the learned allocator is paid for: weights of the terms of its reward.', {
  served: number({ doc: 'Served demand, weighted by priority.', fallback: 1, min: 0, max: 100 }),
  utilization: number({
    doc: 'Use of the total of 90 to 95 % where there is demand for it.',
    fallback: 0.1,
    min: 0,
    max: 100,
  }),
  denied: number({ doc: 'Denials, weighted by priority.', fallback: 1, min: 0, max: 100 }),
  critical: number({
    doc: 'Times what CRITICAL weighs among priorities, where terms weigh by them.',
    fallback: 3,
    min: 1,
    max: 100,
  }),
  queue: number({ doc: 'Growth of queues.', fallback: 0.05, min: 0, max: 100 }),
  guarantee: number({ doc: 'Guarantees that were not kept.', fallback: 1, min: 0, max: 100 }),
  churn: number({ doc: 'Changes of rates.', fallback: 0.02, min: 0, max: 100 }),
});

const learning = section('The learned allocator of pools.', {
  path: text({
    doc: 'The folder in which models are kept; empty: `models` beside the history.',
    fallback: '',
    takes: 'a path',
  }),
  model: text({
    doc: 'A model file, as `tidegate train` writes it, for pools that have no model yet; empty: none.',
    fallback: '',
    takes: 'a path',
  }),
  burn_in: duration({
    doc: 'How long a new model stays in shadow at least.',
    fallback: '24h',
    min: '0s',
    max: '30d',
  }),
  window: duration({ doc: 'Over how long its regret is measured.', fallback: '6h', min: '10s', max: '7d' }),
  confidence: ratio({ doc: 'How sure it has to be that the model is better.', fallback: 0.95 }),
  max_factor: number({
    doc: 'By how much it may raise, or lower, what the solver thinks a member needs.',
    fallback: 2,
    min: 1,
    max: 10,
  }),
  retrain: toggle({
    doc: 'Train a new model when demand has drifted, or there is none and history is long enough.',
    fallback: false,
  }),
  retrain_budget: duration({
    doc: 'The CPU time of a training, at most.',
    fallback: '10m',
    min: '1s',
    max: '1d',
  }),
  retrain_after: duration({
    doc: 'The least time between two trainings.',
    fallback: '1d',
    min: '1m',
    max: '30d',
  }),
  fine_tune: toggle({
    doc: 'Let a model that decides go on learning from history, each time within 5 % of what it was.',
    fallback: false,
  }),
  reward: reward.prefault({}),
});

/** `pools` in the settings file. */
export const pools = section(
  'Pools: limits that share a total by priority, follow demand before it comes, and lend to each other.',
  {
    tick: duration({ doc: 'How often lending is decided.', fallback: '1s', min: '100ms', max: '10s' }),
    interval: duration({ doc: 'How often rates are decided.', fallback: '10s', min: '100ms', max: '10m' }),
    life: duration({
      doc: 'How long what was decided holds when nothing newer comes.',
      fallback: '30s',
      min: '1s',
      max: '10m',
    }),
    decay: duration({
      doc: 'How long it then takes to fade to the configured limits.',
      fallback: '30s',
      min: '0s',
      max: '10m',
    }),
    leader_life: duration({
      doc: "How long a pool's leader that says nothing stays one.",
      fallback: '3s',
      min: '500ms',
      max: '1m',
    }),
    low_water: ratio({ doc: 'A bucket under this part of its capacity borrows.', fallback: 0.2 }),
    lend_part: ratio({ doc: 'The part of what a lender can spare that is lent.', fallback: 0.9 }),
    sizing: sizing.prefault({}),
    signals: signals.prefault({}),
    learning: learning.prefault({}),
    list,
    members,
  },
);
