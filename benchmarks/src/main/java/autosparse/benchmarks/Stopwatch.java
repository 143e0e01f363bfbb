package autosparse.benchmarks;

/** Times a piece of work on a device. */
interface Stopwatch {
  /**
   * What one call took.
   *
   * @param milliseconds on the device's clock, from the first operation to the end of the last
   * @param hostMilliseconds until the call returned: on a GPU until all was queued
   */
  record Timing(double milliseconds, double hostMilliseconds) {}

  Timing time(Runnable work);
}
