import { compileFiles, compileInSteps, type CompileResult } from '../../src/limiter/compile-limits';
import { readLimitsFile } from '../../src/limiter/dialect/limits-reader';
import { COMPILE } from './parts';

const manyRules = (count: number): string =>
  `domain: d\ndescriptors:\n${Array.from({ length: count }, (_, index) => `  - {key: k, value: v${index}, rate_limit: {unit: hour, requests_per_unit: ${index}}}\n`).join('')}`;

function run(text: string): { steps: number; result: CompileResult } {
  const steps = compileInSteps([readLimitsFile({ name: 'f', text }, { lenient: false })], COMPILE);
  for (let count = 0; ; count += 1) {
    const step = steps.next();
    if (step.done === true) return { steps: count, result: step.value };
  }
}

describe('compiling in steps', () => {
  it('pauses the more often the more there is, so that a reload of many rules lets decisions pass', () => {
    expect(run(manyRules(50)).steps).toBe(0);
    expect(run(manyRules(1_000)).steps).toBe(10);
    const nested = `domain: d\ndescriptors:\n  - key: a\n    descriptors:\n${manyRules(1_000)
      .split('\n')
      .slice(2)
      .map((line) => `    ${line}`)
      .join('\n')}`;
    expect(run(nested).steps).toBe(10);
  });

  it('ends with what compiling in one go ends with', () => {
    const text = manyRules(300);
    const whole = compileFiles([readLimitsFile({ name: 'f', text }, { lenient: false })], COMPILE);
    expect(run(text).result.table?.rules.map((rule) => [rule.id, rule.params])).toEqual(
      whole.table?.rules.map((rule) => [rule.id, rule.params]),
    );
    expect(run(`${text}  - {key: k, value: v0}\n`).result.errors.map((error) => error.code)).toEqual([
      'TG_LIMITS_DUPLICATE_DESCRIPTOR',
    ]);
  });
});
