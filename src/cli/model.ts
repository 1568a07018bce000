/** `tidegate model`: a folder of models of the learned allocator: list, show, import and export. */
import { assertWritable, writeWhole } from '../app/backtest/report-files';
import { readModelFile } from '../app/training/model-file';
import { ModelStore, type ModelInfo } from '../app/training/model-store';
import { TidegateError } from '../core/errors';
import { readOptions } from './arguments';
import type { CommandInput } from './command';

const OPTIONS = { dir: { type: 'string' }, json: { type: 'boolean' } } as const;

/** What a command takes beside --dir. */
const TAKES: Readonly<Record<string, readonly string[]>> = {
  list: [],
  show: ['VERSION'],
  import: ['FILE'],
  export: ['VERSION', 'FILE'],
};

/** @throws TidegateError for bad options, models that there are not, and files that are none. */
export async function model(input: CommandInput): Promise<void> {
  const { act, args, dir, json } = modelOptions(input);
  const store = new ModelStore(dir);
  const [first = '', second = ''] = args;
  if (act === 'list') return list(store, json, input);
  if (act === 'show') {
    const { info } = await store.get(first);
    return input.out(json ? asJson(info) : `${infoLines(info).join('\n')}\n`);
  }
  if (act === 'import') {
    const info = await store.put(readModelFile(first).text);
    return input.out(json ? asJson(info) : `imported: ${info.version}\n`);
  }
  assertWritable(second);
  writeWhole(second, (await store.get(first)).text);
  input.out(json ? asJson({ version: first, file: second }) : `written: ${second}\n`);
}

async function list(store: ModelStore, json: boolean, { out, err }: CommandInput): Promise<void> {
  const { models, bad } = await store.list();
  if (json) out(asJson(models));
  else if (models.length === 0) out(`no models in ${store.folder}\n`);
  else for (const info of models) out(`${lineOf(info)}\n`);
  for (const { file, error } of bad) err(`warning: left out: ${file}: ${error.toString()}\n`);
}

function lineOf({ version, createdAtMs, pinned, scores, data }: ModelInfo): string {
  const score = scores['held_out'];
  const words = [
    version,
    new Date(createdAtMs).toISOString(),
    score === undefined ? '' : `held out ${score.toFixed(3)} of the solver's loss`,
    typeof data['services'] === 'number' ? `${data['services']} services` : '',
    pinned ? 'pinned' : '',
  ];
  return words.filter((word) => word !== '').join('  ');
}

function infoLines(info: ModelInfo): readonly string[] {
  const rows = (name: string, values: Readonly<Record<string, unknown>>): readonly string[] =>
    Object.entries(values).map(([key, value]) => `${name}.${key}: ${JSON.stringify(value)}`);
  return [
    `version: ${info.version}`,
    `created: ${new Date(info.createdAtMs).toISOString()}`,
    `pinned: ${info.pinned ? 'yes' : 'no'}`,
    `seed: ${info.seed}`,
    ...rows('data', info.data),
    ...rows('scores', info.scores),
    ...rows('settings', info.settings),
  ];
}

function modelOptions({ rest, settingsFlags }: CommandInput) {
  const { values, positionals } = readOptions(rest, OPTIONS, true);
  if (settingsFlags.length > 0) {
    throw new TidegateError('TG_USAGE', `model takes no settings; ${settingsFlags[0]} is one`);
  }
  const [act = '', ...args] = positionals;
  const takes = Object.hasOwn(TAKES, act) ? TAKES[act] : undefined;
  if (takes === undefined) {
    throw new TidegateError('TG_USAGE', `model takes ${Object.keys(TAKES).join(', ')}, not '${act}'`);
  }
  if (args.length !== takes.length) {
    throw new TidegateError('TG_USAGE', `model ${act} takes ${takes.join(' and ') || 'no more'}`);
  }
  if (values.dir === undefined || values.dir === '') {
    throw new TidegateError('TG_USAGE', 'model needs --dir and the folder of the models');
  }
  return { act, args, dir: values.dir, json: values.json === true };
}

function asJson(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}
