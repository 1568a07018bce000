/** Reads a series from a file of rows `timestamp,value`, chunk by chunk, within bounds. */
import { createReadStream } from 'node:fs';
import { StringDecoder } from 'node:string_decoder';
import { TidegateError } from '../../core/errors';
import { Refusal } from '../refusal';
import { gridOf, type GriddedSeries } from './series-grid';
import { RowReader } from './series-rows';

/** A longer line is no row. */
const LINE_MAX = 4_096;

/** @throws Refusal with the mistakes of the file, told by line; TidegateError TG_SERIES_BAD_FILE when it cannot be read. */
export async function readSeriesFile(path: string): Promise<GriddedSeries> {
  const reader = new RowReader(path);
  let line = 0;
  let rest = '';
  const decoder = new StringDecoder('utf8');
  const take = (text: string): void => {
    const lines = (rest + text).split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop() ?? '';
    for (const one of lines) reader.take(one, (line += 1));
    if (rest.length > LINE_MAX) throw tooLong(path, line + 1);
  };
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: 1 << 18 })) {
      take(decoder.write(chunk as Buffer));
      if (reader.done) break;
    }
  } catch (thrown) {
    if (thrown instanceof TidegateError) throw thrown;
    const message = `cannot be read: ${thrown instanceof Error ? thrown.message : String(thrown)}`;
    throw new TidegateError('TG_SERIES_BAD_FILE', message, {
      at: { file: path },
      remedy: 'give the path of a file that can be read',
      cause: thrown,
    });
  }
  if (rest !== '' && !reader.done) reader.take(rest, line + 1);
  if (reader.mistakes.length > 0) throw new Refusal(reader.mistakes);
  const rows = reader.rows();
  if (rows.timesMs.length === 0) {
    throw new TidegateError('TG_SERIES_BAD_FILE', 'the file holds no rows', { at: { file: path } });
  }
  if (rows.values.every((value) => Number.isNaN(value))) {
    const message = `none of the ${rows.values.length} rows has a value`;
    throw new TidegateError('TG_SERIES_BAD_FILE', message, { at: { file: path } });
  }
  return gridOf(rows, path);
}

function tooLong(file: string, line: number): TidegateError {
  const message = `the line is longer than ${LINE_MAX} characters`;
  return new TidegateError('TG_SERIES_BAD_FILE', message, { at: { file, line } });
}
