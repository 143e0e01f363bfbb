package autosparse.autograd;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import autosparse.engine.Device;
import autosparse.engine.HostDevice;
import autosparse.engine.RandomStream;
import autosparse.engine.Tensor;
import autosparse.engine.TensorScope;
import autosparse.engine.memory.MemoryTag;
import autosparse.engine.sparse.Sites;
import java.util.List;

/**
 * A guarded device, a scope on it and a seeded stream of shapes and values; closing it checks that
 * the test left nothing behind.
 */
final class Fixture implements AutoCloseable {
  /** Largest error that a gradient check in double passes with. */
  static final double TOLERANCE = 1e-6;

  private static final long CAPACITY = 64L << 20;

  final Device device;
  final TensorScope scope;
  final RandomStream random;
  private final long seed;

  private Fixture(Device device, long seed) {
    this.device = device;
    this.scope = device.root().child("test");
    this.random = RandomStream.named(seed, "fixture");
    this.seed = seed;
  }

  /** On the reference: double precision, sentinels around every tensor, new ones full of NaN. */
  static Fixture reference(long seed) {
    return new Fixture(HostDevice.reference(options()), seed);
  }

  /** On the CPU engine with two threads, guarded likewise. */
  static Fixture cpu(long seed) {
    return new Fixture(HostDevice.cpu(options().withThreads(2)), seed);
  }

  private static HostDevice.Options options() {
    return HostDevice.Options.defaults().withCapacity(CAPACITY).withGuards();
  }

  /** A size between {@code from} and {@code to}, both included. */
  int size(int from, int to) {
    return from + random.nextInt(to - from + 1);
  }

  Tensor normal(long... sizes) {
    Tensor tensor = scope.real("input", MemoryTag.INPUT, sizes);
    double[] values = new double[Math.toIntExact(tensor.elements())];
    for (int i = 0; i < values.length; i++) {
      values[i] = random.nextGaussian();
    }
    tensor.setDoubles(values);
    return tensor;
  }

  /** A parameter with a zero gradient. */
  Variable leaf(long... sizes) {
    return Variable.leaf(normal(sizes), scope.zeros("gradient", MemoryTag.GRADIENTS, sizes));
  }

  Tensor offsets(long... values) {
    return scope.longs("offsets", MemoryTag.INPUT, values);
  }

  /** A random pattern in which each coordinate is active with the given probability. */
  Sites.Pattern pattern(int rows, int columns, double density) {
    long[] pointers = new long[rows + 1];
    int[] indices = new int[rows * columns];
    int count = 0;
    for (int r = 0; r < rows; r++) {
      for (int c = 0; c < columns; c++) {
        if (random.nextDouble() < density) {
          indices[count++] = c;
        }
      }
      pointers[r + 1] = count;
    }
    return new Sites.Pattern(rows, columns, pointers, java.util.Arrays.copyOf(indices, count));
  }

  /** Compares the function's backward pass with central differences by every leaf. */
  void checkGradient(GradientCheck.Function function, Tensor... leaves) {
    double error = GradientCheck.worstError(device, List.of(leaves), seed, function);
    assertTrue(error < TOLERANCE, "seed " + seed + ": gradient error " + error);
  }

  @Override
  public void close() {
    assertEquals(
        scope.liveBytes(), device.ledger().liveBytes(), "left behind: " + device.root().dump());
    scope.close();
    device.close();
  }
}
