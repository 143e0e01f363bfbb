package autosparse.engine.planning;

import autosparse.engine.memory.DeviceMemory;

/**
 * Memory of which there are addresses only: what is written is dropped, what is read leaves its
 * target as it was.
 *
 * @param capacity size of the range in bytes
 */
public record PlannedMemory(long capacity) implements DeviceMemory {
  @Override
  public void read(long offset, float[] target, int at, int count) {}

  @Override
  public void read(long offset, double[] target, int at, int count) {}

  @Override
  public void read(long offset, short[] target, int at, int count) {}

  @Override
  public void read(long offset, int[] target, int at, int count) {}

  @Override
  public void read(long offset, long[] target, int at, int count) {}

  @Override
  public void write(long offset, float[] source, int at, int count) {}

  @Override
  public void write(long offset, double[] source, int at, int count) {}

  @Override
  public void write(long offset, short[] source, int at, int count) {}

  @Override
  public void write(long offset, int[] source, int at, int count) {}

  @Override
  public void write(long offset, long[] source, int at, int count) {}

  @Override
  public void fill(long offset, int word, long words) {}

  @Override
  public void close() {}
}
