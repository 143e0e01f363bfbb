package autosparse.engine;

/**
 * SplitMix64 (Steele, Lea, Flood, 2014): the project's only source of randomness.
 *
 * <p>Ours and not the JDK's because a run's bits must not depend on the JDK's version; the whole
 * state is one long, which checkpoints keep.
 */
public final class RandomStream {
  private static final long GAMMA = 0x9E3779B97F4A7C15L;
  private long state;

  /** A stream that starts at a state, such as one that {@link #state} gave. */
  public RandomStream(long seed) {
    this.state = seed;
  }

  /** The stream of one purpose: equal seed and name give an equal stream. */
  public static RandomStream named(long seed, String name) {
    long hash = 0xCBF29CE484222325L;
    for (int i = 0; i < name.length(); i++) {
      hash = (hash ^ name.charAt(i)) * 0x100000001B3L;
    }
    return new RandomStream(mix(mix(seed + GAMMA) ^ hash));
  }

  /** What the stream goes on from. */
  public long state() {
    return state;
  }

  private static long mix(long z) {
    z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
    z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
    return z ^ (z >>> 31);
  }

  /** 64 random bits. */
  public long nextLong() {
    state += GAMMA;
    return mix(state);
  }

  /** Uniform in [0, bound), up to a bias of bound/2^63. */
  public int nextInt(int bound) {
    if (bound <= 0) {
      throw new IllegalArgumentException("bound " + bound + ": expected at least 1");
    }
    return (int) ((nextLong() >>> 1) % bound);
  }

  /** Uniform in [0, 1), 53 bits. */
  public double nextDouble() {
    return (nextLong() >>> 11) * 0x1p-53;
  }

  /** Standard normal, by Box and Muller; two uniforms a value. */
  public double nextGaussian() {
    double radius = Math.sqrt(-2 * StrictMath.log(1 - nextDouble()));
    return radius * StrictMath.cos(2 * Math.PI * nextDouble());
  }

  /** Shuffles in place (Fisher and Yates). */
  public void shuffle(int[] values) {
    for (int i = values.length - 1; i > 0; i--) {
      int j = nextInt(i + 1);
      int swapped = values[i];
      values[i] = values[j];
      values[j] = swapped;
    }
  }
}
