package autosparse.engine.cuda;

import autosparse.engine.memory.DeviceMemory;
import autosparse.kernels.CudaContext;
import autosparse.kernels.DeviceRange;

/** A device's reserved range: one block, taken when the device is opened. */
public final class CudaMemory implements DeviceMemory {
  private final DeviceRange range;

  /**
   * @throws autosparse.kernels.CudaCallException when the device has not as much
   */
  public CudaMemory(CudaContext context, long capacity) {
    this.range = context.allocate(capacity);
  }

  @Override
  public long capacity() {
    return range.bytes();
  }

  /** Address of byte {@code offset} on the device. */
  public long address(long offset) {
    return range.address() + offset;
  }

  @Override
  public void read(long offset, float[] target, int at, int count) {
    range.read(offset, target, at, count);
  }

  @Override
  public void read(long offset, double[] target, int at, int count) {
    range.read(offset, target, at, count);
  }

  @Override
  public void read(long offset, int[] target, int at, int count) {
    range.read(offset, target, at, count);
  }

  @Override
  public void read(long offset, long[] target, int at, int count) {
    range.read(offset, target, at, count);
  }

  @Override
  public void read(long offset, short[] target, int at, int count) {
    range.read(offset, target, at, count);
  }

  @Override
  public void write(long offset, short[] source, int at, int count) {
    range.write(offset, source, at, count);
  }

  @Override
  public void write(long offset, float[] source, int at, int count) {
    range.write(offset, source, at, count);
  }

  @Override
  public void write(long offset, double[] source, int at, int count) {
    range.write(offset, source, at, count);
  }

  @Override
  public void write(long offset, int[] source, int at, int count) {
    range.write(offset, source, at, count);
  }

  @Override
  public void write(long offset, long[] source, int at, int count) {
    range.write(offset, source, at, count);
  }

  @Override
  public void fill(long offset, int word, long words) {
    range.fill(offset, word, words);
  }

  @Override
  public void close() {
    range.close();
  }
}
