/** Adds to the state of forecasting what other parts know of themselves. */
import type { AskName, ForecastAsks, ForecastDesk, ForecastStatus } from '../../core/forecast-desk';

/** What is added. */
export type MoreStatus = Pick<ForecastStatus, 'external'>;

/** See the file's head. */
export class StatusDesk implements ForecastDesk {
  constructor(
    private readonly desk: ForecastDesk,
    private readonly more: () => MoreStatus,
  ) {}

  async ask<N extends AskName>(name: N, ask: ForecastAsks[N]['ask']): Promise<ForecastAsks[N]['answer']> {
    const answer = await this.desk.ask(name, ask);
    return name === 'status' ? { ...answer, ...this.more() } : answer;
  }
}
