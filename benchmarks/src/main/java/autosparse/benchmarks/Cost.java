package autosparse.benchmarks;

/**
 * What a piece of work has to do.
 *
 * @param flops floating-point operations that it has to do; two for each multiply-add
 * @param bytes least bytes that it has to move: inputs read once, outputs written once
 * @param schedules schedules that it ranks; 0 when it ranks none
 */
record Cost(double flops, double bytes, long schedules) {
  static Cost of(double flops, double bytes) {
    return new Cost(flops, bytes, 0);
  }
}
