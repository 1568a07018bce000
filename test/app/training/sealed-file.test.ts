/** Files that tell whether they are whole. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { readSealed, writeSealed, type FileKind } from '../../../src/app/training/sealed-file';

const folder = mkdtempSync(join(tmpdir(), 'tidegate-sealed-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const KIND: FileKind = { format: 'tidegate-test', version: 3, code: 'TG_LEARN_BAD_CHECKPOINT' };
const path = join(folder, 'file.json');

test('what was written is read, and nothing else lies beside it', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (body) => {
      writeSealed(path, KIND, body);
      expect(readSealed(path, KIND)).toEqual(JSON.parse(JSON.stringify(body)));
    }),
    { numRuns: 50 },
  );
  expect(readdirSync(folder)).toEqual(['file.json']);
});

test('any character that is changed, or an end that is cut off, is told', () => {
  writeSealed(path, KIND, { figures: [1, 2.5, 'x'], deep: { more: true } });
  const whole = readFileSync(path, 'utf8').trimEnd();
  const broken = join(folder, 'broken.json');
  fc.assert(
    fc.property(fc.nat(whole.length - 1), fc.constantFrom('7', 'q', '"', ''), (at, other) => {
      const text = `${whole.slice(0, at)}${other}${whole.slice(at + 1)}`;
      fc.pre(text !== whole);
      writeFileSync(broken, text);
      expect(() => readSealed(broken, KIND)).toThrow(
        expect.objectContaining({ code: 'TG_LEARN_BAD_CHECKPOINT', at: { file: broken } }) as Error,
      );
    }),
  );
});

test.each([
  ['no file', undefined, /cannot be read/],
  ['an empty file', '', /not whole/],
  ['a list', '[]', /no tidegate-test file/],
  ['another format', '{"format":"other","version":3}', /no tidegate-test file/],
  ['another version', '{"format":"tidegate-test","version":4}', /version 4/],
  ['no body', '{"format":"tidegate-test","version":3,"digest":"x"}', /damaged/],
])('%s is refused with what is wrong', (_, text, message) => {
  const odd = join(folder, 'odd.json');
  rmSync(odd, { force: true });
  if (text !== undefined) writeFileSync(odd, text);
  expect(() => readSealed(odd, KIND)).toThrow(message);
});
