package autosparse.engine.memory;

/** A device's reserved range has no free block that is large enough. */
public final class OutOfDeviceMemoryException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  OutOfDeviceMemoryException(long wanted, long live, long capacity, long largestFree, String flag) {
    super(
        "out of device memory: wanted "
            + wanted
            + " bytes; live "
            + live
            + " of "
            + capacity
            + ", largest free block "
            + largestFree
            + " (raise "
            + flag
            + ", or take a smaller batch or fewer channels)");
  }
}
