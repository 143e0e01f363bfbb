package autosparse.layers;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import autosparse.autograd.SparseFunctions.Level;
import autosparse.autograd.Tape;
import autosparse.autograd.Variable;
import autosparse.engine.Tensor;
import autosparse.engine.memory.MemoryTag;
import autosparse.engine.operators.Activation;
import autosparse.engine.sparse.ConvolutionKernel;
import autosparse.engine.sparse.Sites;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Gradient checks of every layer by its input and all of its parameters. */
final class LayersGradientTest {
  private static final Initializer NORMAL = Initializer.normal(0.5);

  @ParameterizedTest
  @EnumSource(Activation.class)
  void linear(Activation activation) {
    try (Fixture f = Fixture.reference(1)) {
      Linear layer = new Linear(f.parameters.in("l"), 5, 3, activation, NORMAL);
      f.checkGradient((tape, v) -> List.of(layer.forward(tape, v.get(0))), f.leaf(4, 5));
    }
  }

  @Test
  void layerNorm() {
    try (Fixture f = Fixture.reference(2)) {
      LayerNorm layer = new LayerNorm(f.parameters.in("n"), 6);
      f.checkGradient((tape, v) -> List.of(layer.forward(tape, v.get(0))), f.leaf(4, 6));
    }
  }

  @Test
  void embedding() {
    try (Fixture f = Fixture.reference(3)) {
      Embedding layer = new Embedding(f.parameters.in("e"), 4, 3, NORMAL);
      Tensor index = f.scope.ints("index", MemoryTag.INPUT, new int[] {2, 0, 2, 2, 3});
      f.checkGradient((tape, v) -> List.of(layer.forward(tape, index)));
    }
  }

  @ParameterizedTest(name = "{0} heads")
  @ValueSource(ints = {1, 2, 4})
  void multiHeadAttentionOverUnevenSequences(int heads) {
    try (Fixture f = Fixture.reference(heads)) {
      MultiHeadAttention layer = new MultiHeadAttention(f.parameters.in("a"), 8, heads, NORMAL);
      Tensor offsets = f.offsets(0, 3, 4, 4, 11);
      f.checkGradient((tape, v) -> List.of(layer.forward(tape, v.get(0), offsets)), f.leaf(11, 8));
    }
  }

  @Test
  void aSequenceAttendsToItselfAlone() {
    try (Fixture f = Fixture.reference(5);
        Tape tape = Tape.inference(f.scope)) {
      MultiHeadAttention layer = new MultiHeadAttention(f.parameters.in("a"), 8, 2, NORMAL);
      Tensor x = f.normal(7, 8);
      Variable packed = layer.forward(tape, Variable.constant(x), f.offsets(0, 3, 7));
      Variable first = layer.forward(tape, Variable.constant(x.rows(0, 3)), f.offsets(0, 3));
      Variable second = layer.forward(tape, Variable.constant(x.rows(3, 7)), f.offsets(0, 4));
      assertArrayEquals(first.value().toDoubles(), packed.value().rows(0, 3).toDoubles(), 1e-13);
      assertArrayEquals(second.value().toDoubles(), packed.value().rows(3, 7).toDoubles(), 1e-13);
    }
  }

  @Test
  void headsMustDivideTheWidth() {
    try (Fixture f = Fixture.reference(1)) {
      var error =
          assertThrows(
              IllegalArgumentException.class,
              () -> new MultiHeadAttention(f.parameters.in("a"), 8, 3, NORMAL));
      assertEquals("3 heads over width 8", error.getMessage());
    }
  }

  @Test
  void residualMlpAsPublished() {
    try (Fixture f = Fixture.reference(6)) {
      ResidualMlp layer =
          new ResidualMlp(f.parameters.in("m"), "m", 4, 9, ResidualMlp.Form.PUBLISHED, NORMAL);
      f.checkGradient((tape, v) -> List.of(layer.forward(tape, v.get(0))), f.leaf(5, 4));
    }
  }

  @Test
  void residualMlpNormalizedWithDropout() {
    try (Fixture f = Fixture.reference(7)) {
      var form = new ResidualMlp.Form(true, Activation.GELU, Activation.IDENTITY, 0.7);
      ResidualMlp layer = new ResidualMlp(f.parameters.in("m"), "m", 4, 9, form, NORMAL);
      f.checkGradient((tape, v) -> List.of(layer.forward(tape, v.get(0))), f.leaf(5, 4));
    }
  }

  /** Convolution of ones, HDC block, strided convolution, and one more at the coarser level. */
  private static final class Tower {
    private final List<SparseConv2d> layers = new ArrayList<>();

    Tower(Parameters parameters) {
      layers.add(
          SparseConv2d.ofOnes(parameters.in("tower").in("1"), new ConvolutionKernel(5, 1, 1), 4));
      layers.addAll(new HdcBlock(parameters.in("tower").in("hdc"), 4, 2).layers());
      layers.add(
          new SparseConv2d(
              parameters.in("tower").in("down"), new ConvolutionKernel(3, 2, 1), 2, 3));
      layers.add(
          new SparseConv2d(
              parameters.in("tower").in("last"), new ConvolutionKernel(3, 1, 1), 3, 3));
    }

    /** The pooled outputs of all layers, then the features of the last. */
    List<Variable> forward(Tape tape, PatternPyramid pyramid) {
      List<Variable> outputs = new ArrayList<>();
      Variable x = null;
      int level = 0;
      for (SparseConv2d layer : layers) {
        Level result = layer.forward(tape, pyramid, level, x);
        level += layer.kernel().isSubmanifold() ? 0 : 1;
        outputs.add(result.pooled());
        x = result.features();
      }
      outputs.add(x);
      return outputs;
    }
  }

  @ParameterizedTest(name = "seed {0}")
  @ValueSource(longs = {1, 2})
  void towerThroughAPyramid(long seed) {
    try (Fixture f = Fixture.reference(seed);
        PatternPyramid pyramid =
            new PatternPyramid(f.scope, f.pattern(9, 7, 0.35), f.pattern(6, 11, 0.35))) {
      Tower tower = new Tower(f.parameters);
      f.checkGradient((tape, v) -> tower.forward(tape, pyramid));
    }
  }

  @Test
  void aBatchOfMatricesIsEachAloneOnTheReference() {
    batchIsEachAlone(Fixture.reference(8), 1e-13);
  }

  @Test
  void aBatchOfMatricesIsEachAloneOnTheCpu() {
    batchIsEachAlone(Fixture.cpu(8), 1e-5);
  }

  private static void batchIsEachAlone(Fixture fixture, double tolerance) {
    try (Fixture f = fixture) {
      Tower tower = new Tower(f.parameters);
      Sites.Pattern a = f.pattern(40, 30, 0.2);
      Sites.Pattern b = f.pattern(17, 50, 0.3);
      List<double[]> together = new ArrayList<>();
      List<double[]> gradientTogether = run(f, tower, together, a, b);
      List<double[]> first = new ArrayList<>();
      List<double[]> gradientFirst = run(f, tower, first, a);
      List<double[]> second = new ArrayList<>();
      List<double[]> gradientSecond = run(f, tower, second, b);
      for (int o = 0; o < together.size(); o++) {
        assertArrayEquals(
            concat(first.get(o), second.get(o)), together.get(o), tolerance, "output " + o);
      }
      for (int p = 0; p < gradientTogether.size(); p++) {
        double[] sum = gradientFirst.get(p).clone();
        double largest = 1;
        for (int i = 0; i < sum.length; i++) {
          sum[i] += gradientSecond.get(p)[i];
          largest = Math.max(largest, Math.abs(sum[i]));
        }
        assertArrayEquals(sum, gradientTogether.get(p), tolerance * largest, "parameter " + p);
      }
    }
  }

  /** Runs the tower forward into {@code outputs} and backward; the parameters' gradients. */
  private static List<double[]> run(
      Fixture f, Tower tower, List<double[]> outputs, Sites.Pattern... batch) {
    try (PatternPyramid pyramid = new PatternPyramid(f.scope, batch);
        Tape tape = Tape.recording(f.scope, 1)) {
      f.parameters.zeroGradients();
      for (Variable output : tower.forward(tape, pyramid)) {
        double[] values = output.value().toDoubles();
        assertTrue(java.util.Arrays.stream(values).allMatch(Double::isFinite));
        outputs.add(values);
        tape.gradient(output, g -> f.device.operators().elementwise().copy(output.value(), g));
      }
      tape.backward();
      return f.parameters.gradients().stream().map(Tensor::toDoubles).toList();
    }
  }

  private static double[] concat(double[] a, double[] b) {
    double[] both = java.util.Arrays.copyOf(a, a.length + b.length);
    System.arraycopy(b, 0, both, a.length, b.length);
    return both;
  }

  @Test
  void onesAreAtLevelZeroOnly() {
    try (Fixture f = Fixture.reference(1);
        PatternPyramid pyramid = new PatternPyramid(f.scope, f.pattern(4, 4, 0.5));
        Tape tape = Tape.inference(f.scope)) {
      SparseConv2d layer =
          SparseConv2d.ofOnes(f.parameters.in("1"), new ConvolutionKernel(3, 1, 1), 2);
      var error =
          assertThrows(IllegalArgumentException.class, () -> layer.forward(tape, pyramid, 1, null));
      assertEquals(
          "a convolution of ones at level 1: only level 0 is 1 at every site", error.getMessage());
    }
  }

  @ParameterizedTest
  @EnumSource(RankingLoss.class)
  void rankingLossesArePerGroup(RankingLoss loss) {
    try (Fixture f = Fixture.reference(9)) {
      Tensor labels = f.scope.reals("labels", MemoryTag.INPUT, new double[] {1, 0.5, 0.25, 0.9, 1});
      Tensor offsets = f.offsets(0, 3, 5);
      f.checkGradient(
          (tape, v) -> List.of(loss.forward(tape, v.get(0), labels, offsets)), f.leaf(5));
    }
  }
}
