package autosparse.engine;

import autosparse.engine.cuda.CudaMemory;
import autosparse.engine.memory.DeviceMemory;
import autosparse.engine.memory.HostMemory;
import autosparse.engine.memory.MemoryTag;
import java.nio.FloatBuffer;
import org.bytedeco.javacpp.FloatPointer;

/**
 * A contiguous, row-major block of elements in a device's memory.
 *
 * <p>A tensor belongs to the {@link TensorScope} that made it and dies with it. A view shares its
 * owner's memory and dies with the owner. Indices are 64-bit element indices; one copy moves at
 * most {@link HostMemory#WINDOW_STEP} bytes.
 */
public final class Tensor {
  private final Device device;
  private final String name;
  private final DType dtype;
  private final Shape shape;
  private final MemoryTag tag;
  private final long offset;
  private final Tensor owner;
  TensorScope scope;
  private boolean closed;

  Tensor(
      Device device,
      TensorScope scope,
      String name,
      DType dtype,
      Shape shape,
      MemoryTag tag,
      long offset,
      Tensor owner) {
    this.device = device;
    this.scope = scope;
    this.name = name;
    this.dtype = dtype;
    this.shape = shape;
    this.tag = tag;
    this.offset = offset;
    this.owner = owner;
  }

  /** Where its memory is. */
  public Device device() {
    return device;
  }

  /** How reports and messages call it; not unique. */
  public String name() {
    return name;
  }

  /** Type of the elements. */
  public DType dtype() {
    return dtype;
  }

  /** Sizes of the axes. */
  public Shape shape() {
    return shape;
  }

  /** What it is booked as. */
  public MemoryTag tag() {
    return tag;
  }

  /** Number of elements. */
  public long elements() {
    return shape.elements();
  }

  /** Size of a dimension; negative axes count from the innermost (-1). */
  public long dim(int axis) {
    return shape.dim(axis);
  }

  /** Size in bytes, without padding. */
  public long bytes() {
    return Math.multiplyExact(shape.elements(), (long) dtype.bytes());
  }

  /** Offset of the first element in the device's range, in bytes. */
  public long offset() {
    return offset;
  }

  /** Whether its memory was given back; a view goes with its owner. */
  public boolean isClosed() {
    return owner == null ? closed : owner.isClosed();
  }

  /** Whether this tensor shares another's memory. */
  public boolean isView() {
    return owner != null;
  }

  void markClosed() {
    closed = true;
  }

  /**
   * The same elements under another shape.
   *
   * @throws IllegalArgumentException when the number of elements differs
   */
  public Tensor view(long... sizes) {
    Shape other = Shape.of(sizes);
    if (other.elements() != elements()) {
      throw new IllegalArgumentException(
          this + " viewed as " + other + ": " + elements() + " elements, not " + other.elements());
    }
    return new Tensor(device, scope, name, dtype, other, tag, offset, owner == null ? this : owner);
  }

  /** Rows {@code from} (inclusive) to {@code to} (exclusive) of the outermost dimension. */
  public Tensor rows(long from, long to) {
    if (shape.rank() == 0 || from < 0 || to < from || to > dim(0)) {
      throw new IllegalArgumentException(this + ": rows " + from + " to " + to);
    }
    long[] sizes = shape.toArray();
    sizes[0] = to - from;
    long start = offset + from * shape.rowElements() * dtype.bytes();
    return new Tensor(
        device, scope, name, dtype, Shape.of(sizes), tag, start, owner == null ? this : owner);
  }

  /**
   * Copies {@code count} elements from element {@code from} on into {@code target}: of an F32
   * tensor as they are, of a BF16 tensor widened.
   */
  public void read(long from, float[] target, int at, int count) {
    if (dtype == DType.BF16) {
      short[] bits = new short[count];
      memory(DType.BF16, from, count).read(offset + from * 2, bits, 0, count);
      for (int i = 0; i < count; i++) {
        target[at + i] = BFloat16.value(bits[i]);
      }
      return;
    }
    memory(DType.F32, from, count).read(offset + from * 4, target, at, count);
  }

  /** As {@link #read(long, float[], int, int)}, of an F64 tensor. */
  public void read(long from, double[] target, int at, int count) {
    memory(DType.F64, from, count).read(offset + from * 8, target, at, count);
  }

  /** As {@link #read(long, float[], int, int)}, of an I32 tensor. */
  public void read(long from, int[] target, int at, int count) {
    memory(DType.I32, from, count).read(offset + from * 4, target, at, count);
  }

  /** As {@link #read(long, float[], int, int)}, of an I64 tensor. */
  public void read(long from, long[] target, int at, int count) {
    memory(DType.I64, from, count).read(offset + from * 8, target, at, count);
  }

  /**
   * Copies {@code count} elements of {@code source} to element {@code from} on, rounded to the
   * nearest where the tensor is BF16.
   */
  public void write(long from, float[] source, int at, int count) {
    if (dtype == DType.BF16) {
      short[] bits = new short[count];
      for (int i = 0; i < count; i++) {
        bits[i] = BFloat16.bits(source[at + i]);
      }
      memory(DType.BF16, from, count).write(offset + from * 2, bits, 0, count);
      return;
    }
    memory(DType.F32, from, count).write(offset + from * 4, source, at, count);
  }

  /** As {@link #write(long, float[], int, int)}, to an F64 tensor. */
  public void write(long from, double[] source, int at, int count) {
    memory(DType.F64, from, count).write(offset + from * 8, source, at, count);
  }

  /** As {@link #write(long, float[], int, int)}, to an I32 tensor. */
  public void write(long from, int[] source, int at, int count) {
    memory(DType.I32, from, count).write(offset + from * 4, source, at, count);
  }

  /** As {@link #write(long, float[], int, int)}, to an I64 tensor. */
  public void write(long from, long[] source, int at, int count) {
    memory(DType.I64, from, count).write(offset + from * 8, source, at, count);
  }

  /** As {@link #read(long, float[], int, int)}, the floats' bit patterns. */
  public void readBits(long from, int[] target, int at, int count) {
    memory(DType.F32, from, count).read(offset + from * 4, target, at, count);
  }

  /** As {@link #write(long, float[], int, int)}, from the floats' bit patterns. */
  public void writeBits(long from, int[] source, int at, int count) {
    memory(DType.F32, from, count).write(offset + from * 4, source, at, count);
  }

  /** The whole tensor as doubles, whatever its real type; for tests, reports and small results. */
  public double[] toDoubles() {
    int count = Math.toIntExact(elements());
    double[] values = new double[count];
    if (dtype == DType.F64) {
      read(0, values, 0, count);
    } else {
      float[] narrow = new float[count];
      read(0, narrow, 0, count);
      for (int i = 0; i < count; i++) {
        values[i] = narrow[i];
      }
    }
    return values;
  }

  /** Sets the whole tensor from doubles, rounding to its real type (to BF16 by way of F32). */
  public void setDoubles(double[] values) {
    if (values.length != elements()) {
      throw new IllegalArgumentException(
          this + " set from " + values.length + " values: expected " + elements());
    }
    if (dtype == DType.F64) {
      write(0, values, 0, values.length);
    } else {
      float[] narrow = new float[values.length];
      for (int i = 0; i < values.length; i++) {
        narrow[i] = (float) values[i];
      }
      write(0, narrow, 0, narrow.length);
    }
  }

  /** The whole F32 or BF16 tensor. */
  public float[] toFloats() {
    float[] values = new float[Math.toIntExact(elements())];
    read(0, values, 0, values.length);
    return values;
  }

  /** The whole I32 tensor. */
  public int[] toInts() {
    int[] values = new int[Math.toIntExact(elements())];
    read(0, values, 0, values.length);
    return values;
  }

  /** The whole I64 tensor. */
  public long[] toLongs() {
    long[] values = new long[Math.toIntExact(elements())];
    read(0, values, 0, values.length);
    return values;
  }

  /** One element of an I64 tensor. */
  public long longAt(long at) {
    long[] value = new long[1];
    read(at, value, 0, 1);
    return value[0];
  }

  /** The single element of a one-element real tensor. */
  public double item() {
    if (elements() != 1) {
      throw new IllegalArgumentException(this + ": expected one element");
    }
    return toDoubles()[0];
  }

  /** Native pointer to element {@code from}; host devices only. */
  public FloatPointer floatPointer(long from) {
    return ((HostMemory) memory(DType.F32, from, 0)).floatPointer(offset + from * 4);
  }

  /**
   * The buffer window that holds element {@code from}; host devices only. See {@link #floatIndex}.
   */
  public FloatBuffer floatWindow(long from) {
    return ((HostMemory) memory(DType.F32, from, 0)).floats(offset + from * 4);
  }

  /** Index of element {@code from} of an F32 tensor in {@link #floatWindow}. */
  public int floatIndex(long from) {
    return HostMemory.index4(offset + from * 4);
  }

  /**
   * Address of the first element on the device, for kernels; CUDA devices only.
   *
   * @param expected the element type that the kernel takes
   */
  public long deviceAddress(DType expected) {
    return ((CudaMemory) memory(expected, 0, 0)).address(offset);
  }

  private DeviceMemory memory(DType expected, long from, int count) {
    if (dtype != expected) {
      throw new IllegalArgumentException(this + " accessed as " + expected);
    }
    if (isClosed()) {
      throw new IllegalStateException(this + " was used after its scope was closed");
    }
    if (from < 0 || count < 0 || from + count > elements()) {
      throw new IndexOutOfBoundsException(
          this + ": elements " + from + " to " + (from + count) + " of " + elements());
    }
    return device.memory();
  }

  @Override
  public String toString() {
    return name + " " + dtype + shape;
  }
}
