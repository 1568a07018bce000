/** The errors of learned allocators. */
import { input, absent, outage, setup, type CatalogueEntry } from './error-kinds';

/** Part of the catalogue. */
export const LEARN_ERRORS = {
  TG_LEARN_TOO_LITTLE_HISTORY: setup(
    'There is too little history to learn an allocation from: the solver stays in charge.',
    'wait until there are two days of it at least, or give the scenario more training days',
  ),
  TG_LEARN_BAD_MODEL: setup(
    'A model of the learned allocator is damaged, or is none that this version can use.',
    'train it anew with `tidegate train`, or restore the file',
  ),
  TG_LEARN_BAD_CHECKPOINT: setup(
    'A checkpoint of a training is damaged, or of another training.',
    'resume from another checkpoint with the scenario and seed that it is of, or begin anew without --resume',
  ),
  TG_LEARN_THREAD_LOST: outage(
    'A thread of a training died; the last checkpoint is kept.',
    'go on with --resume and the checkpoint; see the message for the cause',
  ),
  TG_LEARN_UNKNOWN_MODEL: absent('There is no such model in the folder.', 'see `tidegate model list`'),
  TG_LEARN_OTHER_MODEL: setup(
    'A model was made for something else: by a later version, or from other features.',
    'train a model with this version',
  ),
  TG_LEARN_BAD_SETTINGS: setup(
    'Training cannot be set as it is told to be.',
    'see the message, and docs/learning.md for the bounds',
  ),
  TG_LEARN_BAD_ACTION: input(
    'An action is not of the length that its services need, or holds what is not a finite number.',
    'give finite numbers, so many for each service as the shape says',
  ),
  TG_LEARN_NOT_FINITE: setup(
    'A learned policy says what is not a number.',
    'nothing: the solver decides alone; train the model anew, or give another',
  ),
  TG_ALLOCATION_INVALID: setup(
    'An allocation controller was told what cannot be.',
    'see docs/library.md for what it takes',
  ),
} satisfies Record<string, CatalogueEntry>;
