package autosparse.engine.opcase;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import autosparse.engine.CudaDevice;
import autosparse.engine.GpuTests;
import autosparse.engine.Operators;
import autosparse.engine.Tensor;
import autosparse.engine.TensorScope;
import autosparse.engine.WorkGraph;
import autosparse.engine.memory.MemoryTag;
import autosparse.engine.operators.Activation;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Work graphs, and copies beside queued work. */
@Tag("gpu")
class CudaQueueTest {
  private static final int ROWS = 777;
  private static final int WIDTH = 96;

  @BeforeAll
  static void requireGpu() {
    GpuTests.require();
  }

  private static CudaDevice open() {
    return CudaDevice.open(CudaDevice.Options.of(0).withCapacity(1L << 30));
  }

  private static double[] normal(Random random, int count) {
    return random.doubles(count, -1, 1).toArray();
  }

  /** y = LayerNorm(relu(x·Wᵀ)·Wᵀ), its temporaries in a scope of its own; sum is its column sum. */
  private record Piece(Tensor x, Tensor weight, Tensor y, Tensor sum) {
    static Piece of(TensorScope scope, Random random) {
      Tensor weight =
          scope.reals("w", MemoryTag.WEIGHTS, normal(random, WIDTH * WIDTH), WIDTH, WIDTH);
      return new Piece(
          scope.real("x", MemoryTag.INPUT, ROWS, WIDTH),
          weight,
          scope.real("y", MemoryTag.INPUT, ROWS, WIDTH),
          scope.real("sum", MemoryTag.INPUT, WIDTH));
    }

    void run() {
      Operators operators = x.device().operators();
      try (TensorScope work = x.device().root().child("piece")) {
        Tensor hidden = work.real("hidden", MemoryTag.ACTIVATION, ROWS, WIDTH);
        Tensor z = work.real("z", MemoryTag.WORKSPACE, ROWS, WIDTH);
        Tensor gamma = work.real("gamma", MemoryTag.ACTIVATION, WIDTH);
        Tensor beta = work.zeros("beta", MemoryTag.ACTIVATION, WIDTH);
        Tensor mean = work.real("mean", MemoryTag.ACTIVATION, ROWS);
        Tensor deviation = work.real("deviation", MemoryTag.ACTIVATION, ROWS);
        operators.elementwise().fill(gamma, 1);
        operators.gemm().linear(x, weight, null, Activation.RELU, hidden);
        operators.gemm().linear(hidden, weight, null, Activation.IDENTITY, z);
        operators.normalization().layerNorm(z, gamma, beta, 1e-5, y, mean, deviation);
        operators.reduction().columnSum(y, false, sum);
      }
    }
  }

  @Test
  void replaysGiveThePiecesBitsWhateverElseIsDone() {
    try (CudaDevice device = open();
        TensorScope scope = device.root().child("test")) {
      Random random = new Random(3);
      Piece small = Piece.of(scope, random);
      Piece other = Piece.of(scope, random);
      long before = device.ledger().liveBytes();
      try (WorkGraph graph = device.graph("small", small::run);
          WorkGraph second = device.graph("other", other::run)) {
        for (int run = 0; run < 6; run++) {
          double[] values = normal(random, ROWS * WIDTH);
          small.x().setDoubles(values);
          small.run();
          float[] expected = small.y().toFloats();
          float[] sum = small.sum().toFloats();
          overwriteWhatIsFree(device);
          other.x().setDoubles(values);
          second.run();
          graph.run();
          assertArrayEquals(expected, small.y().toFloats(), "run " + run);
          assertArrayEquals(sum, small.sum().toFloats(), "run " + run);
        }
        assertTrue(device.ledger().liveBytes() > before, "memory of the graphs is in the book");
      }
      assertEquals(before, device.ledger().liveBytes());
    }
  }

  /** A temporary that has all that nobody holds, full of NaN. */
  private static void overwriteWhatIsFree(CudaDevice device) {
    try (TensorScope all = device.root().child("all that is free")) {
      long elements = device.allocator().largestFree() / Float.BYTES;
      Tensor rest = all.real("rest", MemoryTag.WORKSPACE, elements);
      device.operators().elementwise().fill(rest, Double.NaN);
    }
  }

  @Test
  void replaysAreOneLaunch() {
    try (CudaDevice device = open();
        TensorScope scope = device.root().child("test")) {
      Piece piece = Piece.of(scope, new Random(3));
      piece.x().setDoubles(normal(new Random(4), ROWS * WIDTH));
      try (WorkGraph graph = device.graph("piece", piece::run)) {
        graph.run();
        graph.run();
        long launches = device.context().launches();
        graph.run();
        assertEquals(launches + 1, device.context().launches());
      }
    }
  }

  @Test
  void copiesInsideAGraphAreRefusedWhenItIsCaptured() {
    try (CudaDevice device = open();
        TensorScope scope = device.root().child("test")) {
      Tensor x = scope.zeros("x", MemoryTag.INPUT, 3);
      try (WorkGraph graph = device.graph("reading", x::toFloats)) {
        graph.run();
        String message = assertThrows(IllegalStateException.class, graph::run).getMessage();
        assertEquals("a copy from the device inside captured reading", message);
      }
      assertArrayEquals(new float[3], x.toFloats(), "the device goes on");
    }
  }

  @Test
  void uploadsNeitherOvertakeNorAreOvertaken() {
    int count = 3 << 20;
    try (CudaDevice device = open();
        TensorScope scope = device.root().child("test")) {
      Operators operators = device.operators();
      Random random = new Random(5);
      float[] values = new float[count];
      List<Tensor> sums = new ArrayList<>();
      List<Double> expected = new ArrayList<>();
      for (int round = 0; round < 8; round++) {
        // Work that still uses the block which the upload then gets.
        try (TensorScope work = scope.child("work")) {
          Tensor old = work.real("old", MemoryTag.INPUT, count);
          Tensor sum = scope.real("sum", MemoryTag.INPUT, 1);
          for (int again = 0; again < 20; again++) {
            operators.elementwise().fill(old, round);
            operators.reduction().sum(old, sum);
          }
          sums.add(sum);
          expected.add((double) round * count);
        }
        for (int i = 0; i < count; i++) {
          values[i] = random.nextInt(2);
        }
        double total = 0;
        for (float value : values) {
          total += value;
        }
        try (TensorScope work = scope.child("uploaded")) {
          Tensor[] uploaded = new Tensor[1];
          Tensor meanwhile = work.real("meanwhile", MemoryTag.INPUT, count);
          device.beginUpload();
          operators.elementwise().fill(meanwhile, round);
          device.fillUpload(
              () -> {
                uploaded[0] = work.real("new", MemoryTag.INPUT, count);
                uploaded[0].write(0, values, 0, count);
              });
          device.awaitUploads();
          Tensor sum = scope.real("sum", MemoryTag.INPUT, 1);
          operators.reduction().sum(uploaded[0], sum);
          sums.add(sum);
          expected.add(total);
        }
      }
      for (int i = 0; i < sums.size(); i++) {
        assertEquals(expected.get(i), sums.get(i).item(), 1e-6 * expected.get(i), "sum " + i);
      }
    }
  }
}
