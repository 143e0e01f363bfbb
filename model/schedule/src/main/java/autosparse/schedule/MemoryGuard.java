package autosparse.schedule;

/** Refuses input that cannot fit before anything is allocated for it. */
final class MemoryGuard {
  private MemoryGuard() {}

  /**
   * @throws InputException if {@code bytes} exceed what the heap can still give
   */
  static void require(long bytes, String what, SourceLocation source) {
    if (bytes > left()) {
      System.gc(); // what is garbage counts as used until it is collected
      long left = left();
      if (bytes > left) {
        long enough = Runtime.getRuntime().maxMemory() - left + bytes;
        throw InputException.at(
            source,
            what
                + " needs "
                + bytes
                + " bytes, the heap has "
                + Math.max(0, left)
                + " left; give the JVM a larger -Xmx: java -Xmx"
                + ((enough + (1 << 20) - 1) >> 20)
                + "m or more");
      }
    }
  }

  private static long left() {
    Runtime runtime = Runtime.getRuntime();
    return runtime.maxMemory() - (runtime.totalMemory() - runtime.freeMemory());
  }
}
