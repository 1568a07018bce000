// Node's environment, plus `nativeRequire`: loads a package outside of jest's sandbox, which refuses the dynamic
// imports of code that it did not transform.
import { createRequire } from 'node:module';
import { TestEnvironment } from 'jest-environment-node';

export default class NativeRequireEnvironment extends TestEnvironment {
  constructor(config, context) {
    super(config, context);
    this.global.nativeRequire = createRequire(import.meta.url);
  }
}
