/** The total that a pool may share while its services suffer. */
import type { ServiceHealth } from '../../core/control';
import { Elapsed } from '../elapsed';
import { type LoadWitness, type SavedLoad, ServiceLoad } from './service-load';

/** How a {@link TotalGovernor} is bounded. */
export interface GovernorOptions {
  /** The least part of the configured total, 0 to 1; 0.3. */
  readonly floor?: number;
  /** The least part that one figure of one service brings about alone; 0.6. */
  readonly aloneFloor?: number;
}

const FLOOR = 0.3;
const ALONE_FLOOR = 0.6;
/** Services beyond this many are not looked at. */
const MAX_SERVICES = 10_000;
/** Services that are handed over. */
const MAX_SAVED = 2_000;
const MAX_STEP_MS = 5_000;
const MAX_CAUSES = 3;

/**
 * Lowers the total when services suffer, and brings it back gradually: response time by {@link LatencyGradient} (gradient),
 * CPU over 85 %, memory over 90 % and errors over 10 % by {@link LoadBackoff} (AIMD). The figure that is worst decides, but what goes
 * below `aloneFloor` needs a second one that says so, of another kind or another service: a sensor that lies costs that much
 * and no more. Never below `floor` of what is configured, never above it.
 */
export class TotalGovernor {
  readonly #floor: number;
  readonly #aloneFloor: number;
  readonly #services = new Map<string, ServiceLoad>();
  readonly #elapsed = new Elapsed(MAX_STEP_MS);

  constructor(options: GovernorOptions = {}) {
    this.#floor = Math.min(1, Math.max(0, options.floor ?? FLOOR));
    this.#aloneFloor = Math.min(1, Math.max(this.#floor, options.aloneFloor ?? ALONE_FLOOR));
  }

  /**
   * @param nowMs may jump: one look counts for 5 s at most, and none for a step back.
   * @param configuredPerS 0 where it is not a finite figure above that.
   * @param health one row a service; of two, the first counts. Absent services and NaN change nothing for 30 s, then are let go.
   * @returns the total and, when it is lower than configured, why in words; else the empty string.
   */
  total(
    nowMs: number,
    configuredPerS: number,
    health: readonly ServiceHealth[],
  ): { totalPerS: number; why: string } {
    const passedMs = this.#elapsed.look(nowMs);
    this.#look(health, passedMs);
    const configured = Number.isFinite(configuredPerS) ? Math.max(0, configuredPerS) : 0;
    const witnesses: LoadWitness[] = [];
    for (const service of this.#services.values()) service.witnesses((witness) => witnesses.push(witness));
    if (witnesses.length === 0) return { totalPerS: configured, why: '' };
    witnesses.sort((a, b) => a.share - b.share);
    const worst = witnesses[0]?.share ?? 1;
    const second = witnesses[1]?.share ?? 1;
    const share = Math.max(this.#floor, worst, Math.min(this.#aloneFloor, second));
    const totalPerS = Math.min(configured, configured * share);
    return { totalPerS, why: inWords(configured, totalPerS, witnesses) };
  }

  /** What is known of the services, for {@link restore}. */
  save(): readonly SavedLoad[] {
    const rows: SavedLoad[] = [];
    for (const service of this.#services.values()) {
      if (rows.length >= MAX_SAVED) break;
      rows.push(service.save());
    }
    return rows;
  }

  /** Goes on from what another knew; services that it did not know stay as they are. */
  restore(rows: readonly SavedLoad[]): void {
    for (const row of rows.slice(0, MAX_SAVED)) {
      if (!this.#services.has(row[0]) && this.#services.size >= MAX_SERVICES) continue;
      const service = new ServiceLoad(row[0], this.#floor, this.#elapsed.totalMs);
      service.restore(row);
      this.#services.set(row[0], service);
    }
  }

  #look(health: readonly ServiceHealth[], passedMs: number): void {
    const elapsedMs = this.#elapsed.totalMs;
    const told = new Map<string, ServiceHealth>();
    for (const row of health) {
      if (told.has(row.service)) continue;
      if (!this.#services.has(row.service)) {
        if (this.#services.size >= MAX_SERVICES) continue;
        this.#services.set(row.service, new ServiceLoad(row.service, this.#floor, elapsedMs));
      }
      told.set(row.service, row);
    }
    for (const [name, service] of this.#services) {
      service.look(told.get(name), elapsedMs, passedMs);
      if (service.forgotten(elapsedMs)) this.#services.delete(name);
    }
  }
}

function inWords(configured: number, totalPerS: number, witnesses: readonly LoadWitness[]): string {
  const causes = witnesses.slice(0, MAX_CAUSES).map(({ why }) => why);
  const more = witnesses.length - causes.length;
  if (more > 0) causes.push(`${more} more`);
  const part = configured > 0 ? ` (${((100 * totalPerS) / configured).toFixed(0)} %)` : '';
  return `total ${totalPerS.toFixed(1)} of ${configured.toFixed(1)}/s${part}: ${causes.join('; ')}`;
}
