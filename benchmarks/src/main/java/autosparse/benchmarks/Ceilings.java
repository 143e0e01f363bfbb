package autosparse.benchmarks;

/**
 * What a device reaches at best, measured in the run that it judges.
 *
 * @param flops floating-point operations per second of a large matrix product
 * @param copy bytes per second, read and written ones both counted, of a copy that fits no cache
 */
record Ceilings(double flops, double copy) {
  /** The least time in which a device can do a piece of work, in milliseconds. */
  double floorMilliseconds(Cost cost) {
    return 1e3 * Math.max(cost.flops() / flops, cost.bytes() / copy);
  }

  @Override
  public String toString() {
    return "product %.1f GFLOP/s, copy %.1f GB/s".formatted(flops / 1e9, copy / 1e9);
  }
}
