/** Prints, as the run's last line, how many tests ran and how they ended. */
class SummaryReporter {
  onRunComplete(_contexts, results) {
    const skipped = results.numPendingTests + results.numTodoTests;
    // A suite that could not even start has no tests to count, and yet has failed.
    const failed = results.numFailedTests + results.numRuntimeErrorTestSuites;
    process.stderr.write('', () => {
      process.stdout.write(
        `\ntests: ${results.numPassedTests} passed, ${failed} failed, ${skipped} skipped\n`,
      );
    });
  }

  getLastError() {
    return undefined;
  }
}

module.exports = SummaryReporter;
