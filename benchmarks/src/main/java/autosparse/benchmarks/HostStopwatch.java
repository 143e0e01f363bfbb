package autosparse.benchmarks;

/** Work on the processor is done when the call returns. */
final class HostStopwatch implements Stopwatch {
  @Override
  public Timing time(Runnable work) {
    long start = System.nanoTime();
    work.run();
    double milliseconds = (System.nanoTime() - start) / 1e6;
    return new Timing(milliseconds, milliseconds);
  }
}
