package autosparse.schedule;

/** Refuses input that cannot fit before anything is allocated for it. */
final class MemoryGuard {
  private MemoryGuard() {}

  /**
   * @throws InputException if {@code bytes} exceed what the heap can still give
   */
  static void require(long bytes, String what, SourceLocation source) {
    Runtime runtime = Runtime.getRuntime();
    long free = runtime.maxMemory() - (runtime.totalMemory() - runtime.freeMemory());
    if (bytes > free) {
      throw InputException.at(
          source,
          what
              + " needs "
              + bytes
              + " bytes, the heap has "
              + free
              + " left; give the JVM a larger -Xmx");
    }
  }
}
