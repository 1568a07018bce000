import fc from 'fast-check';
import { sameBytes } from '../../src/core/same-bytes';

const bytes = fc.uint8Array({ maxLength: 20 });

describe('comparing bytes', () => {
  it('finds the same bytes the same, wherever they lie', () => {
    fc.assert(
      fc.property(bytes, bytes, bytes, (content, before, after) => {
        const around = Uint8Array.from([...before, ...content, ...after]);
        expect(sameBytes(content, 0, around, before.length, content.length)).toBe(true);
        expect(sameBytes(around, before.length, content, 0, content.length)).toBe(true);
      }),
    );
  });

  it('tells apart what differs in one place, and looks at no other bytes', () => {
    for (let length = 1; length <= 20; length += 1) {
      for (let at = 0; at < length; at += 1) {
        const one = new Uint8Array(length + 2);
        const two = Uint8Array.from(one);
        two[at + 1] = 1;
        expect(sameBytes(one, 1, two, 1, length)).toBe(false);
        two.set([1], at + 1);
        one.fill(1, at + 1, at + 2);
        one[0] = 9;
        one[length + 1] = 9;
        expect(sameBytes(one, 1, two, 1, length)).toBe(true);
      }
    }
  });
});
