package autosparse.schedule;

import java.nio.charset.StandardCharsets;

/** Hashes that are the same in every JVM; {@link Object#hashCode} promises no such thing. */
final class Hashing {
  /** The golden ratio's bits: odd, so that a product with it can be undone. */
  static final long ODD = 0x9e3779b97f4a7c15L;

  private Hashing() {}

  /** SplitMix64's finaliser (Steele, Lea, Flood 2014): a bijection that spreads every bit. */
  static long mix(long z) {
    z = (z ^ (z >>> 30)) * 0xbf58476d1ce4e5b9L;
    z = (z ^ (z >>> 27)) * 0x94d049bb133111ebL;
    return z ^ (z >>> 31);
  }

  /** A hash of a text under a seed. */
  static long of(long seed, String text) {
    long hash = mix(seed + ODD);
    for (byte b : text.getBytes(StandardCharsets.UTF_8)) {
      hash = mix((hash ^ b) + ODD);
    }
    return hash;
  }
}
