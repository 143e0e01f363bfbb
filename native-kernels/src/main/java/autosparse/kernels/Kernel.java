package autosparse.kernels;

import autosparse.kernels.Driver.PinnedBlock;
import autosparse.kernels.Ptx.Parameter;
import java.nio.ByteBuffer;
import java.util.List;

/**
 * One kernel, ready to be launched on its context's stream.
 *
 * <pre>{@code
 * kernel.begin().pointer(y).int64(elements).float32(value).launch(blocks, 256);
 * }</pre>
 *
 * <p>Arguments are written into a block that is made once; a launch allocates no Java object.
 * Arguments are checked against the parameters that the PTX declares. Not thread-safe.
 */
public final class Kernel {
  private static final int SLOT = Long.BYTES;

  private final CudaContext context;
  private final String name;
  private final Driver.Function function;
  private final Parameter[] parameters;
  private final PinnedBlock block;
  private final ByteBuffer arguments;
  private int next;

  /**
   * Dynamic shared memory asked for so far. Unasked a block has 48 KiB, less what the kernel
   * declares itself, which only the driver knows: so even little is asked for, once.
   */
  private int permittedSharedBytes;

  Kernel(
      CudaContext context,
      String name,
      Driver.Function function,
      List<Parameter> parameters,
      PinnedBlock block) {
    this.context = context;
    this.name = name;
    this.function = function;
    this.parameters = parameters.toArray(new Parameter[0]);
    this.block = block;
    this.arguments = block.buffer();
    // The block starts with the addresses of the values, as cuLaunchKernel wants them.
    for (int p = 0; p < this.parameters.length; p++) {
      arguments.putLong(p * SLOT, block.address() + (this.parameters.length + p) * (long) SLOT);
    }
  }

  /** Bytes of the argument block of a kernel with so many parameters. */
  static int blockBytes(int parameters) {
    return Math.max(1, 2 * parameters) * SLOT;
  }

  /** Such as {@code elementwise.fill_f32}. */
  public String name() {
    return name;
  }

  /** Starts a new list of arguments. */
  public Kernel begin() {
    next = 0;
    return this;
  }

  /** Next argument: an address on the device, or 0 for none. */
  public Kernel pointer(long address) {
    return int64(address);
  }

  /** Next argument, of 64 bits. */
  public Kernel int64(long value) {
    arguments.putLong(slot(Parameter.I64), value);
    return this;
  }

  /** Next argument, of 32 bits. */
  public Kernel int32(int value) {
    arguments.putInt(slot(Parameter.I32), value);
    return this;
  }

  /** Next argument, in single precision. */
  public Kernel float32(float value) {
    arguments.putFloat(slot(Parameter.F32), value);
    return this;
  }

  /** Next argument, in double precision. */
  public Kernel float64(double value) {
    arguments.putDouble(slot(Parameter.F64), value);
    return this;
  }

  private int slot(Parameter given) {
    if (next >= parameters.length || parameters[next] != given) {
      throw new IllegalStateException(
          "kernel "
              + name
              + ": argument "
              + next
              + " is "
              + given
              + ", parameters are "
              + List.of(parameters));
    }
    return (parameters.length + next++) * SLOT;
  }

  /** Launches a row of blocks; no block is legal and does nothing. */
  public void launch(long blocks, int threads) {
    launch(blocks, 1, 1, threads, 1, 1, 0);
  }

  /** As {@link #launch(long, int)} with dynamic shared memory for each block. */
  public void launch(long blocks, int threads, int sharedBytes) {
    launch(blocks, 1, 1, threads, 1, 1, sharedBytes);
  }

  /**
   * Launches a grid of blocks; an empty grid does nothing.
   *
   * @param sharedBytes dynamic shared memory of each block
   * @throws CudaCallException when the driver refuses the launch, or an earlier one failed
   */
  public void launch(
      long gridX, long gridY, long gridZ, int blockX, int blockY, int blockZ, int sharedBytes) {
    if (next != parameters.length) {
      throw new IllegalStateException(
          "kernel " + name + ": " + next + " arguments of " + parameters.length);
    }
    if (gridX == 0 || gridY == 0 || gridZ == 0) {
      return;
    }
    if (gridX > Integer.MAX_VALUE || gridY > 65535 || gridZ > 65535) {
      throw new IllegalArgumentException(
          "kernel " + name + ": grid " + gridX + "x" + gridY + "x" + gridZ + " is too large");
    }
    if (sharedBytes > permittedSharedBytes) {
      context.permitSharedMemory(name, function, sharedBytes);
      permittedSharedBytes = sharedBytes;
    }
    context.launch(
        name,
        function,
        (int) gridX,
        (int) gridY,
        (int) gridZ,
        blockX,
        blockY,
        blockZ,
        sharedBytes,
        block);
  }
}
