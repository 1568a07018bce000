/** What every command is given. */
export interface CommandInput {
  /** Flags about settings. */
  readonly settingsFlags: readonly string[];
  /** The command's own arguments. */
  readonly rest: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** Standard output and standard error. */
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
}
