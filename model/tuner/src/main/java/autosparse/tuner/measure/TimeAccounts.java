package autosparse.tuner.measure;

import java.util.concurrent.atomic.LongAdder;

/** Adds up where the time goes; workers may add to packing and compiling at the same time. */
final class TimeAccounts {
  final LongAdder packNanos = new LongAdder();
  final LongAdder compileNanos = new LongAdder();
  final LongAdder compiled = new LongAdder();
  final LongAdder cached = new LongAdder();
  long schedules;
  long timed;
  long restarts;
  long prepareNanos;
  long loadNanos;
  long checkNanos;
  long runNanos;
  long lostNanos;
  long totalNanos;

  TimeSpent snapshot() {
    return new TimeSpent(
        schedules,
        timed,
        compiled.sum(),
        cached.sum(),
        restarts,
        packNanos.sum(),
        compileNanos.sum(),
        prepareNanos,
        loadNanos,
        checkNanos,
        runNanos,
        lostNanos,
        totalNanos);
  }
}
