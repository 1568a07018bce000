/** What `tidegate help` prints, and the part of it that is about one command. */
const USAGE = `tidegate: a rate-limit sidecar for Envoy

  tidegate serve [SETTINGS]
      Serves. Without --limits it serves the example that comes with it.
  tidegate check [SETTINGS] FILE...
      Reads limits files (or directories of them) as one set, and reports every mistake. Exits 2 when there is one.
  tidegate explain [SETTINGS] [--json] --domain DOMAIN --entry KEY=VALUE [--entry KEY=VALUE ...]
      Says which rule a descriptor meets, its bucket, and why; entries from the outermost key inwards.
  tidegate explain-pool [SETTINGS] [--url http://HOST:PORT] [--json] NAME
      Says who decides for a pool that is being served, what its model advises, and what moved it. Without --url it asks the
      admin port of the settings.
  tidegate mesh status [SETTINGS] [--url http://HOST:PORT] [--json]
      Says what each Envoy has taken or refused, how traffic is spread over targets, and why. Without --url it asks the
      admin port of the settings.
  tidegate backtest FILE.csv [--train N] [--season N,N|none] [--origins FIRST:STEP:COUNT] [--horizons N,N] [--models NAME,NAME]
                    [--no-default] [--online] [--seed N] [--workers N] [--json OUT] [--html OUT] [--quiet]
      Says how well each model, and the choice that Tidegate would have made, would have forecast a series
      (columns timestamp,value). What is left out is chosen by the series. docs/forecasting.md explains it.
  tidegate simulate SCENARIO.yaml [--json OUT] [--html OUT] [--policies NAME,NAME] [--model MODEL] [--seed N]
                    [--threads N] [--quiet]
      Says how static, reactive, predictive, all-knowing and, with a model, learned limits would have served services
      that share a total, in simulated time. docs/simulator.md explains scenarios and figures.
  tidegate train SCENARIO.yaml --out MODEL [--seed N] [--budget 10m] [--updates N] [--resume CHECKPOINT] [--threads N]
                 [--html OUT] [--json OUT] [--quiet]
      Learns to share a total from a scenario's train days, in so much CPU time. docs/learning.md explains it.
  tidegate model list|show VERSION|import FILE|export VERSION FILE --dir DIR [--json]
      Keeps models of the learned allocator in a folder, by version.
  tidegate docs [--write]
      Prints docs/configuration.md and docs/errors.md as they are generated, or writes them.
  tidegate version
  tidegate help [COMMAND]

SETTINGS, the strongest first:
  --limits PATH                a limits file, or a directory of them
  --config FILE                a settings file (tidegate.yaml)
  --path.to.setting=VALUE      any setting, such as --data.port=9000 or --store.kind=redis
  TIDEGATE_PATH_TO_SETTING     the same from the environment; the reference server's names work as well

docs/configuration.md lists every setting.
`;

const SETTINGS_AT = USAGE.indexOf('\nSETTINGS,');

/** What `tidegate help` prints: all of it, or what is about `command`, where that is one. */
export function usageOf(command?: string): string {
  const start = command === undefined ? -1 : USAGE.search(new RegExp(`^  tidegate ${command}\\b(?!-)`, 'm'));
  if (start < 0) return USAGE;
  const next = USAGE.indexOf('\n  tidegate ', start);
  const entry = USAGE.slice(start, next < 0 ? SETTINGS_AT : next + 1);
  return entry.includes('[SETTINGS]') ? entry + USAGE.slice(SETTINGS_AT) : entry;
}
