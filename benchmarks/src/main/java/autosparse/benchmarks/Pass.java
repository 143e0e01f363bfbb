package autosparse.benchmarks;

/** Which part of a training pass is measured. */
public enum Pass {
  FORWARD("forward"),
  FORWARD_AND_BACKWARD("forward+backward"),
  /** The neighbour map is made anew for each call. */
  MAP_AND_FORWARD("map+forward");

  private final String text;

  Pass(String text) {
    this.text = text;
  }

  /** The name in a row of {@link TargetBenchmark}. */
  @Override
  public String toString() {
    return text;
  }
}
