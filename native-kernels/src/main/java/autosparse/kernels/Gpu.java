package autosparse.kernels;

/**
 * One device that the driver sees.
 *
 * @param ordinal its number for the driver: N of {@code cuda:N}
 * @param major first part of its compute capability
 * @param minor second part
 * @param multiprocessors number of its streaming multiprocessors
 * @param totalBytes its memory
 */
public record Gpu(
    int ordinal, String name, int major, int minor, int multiprocessors, long totalBytes) {
  /** Such as {@code 9.0}. */
  public String computeCapability() {
    return major + "." + minor;
  }

  /** What a user calls it: {@code cuda:0}. */
  public String device() {
    return "cuda:" + ordinal;
  }
}
