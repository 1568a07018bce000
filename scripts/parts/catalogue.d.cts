/** One program and how it is installed. */
export interface Part {
  readonly apt?: string;
  readonly wheel?: string;
  readonly go?: string;
  readonly target?: string;
  readonly below?: string;
}
export const ROOT: string;
export const PARTS: Readonly<Record<string, Part>>;
export function findPart(name: string): string | undefined;
