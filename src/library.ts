/** What a program that uses Tidegate as a library may import: the allocator, without Envoy, limits files or settings. See docs/library.md. */
export { AllocationController } from './app/library/allocation-controller';
export type * from './app/library/allocation-types';
