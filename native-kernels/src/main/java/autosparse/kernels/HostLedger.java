package autosparse.kernels;

import java.util.EnumMap;
import java.util.Map;

/**
 * The book of the memory that a device takes of the host outside the Java heap: live and peak bytes
 * by kind, as they were asked for. Thread-safe.
 */
public final class HostLedger {
  /** What host memory is taken for. */
  public enum Kind {
    /** Operands of BLAS, a block for each thread of the CPU engine. */
    SCRATCH("scratch"),
    /** Page-locked buffers that copies to and from a GPU go through. */
    STAGING("staging"),
    /** Page-locked blocks of kernels' arguments. */
    ARGUMENTS("kernel arguments");

    private final String text;

    Kind(String text) {
      this.text = text;
    }

    /** What reports call it. */
    @Override
    public String toString() {
      return text;
    }
  }

  private final Map<Kind, Long> live = new EnumMap<>(Kind.class);
  private final Map<Kind, Long> peak = new EnumMap<>(Kind.class);

  /** Books bytes that were taken. */
  public synchronized void taken(Kind kind, long bytes) {
    long now = live.merge(kind, bytes, Long::sum);
    peak.merge(kind, now, Math::max);
  }

  /** Books bytes that were given back. */
  public synchronized void given(Kind kind, long bytes) {
    live.merge(kind, -bytes, Long::sum);
  }

  /** Bytes held now. */
  public synchronized long liveBytes() {
    return live.values().stream().mapToLong(Long::longValue).sum();
  }

  /** The most bytes of each kind that were held at once; kinds that never were are left out. */
  public synchronized Map<Kind, Long> peak() {
    return new EnumMap<>(peak);
  }
}
