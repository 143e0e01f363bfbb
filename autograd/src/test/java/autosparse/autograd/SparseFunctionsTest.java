package autosparse.autograd;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import autosparse.autograd.SparseFunctions.Pool;
import autosparse.engine.Tensor;
import autosparse.engine.memory.MemoryTag;
import autosparse.engine.sparse.ConvolutionKernel;
import autosparse.engine.sparse.NeighborMap;
import autosparse.engine.sparse.Sites;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Gradient checks of the functions over sites, on batches of random patterns. */
final class SparseFunctionsTest {
  static Stream<ConvolutionKernel> kernels() {
    return Stream.of(
        new ConvolutionKernel(1, 1, 1),
        new ConvolutionKernel(3, 1, 1),
        new ConvolutionKernel(3, 1, 2),
        new ConvolutionKernel(3, 1, 3),
        new ConvolutionKernel(5, 1, 1),
        new ConvolutionKernel(3, 2, 1),
        new ConvolutionKernel(3, 2, 2),
        new ConvolutionKernel(5, 2, 1),
        new ConvolutionKernel(3, 3, 1));
  }

  /** What later layers read of a layer: both of its outputs, or one. */
  private enum Read {
    BOTH,
    FEATURES,
    POOLED;

    List<Variable> of(SparseFunctions.Level level) {
      return switch (this) {
        case BOTH -> List.of(level.features(), level.pooled());
        case FEATURES -> List.of(level.features());
        case POOLED -> List.of(level.pooled());
      };
    }
  }

  private static NeighborMap map(Fixture f, ConvolutionKernel kernel, Sites.Pattern... batch) {
    var pattern = f.device.operators().pattern();
    Sites inputs = Sites.of(f.scope, batch);
    Sites outputs =
        kernel.isSubmanifold() ? inputs : pattern.downsample(inputs, kernel.stride(), f.scope);
    return pattern.neighbors(inputs, outputs, kernel, f.scope);
  }

  @ParameterizedTest
  @MethodSource("kernels")
  void convolution(ConvolutionKernel kernel) {
    for (long seed = 1; seed <= 3; seed++) {
      try (Fixture f = Fixture.reference(seed)) {
        NeighborMap map =
            map(
                f,
                kernel,
                f.pattern(f.size(1, 7), f.size(1, 7), 0.5),
                f.pattern(f.size(1, 7), f.size(1, 7), 0.2));
        int in = f.size(1, 3);
        Tensor x = f.normal(map.inputSites().count(), in);
        Tensor weight = f.normal(kernel.offsets(), in, f.size(1, 3));
        for (Read read : Read.values()) {
          f.checkGradient(
              (tape, v) -> read.of(SparseFunctions.convolution(tape, v.get(0), v.get(1), map)),
              x,
              weight);
        }
      }
    }
  }

  /** Two strips of one matrix add up to its sum, and gradients by it are those by the strips. */
  @Test
  void sumsOfStrips() {
    try (Fixture f = Fixture.reference(5)) {
      ConvolutionKernel kernel = new ConvolutionKernel(3, 1, 1);
      NeighborMap map = map(f, kernel, f.pattern(7, 6, 0.5));
      long sites = map.outputSites().count();
      long half = sites / 2;
      Tensor x = f.normal(sites, 2);
      Variable weight = f.leaf(9, 2, 3);
      Variable sum =
          Variable.leaf(
              f.scope.zeros("sum", MemoryTag.ACTIVATION, 1, 3),
              f.scope.zeros("gradient", MemoryTag.ACTIVATION, 1, 3));
      sum.gradient().setDoubles(new double[] {1, -2, 0.5});
      for (long[] bounds : new long[][] {{0, half}, {half, sites}}) {
        try (Tape tape = Tape.inference(f.scope)) {
          Pool pool = Pool.addedTo(sum.value(), f.offsets(bounds));
          SparseFunctions.convolution(tape, Variable.constant(x), weight, map, pool);
        }
      }
      double[] before = sum.value().toDoubles();
      for (long[] bounds : new long[][] {{0, half}, {half, sites}}) {
        try (Tape tape = Tape.recording(f.scope, 0)) {
          Pool pool = Pool.partOf(sum, f.offsets(bounds));
          SparseFunctions.convolution(tape, Variable.constant(x), weight, map, pool);
          tape.backward();
        }
      }
      Variable other =
          Variable.leaf(weight.value(), f.scope.zeros("g", MemoryTag.GRADIENTS, 9, 2, 3));
      try (Tape tape = Tape.recording(f.scope, 0)) {
        Variable average =
            SparseFunctions.convolution(tape, Variable.constant(x), other, map).pooled();
        double[] total = average.value().toDoubles();
        for (int c = 0; c < total.length; c++) {
          total[c] *= sites;
        }
        assertArrayEquals(total, sum.value().toDoubles(), 1e-12);
        tape.gradient(average, g -> g.setDoubles(new double[] {sites, -2.0 * sites, 0.5 * sites}));
        tape.backward();
      }
      assertArrayEquals(other.gradient().toDoubles(), weight.gradient().toDoubles(), 1e-12);

      // Computed again for their gradients, strips are not added again.
      assertArrayEquals(before, sum.value().toDoubles());
    }
  }

  @Test
  void convolutionOfEmptyMatrices() {
    for (ConvolutionKernel kernel : kernels().toList()) {
      try (Fixture f = Fixture.reference(1)) {
        NeighborMap map =
            map(f, kernel, f.pattern(3, 3, 0), f.pattern(2, 2, 1), f.pattern(0, 0, 0));
        f.checkGradient(
            (tape, v) -> Read.BOTH.of(SparseFunctions.convolution(tape, v.get(0), v.get(1), map)),
            f.normal(map.inputSites().count(), 2),
            f.normal(kernel.offsets(), 2, 2));
      }
    }
  }

  @ParameterizedTest(name = "seed {0}")
  @ValueSource(longs = {1, 2})
  void convolutionWithOneOfItsInputsFrozen(long seed) {
    try (Fixture f = Fixture.reference(seed)) {
      ConvolutionKernel kernel = new ConvolutionKernel(3, 2, 1);
      NeighborMap map = map(f, kernel, f.pattern(6, 6, 0.4));
      Tensor x = f.normal(map.inputSites().count(), 2);
      Tensor weight = f.normal(9, 2, 3);
      f.checkGradient(
          (tape, v) ->
              Read.BOTH.of(
                  SparseFunctions.convolution(tape, v.get(0), Variable.constant(weight), map)),
          x);
      f.checkGradient(
          (tape, v) ->
              Read.BOTH.of(SparseFunctions.convolution(tape, Variable.constant(x), v.get(0), map)),
          weight);
    }
  }

  @ParameterizedTest(name = "seed {0}")
  @ValueSource(longs = {1, 2, 3})
  void convolutionOfOnes(long seed) {
    for (int size : new int[] {1, 3, 5}) {
      try (Fixture f = Fixture.reference(seed)) {
        ConvolutionKernel kernel = new ConvolutionKernel(size, 1, 1);
        Sites sites = Sites.of(f.scope, f.pattern(6, 5, 0.4), f.pattern(4, 7, 0.3));
        Tensor masks = f.device.operators().pattern().neighborhoodMasks(sites, kernel, f.scope);
        Tensor weight = f.normal(kernel.offsets(), 1, f.size(1, 4));
        for (Read read : Read.values()) {
          f.checkGradient(
              (tape, v) ->
                  read.of(SparseFunctions.convolutionOfOnes(tape, sites, kernel, masks, v.get(0))),
              weight);
        }
      }
    }
  }

  @Test
  void convolutionOfOnesIsTheConvolutionOfStoredOnes() {
    try (Fixture f = Fixture.reference(4);
        Tape tape = Tape.inference(f.scope)) {
      ConvolutionKernel kernel = new ConvolutionKernel(5, 1, 1);
      NeighborMap map = map(f, kernel, f.pattern(8, 8, 0.4));
      Sites sites = map.inputSites();
      double[] ones = new double[(int) sites.count()];
      Arrays.fill(ones, 1);
      Variable x =
          Variable.constant(f.scope.reals("ones", MemoryTag.INPUT, ones, sites.count(), 1));
      Variable weight = Variable.constant(f.normal(25, 1, 3));
      var stored = SparseFunctions.convolution(tape, x, weight, map);
      var implied = SparseFunctions.convolutionOfOnes(tape, sites, kernel, map.masks(), weight);
      assertArrayEquals(
          stored.features().value().toDoubles(), implied.features().value().toDoubles(), 1e-12);
      assertArrayEquals(
          stored.pooled().value().toDoubles(), implied.pooled().value().toDoubles(), 1e-12);
    }
  }
}
