package autosparse.kernels;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.LongSupplier;

/**
 * The book of the device memory that a process has taken for other things than tensors: for its
 * context, and by purpose for what the driver and its libraries took since. None of them says how
 * much that is, so it is read off from what is free.
 */
public final class DeviceAccounts {
  /** What {@link #taken} calls the context's own memory. */
  public static final String CONTEXT = "context";

  private final LongSupplier free;
  private final Map<String, Long> taken = new LinkedHashMap<>();
  private long lastFree;

  /**
   * @param free memory of the device that no process holds, in bytes
   */
  DeviceAccounts(LongSupplier free) {
    this.free = free;
  }

  /** Begins with the context's own bytes; what is less free from now on is booked. */
  void start(long contextBytes, long freeNow) {
    taken.put(CONTEXT, contextBytes);
    lastFree = freeNow;
  }

  /**
   * Books what is less free on the device than at the last call as taken for a purpose. What other
   * processes take or give back in between is booked with it: the driver does not tell them apart.
   *
   * @return the bytes booked by this call
   */
  public long book(String purpose) {
    long now = free.getAsLong();
    long bytes = Math.max(0, lastFree - now);
    lastFree = now;
    taken.merge(purpose, bytes, Long::sum);
    return bytes;
  }

  /** Takes back what {@link #book} booked: it was given back to the device. */
  public void release(String purpose, long bytes) {
    taken.merge(purpose, -bytes, Long::sum);
    lastFree = free.getAsLong();
  }

  /** Bytes by purpose, in the order of their taking. */
  public Map<String, Long> taken() {
    return Collections.unmodifiableMap(taken);
  }
}
