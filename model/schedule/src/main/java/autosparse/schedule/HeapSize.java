package autosparse.schedule;

/**
 * Bytes that objects take of the Java heap, as HotSpot lays them out: a header of 12 bytes, 4 more
 * for an array's length, references of 4 bytes on heaps below 32 GiB, all rounded up to 8.
 */
public final class HeapSize {
  private static final int HEADER = 12;
  private static final int ALIGNMENT = 8;

  /** Heaps from this size on have references of 8 bytes. */
  private static final long WIDE_HEAP = 32L << 30;

  /** Bytes of a reference in this process. */
  public static final int REFERENCE = Runtime.getRuntime().maxMemory() < WIDE_HEAP ? 4 : 8;

  private HeapSize() {}

  /**
   * An object.
   *
   * @param references its fields that are references
   * @param bytes of its other fields
   */
  public static long object(int references, int bytes) {
    return rounded(HEADER + (long) references * REFERENCE + bytes);
  }

  /**
   * An array.
   *
   * @param element bytes of an element
   */
  public static long array(long length, int element) {
    return rounded(HEADER + Integer.BYTES + length * element);
  }

  /** An array of references, what they refer to left aside. */
  public static long references(long length) {
    return array(length, REFERENCE);
  }

  private static long rounded(long bytes) {
    return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  }
}
