/** What is exchanged with other systems, which begins while everything else goes on already. */
import type { ForecastStatus } from '../../core/forecast-desk';
import { TidegateError } from '../../core/errors';
import type { ObservationBatch } from '../../core/observation';
import type { Logger } from '../../core/ports';
import type { Exchange } from './exchange-part';

const CLOSE_MS = 2_000;

/** See the file's head. */
export class External {
  private exchange: Exchange | undefined;
  private starting: Promise<void> = Promise.resolve();
  private error: TidegateError | undefined;

  constructor(private readonly begin: () => Promise<Exchange>) {}

  /** Begins. What cannot begin is told in the log, and nothing is exchanged then. */
  start(logger: Logger): void {
    this.starting = this.begin().then(
      (exchange) => {
        this.exchange = exchange;
      },
      (thrown: unknown) => {
        this.error = TidegateError.from(thrown);
        logger.error({ error: this.error }, 'nothing is exchanged with other systems');
      },
    );
  }

  /** Takes what this process counted. */
  take(batch: ObservationBatch): void {
    this.exchange?.take(batch);
  }

  /** Does what is due. @param leads whether this process writes for its group. */
  turn(nowMs: number, leads: boolean): void {
    this.exchange?.turn(nowMs, leads);
  }

  /** How the systems are; nothing where there are none. */
  status(): Pick<ForecastStatus, 'external'> {
    const views = this.exchange?.views() ?? [];
    const { error } = this;
    if (error !== undefined) return { external: [{ what: 'all', error: `${error.code}: ${error.message}` }] };
    return views.length === 0 ? {} : { external: views };
  }

  /** Tells what is left, for a while. */
  async close(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const waited = new Promise<void>((resolve) => (timer = setTimeout(resolve, CLOSE_MS)));
    await Promise.race([waited, this.starting.then(() => this.exchange?.close())]);
    clearTimeout(timer);
  }
}
