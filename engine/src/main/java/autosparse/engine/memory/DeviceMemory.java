package autosparse.engine.memory;

/**
 * A reserved range of a device's memory, read and written by byte offset.
 *
 * <p>Copies are in the device's element types, little-endian on every device we support; {@code at}
 * and {@code count} are in elements of the array. Offsets are not checked here: tensors do that.
 */
public interface DeviceMemory extends AutoCloseable {
  /** Size of the range in bytes. */
  long capacity();

  /** Copies elements from byte {@code offset} on to an array; waits for what writes them. */
  void read(long offset, float[] target, int at, int count);

  /** As {@link #read(long, float[], int, int)}. */
  void read(long offset, double[] target, int at, int count);

  /** As {@link #read(long, float[], int, int)}. */
  void read(long offset, int[] target, int at, int count);

  /** As {@link #read(long, float[], int, int)}. */
  void read(long offset, long[] target, int at, int count);

  /** Elements of 16 bits, such as the bits of {@link autosparse.engine.BFloat16}. */
  void read(long offset, short[] target, int at, int count);

  /** Copies elements of an array to byte {@code offset} on; the array may be changed afterwards. */
  void write(long offset, float[] source, int at, int count);

  /** As {@link #write(long, float[], int, int)}. */
  void write(long offset, double[] source, int at, int count);

  /** As {@link #write(long, float[], int, int)}. */
  void write(long offset, int[] source, int at, int count);

  /** As {@link #write(long, float[], int, int)}. */
  void write(long offset, long[] source, int at, int count);

  /** As {@link #write(long, float[], int, int)}, of elements of 16 bits. */
  void write(long offset, short[] source, int at, int count);

  /** Writes {@code words} copies of a 32-bit word. */
  void fill(long offset, int word, long words);

  @Override
  void close();
}
