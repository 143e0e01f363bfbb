package autosparse.engine.operators;

/**
 * Which elements dropout keeps: a counter-based generator, so that every device draws the same
 * mask, in any order and on any number of threads.
 *
 * <p>Element i is kept when the top 24 bits of SplitMix64's output number i (Steele, Lea, Flood,
 * 2014) are below keep·2^24.
 */
public final class DropoutMask {
  private static final long GOLDEN = 0x9E3779B97F4A7C15L;

  private DropoutMask() {}

  /** The bound that the top 24 bits of an element's hash stay below when it is kept. */
  public static long threshold(double keep) {
    return Math.round(keep * (1 << 24));
  }

  /**
   * Whether an element is kept.
   *
   * @param element its number in the tensor
   * @param threshold see {@link #threshold}
   */
  public static boolean keeps(long seed, long element, long threshold) {
    return (hash(seed, element) >>> 40) < threshold;
  }

  /** SplitMix64's output number {@code element} from the state {@code seed}. */
  public static long hash(long seed, long element) {
    long z = seed + (element + 1) * GOLDEN;
    z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
    z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
    return z ^ (z >>> 31);
  }
}
