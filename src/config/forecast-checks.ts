/** What patterns cannot tell of the settings of forecasts, and of who is talked to: whether they mean anything. */
import { Cron } from 'croner';
import type { Settings } from './settings-shape';

/** A setting that means nothing. */
export interface Nonsense {
  readonly path: string;
  readonly message: string;
  readonly remedy: string;
}

/** Finds them all: the thread that forecasts could not begin with any of them. */
export function nonsenseOf({ forecast, history, observe }: Settings): readonly Nonsense[] {
  const found: Nonsense[] = [];
  const fault = cronFault(forecast.refit);
  if (fault !== undefined)
    found.push({
      path: 'forecast.refit',
      message: `${fault} in the cron expression '${forecast.refit}'`,
      remedy: "write minute, hour, day, month and weekday, such as '30 3 * * *'",
    });
  const urls = [
    ['observe.prometheus.url', observe.prometheus.url],
    ['observe.jaeger.url', observe.jaeger.url],
    ['history.influx.url', history.influx.url],
    ['history.otlp.endpoint', history.otlp.endpoint],
  ] as const;
  for (const [path, url] of urls) {
    // It may hold a password, and so is not repeated.
    if (url !== '' && !URL.canParse(url))
      found.push({ path, message: 'this is no URL', remedy: 'write it as http://host:port/path' });
  }
  for (const [index, { webhook }] of forecast.alerts.entries()) {
    const message = webhookFault(webhook);
    if (message === undefined) continue;
    const remedy = 'write it as https://host/path, a secret in its path or query';
    found.push({ path: 'forecast.alerts', message: `row ${index + 1}: ${message}`, remedy });
  }
  for (const [index, { from, to }] of forecast.holidays.entries()) {
    if (Date.parse(from) <= Date.parse(to)) continue;
    const message = `row ${index + 1}: from ${from} to ${to} is no span of days`;
    found.push({
      path: 'forecast.holidays',
      message,
      remedy: 'write days that there are, the first one first',
    });
  }
  return found;
}

function cronFault(expression: string): string | undefined {
  try {
    const cron = new Cron(expression, { timezone: 'UTC', paused: true });
    return cron.nextRun() === null ? 'there is no such time' : undefined;
  } catch (thrown) {
    return thrown instanceof Error ? thrown.message.replace(/^CronPattern: /, '') : String(thrown);
  }
}

function webhookFault(url: string): string | undefined {
  if (url === '') return undefined;
  if (!URL.canParse(url)) return 'the webhook is no URL';
  const { username, password } = new URL(url);
  // What calls webhooks takes none with a user.
  return username === '' && password === '' ? undefined : 'the webhook names a user in its URL';
}
