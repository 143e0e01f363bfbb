package autosparse.tuner.format;

/** Sorts indices by 64-bit keys, 11 bits at a time from the lowest; stable, without objects. */
final class RadixSort {
  private static final int BITS = 11;
  private static final int BUCKETS = 1 << BITS;

  private RadixSort() {}

  /**
   * The order that sorts keys.
   *
   * @param keys [n], none negative; left in no particular order
   * @param largest no key is larger
   * @return [n]: the index of the n-th smallest key; null where the keys are sorted already
   */
  static int[] order(long[] keys, long largest) {
    if (isSorted(keys)) {
      return null;
    }
    int n = keys.length;
    int[] order = new int[n];
    for (int i = 0; i < n; i++) {
      order[i] = i;
    }
    long[] from = keys;
    long[] to = new long[n];
    int[] orderTo = new int[n];
    int usedBits = Long.SIZE - Long.numberOfLeadingZeros(largest);
    for (int shift = 0; shift < usedBits; shift += BITS) {
      int[] start = new int[BUCKETS + 1];
      for (long key : from) {
        start[((int) (key >>> shift) & (BUCKETS - 1)) + 1]++;
      }
      for (int bucket = 0; bucket < BUCKETS; bucket++) {
        start[bucket + 1] += start[bucket];
      }
      for (int i = 0; i < n; i++) {
        int place = start[(int) (from[i] >>> shift) & (BUCKETS - 1)]++;
        to[place] = from[i];
        orderTo[place] = order[i];
      }
      long[] keysSwap = from;
      from = to;
      to = keysSwap;
      int[] orderSwap = order;
      order = orderTo;
      orderTo = orderSwap;
    }
    return order;
  }

  private static boolean isSorted(long[] keys) {
    for (int i = 1; i < keys.length; i++) {
      if (keys[i] < keys[i - 1]) {
        return false;
      }
    }
    return true;
  }
}
