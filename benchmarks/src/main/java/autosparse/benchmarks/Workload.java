package autosparse.benchmarks;

/** A piece of work that can be done over and over on a benchmark's device. */
interface Workload extends AutoCloseable {
  /** Does it once; on a GPU it is only queued. */
  void run();

  Cost cost();

  /** Gives the device's memory back. */
  @Override
  void close();
}
