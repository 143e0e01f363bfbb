package autosparse.engine.cpu;

import autosparse.engine.Operators;

/** Assembles the families. */
public final class CpuOperators {
  private CpuOperators() {}

  public static Operators create(int threads) {
    WorkerPool pool = new WorkerPool(threads);
    return new Operators(
        null, null, null, null, null, null, null, null, null, null, null, pool::close);
  }
}
