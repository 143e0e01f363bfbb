package autosparse.layers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import autosparse.autograd.GradientCheck;
import autosparse.autograd.Variable;
import autosparse.engine.Device;
import autosparse.engine.HostDevice;
import autosparse.engine.RandomStream;
import autosparse.engine.Tensor;
import autosparse.engine.TensorScope;
import autosparse.engine.memory.MemoryTag;
import autosparse.engine.sparse.Sites;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A guarded device with parameters, inputs from a seeded stream, and a gradient check of layers;
 * closing it checks that the test left nothing behind.
 */
final class Fixture implements AutoCloseable {
  private static final double TOLERANCE = 1e-6;
  private static final long CAPACITY = 128L << 20;

  final Device device;
  final TensorScope scope;
  final Parameters parameters;
  final RandomStream random;
  private final long seed;

  Fixture(Device device, long seed) {
    this.device = device;
    this.scope = device.root().child("test");
    this.parameters = new Parameters(scope, seed);
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

  double[] normals(int count) {
    double[] values = new double[count];
    for (int i = 0; i < count; i++) {
      values[i] = random.nextGaussian();
    }
    return values;
  }

  Tensor normal(long... sizes) {
    int count = (int) Arrays.stream(sizes).reduce(1, (a, b) -> a * b);
    return scope.reals("input", MemoryTag.INPUT, normals(count), sizes);
  }

  Tensor offsets(long... values) {
    return scope.longs("offsets", MemoryTag.INPUT, values);
  }

  /** An input that gradients are taken by, as by a parameter. */
  Variable leaf(long... sizes) {
    return Variable.leaf(normal(sizes), scope.zeros("gradient", MemoryTag.GRADIENTS, sizes));
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
    return new Sites.Pattern(rows, columns, pointers, Arrays.copyOf(indices, count));
  }

  /** Checks the gradient by all parameters and the given inputs. */
  void checkGradient(GradientCheck.Function function, Variable... inputs) {
    List<Variable> leaves = new ArrayList<>(List.of(inputs));
    leaves.addAll(parameters.byName().values());
    double error = GradientCheck.worstErrorOfLeaves(device, leaves, seed, function);
    assertTrue(error < TOLERANCE, "seed " + seed + ": gradient error " + error);
  }

  @Override
  public void close() {
    assertEquals(
        scope.liveBytes(), device.ledger().liveBytes(), "left behind: " + device.root().dump());
    parameters.close();
    scope.close();
    device.close();
  }
}
