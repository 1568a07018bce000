/** The settings of history: where it is kept, how long, and what bounds it. */
import { duration, section, text, whole } from './setting';

const MB = 1_000_000;

const retention = section('How long steps of each resolution are kept.', {
  one_second: duration({ doc: 'Steps of 1 second.', fallback: '1h', min: '1m', max: '1d' }),
  ten_seconds: duration({ doc: 'Steps of 10 seconds.', fallback: '6h', min: '10m', max: '7d' }),
  one_minute: duration({ doc: 'Steps of 1 minute.', fallback: '3d', min: '1h', max: '60d' }),
  ten_minutes: duration({ doc: 'Steps of 10 minutes.', fallback: '60d', min: '1d', max: '730d' }),
});

/** `history` in the settings file. */
export const history = section('What is remembered of every class.', {
  path: text({
    doc: "The file (SQLite) that history and models are kept in, one for each Tidegate. `auto` is `history.db` in systemd's STATE_DIRECTORY, else in `tidegate` under XDG_STATE_HOME or ~/.local/state. `none` keeps them in memory alone, and a restart begins anew.",
    fallback: 'auto',
    takes: "`auto`, `none` or a file's path",
  }),
  retention: retention.prefault({}),
  flush_interval: duration({
    doc: 'How often changes are written: what a crash loses at most.',
    fallback: '10s',
    min: '1s',
    max: '10m',
  }),
  late_window: duration({
    doc: 'How late figures may come and still be counted in their step.',
    fallback: '30s',
    min: '1s',
    max: '10m',
  }),
  max_classes: whole({
    doc: 'Classes at most; beyond it those idle for ten minutes give way, and else new ones are counted together as `other`.',
    fallback: 10_000,
    min: 10,
    max: 100_000,
  }),
  max_memory_bytes: whole({
    doc: 'The memory that figures may take; beyond it the oldest are forgotten, as when the file cannot take them.',
    fallback: 500 * MB,
    min: 10 * MB,
    max: 100_000 * MB,
    unit: 'bytes',
  }),
  max_file_bytes: whole({
    doc: 'The length that the file may have; beyond it history goes on in memory.',
    fallback: 4_000 * MB,
    min: 10 * MB,
    max: 1_000_000 * MB,
    unit: 'bytes',
  }),
});
