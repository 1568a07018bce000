/** Answers asks wherever in the group they come: what only the leader knows, from what it shows. */
import type { AskName, ForecastAsks, ForecastDesk, GroupView } from '../../../core/forecast-desk';
import { TidegateError } from '../../../core/errors';
import type { GroupLink } from '../../../core/group';
import type { Board } from './board';
import type { BoardKeeper } from './board-keeper';
import type { GroupExchange } from './group-exchange';

/** What it stands on. */
export interface GroupDeskParts {
  /** Answers what this process knows. */
  readonly desk: ForecastDesk;
  readonly name: string;
  readonly link: GroupLink;
  readonly exchange: Pick<GroupExchange, 'leads' | 'silentMs'>;
  readonly boards: Pick<BoardKeeper, 'current' | 'ageMs'>;
  readonly nowMs: () => number;
}

type Answer<N extends AskName> = ForecastAsks[N]['answer'];
type Ask<N extends AskName> = ForecastAsks[N]['ask'];
/** What a member that does not lead answers in the leader's place. */
type Shown = { readonly [N in AskName]?: (ask: Ask<N>) => Answer<N> };

/** See the file's head. */
export class GroupDesk implements ForecastDesk {
  private readonly shown: Shown = {
    alerts: () => ({ alerts: this.board()?.alerts ?? [] }),
    replicas: () => ({ replicas: this.board()?.replicas ?? [] }),
    accuracy: (ask) => this.accuracy(ask),
    anomalies: (ask) => this.anomalies(ask),
    models: () => this.refuse(),
    rollback: () => this.refuse(),
    refit: () => this.refuse(),
  };

  constructor(private readonly parts: GroupDeskParts) {}

  async ask<N extends AskName>(name: N, ask: Ask<N>): Promise<Answer<N>> {
    const { desk, exchange } = this.parts;
    const shown = exchange.leads ? undefined : (this.shown[name] as ((ask: Ask<N>) => Answer<N>) | undefined);
    if (shown !== undefined) return shown(ask);
    const answer = await desk.ask(name, ask);
    return name === 'status' ? { ...answer, group: this.view() } : answer;
  }

  private board(): Board | undefined {
    return this.parts.boards.current(this.parts.nowMs());
  }

  private view(): GroupView {
    const { name, link, exchange, boards, nowMs } = this.parts;
    const { leader, epoch } = link.role();
    const now = nowMs();
    return {
      name,
      leader,
      epoch,
      leaderSource: this.board()?.source ?? null,
      silentMs: exchange.silentMs(now),
      boardAgeMs: boards.ageMs(now),
      boardClasses: this.board()?.classes ?? 0,
      members: link.members(),
      counts: link.counts(),
    };
  }

  private accuracy(ask: Ask<'accuracy'>): Answer<'accuracy'> {
    const all = (this.board()?.accuracy ?? []).filter(({ classId }) => (ask.classId ?? classId) === classId);
    const ids = [...new Set(all.map(({ classId }) => classId))].sort();
    const page = new Set(ids.slice(ask.offset, ask.offset + ask.limit));
    return { total: ids.length, accuracy: all.filter(({ classId }) => page.has(classId)) };
  }

  private anomalies(ask: Ask<'anomalies'>): Answer<'anomalies'> {
    const { classId, sinceMs = 0, offset, limit } = ask;
    const board = this.board();
    const all = (board?.anomalies ?? []).filter(
      (one) => (classId ?? one.classId) === one.classId && (one.endMs ?? Infinity) >= sinceMs,
    );
    const drifts = (board?.drifts ?? []).filter(
      (one) => (classId ?? one.classId) === one.classId && one.atMs >= sinceMs,
    );
    return { total: all.length, anomalies: all.slice(offset, offset + limit), drifts };
  }

  private refuse(): never {
    const leader = this.board()?.source ?? 'another member';
    throw new TidegateError('TG_FORECAST_FOLLOWER', `${leader} forecasts for the group ${this.parts.name}`);
  }
}
