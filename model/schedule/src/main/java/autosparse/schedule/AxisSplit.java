package autosparse.schedule;

/**
 * One axis cut in two: axis i into i0 outside and i1 inside.
 *
 * <p>Only the inner size has an effect: the outer loop runs ceil(extent / inner) times. The outer
 * size is nominal; published records state 2^floor(log2 extent) / inner.
 *
 * @param axis the logical axis, e.g. {@code i}
 * @param outerSize nominal size of the outer part as written; 0 = not stated
 * @param innerSize size of the inner part, at least 1
 */
public record AxisSplit(String axis, long outerSize, long innerSize) {
  /** Throws {@link IllegalArgumentException} if a size is out of range. */
  public AxisSplit {
    Axis.requireName("split axis", axis);
    if (outerSize < 0) {
      throw new IllegalArgumentException(
          InputException.fieldMessage(axis + "0 size", outerSize, "0 (not stated) or more"));
    }
    if (innerSize < 1) {
      throw new IllegalArgumentException(
          InputException.fieldMessage(axis + "1 size", innerSize, "1 or more"));
    }
  }

  /** Name of the outer part. */
  public String outer() {
    return Axis.part(axis, 0);
  }

  /** Name of the inner part. */
  public String inner() {
    return Axis.part(axis, 1);
  }

  /** How often the outer loop really runs over an axis of {@code extent}: ceil(extent / inner). */
  public long outerIterations(long extent) {
    return extent / innerSize + (extent % innerSize == 0 ? 0 : 1);
  }

  /** The same split with the outer size not stated. */
  AxisSplit withoutOuterSize() {
    return outerSize == 0 ? this : new AxisSplit(axis, 0, innerSize);
  }

  /** The same split with the outer size that the published generator would state. */
  AxisSplit withPublishedOuterSize(long extent) {
    long power = extent <= 1 ? 1 : Long.highestOneBit(extent);
    return new AxisSplit(axis, Math.max(1, power / innerSize), innerSize);
  }
}
