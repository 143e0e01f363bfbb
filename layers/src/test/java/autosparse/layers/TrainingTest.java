package autosparse.layers;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import autosparse.autograd.DenseFunctions;
import autosparse.autograd.LossFunctions;
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
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A small cost model, made of every layer, learns to rank; memory stays where it was. */
final class TrainingTest {
  private static final int CANDIDATES = 24;
  private static final int MATRICES = 2;
  private static final int WIDTH = 8;

  /** Tower over the patterns, attention over each candidate's tokens, a score per candidate. */
  private static final class Network {
    private final SparseConv2d ones;
    private final List<SparseConv2d> block;
    private final SparseConv2d down;
    private final Linear feature;
    private final Embedding kinds;
    private final MultiHeadAttention attention;
    private final ResidualMlp mlp;
    private final Linear score;

    Network(Parameters p, double keep) {
      Initializer init = Initializer.uniformFanIn();
      ones = SparseConv2d.ofOnes(p.in("1"), new ConvolutionKernel(5, 1, 1), 4);
      block = new HdcBlock(p.in("hdc"), 4, 4).layers();
      down = new SparseConv2d(p.in("down"), new ConvolutionKernel(3, 2, 1), 4, 4);
      feature = new Linear(p.in("feature"), 5 * 4, WIDTH, Activation.GELU, init);
      kinds = new Embedding(p.in("kinds"), 3, WIDTH, Initializer.normal(0.3));
      attention = new MultiHeadAttention(p.in("attention"), WIDTH, 2, init);
      var form = new ResidualMlp.Form(true, Activation.GELU, Activation.IDENTITY, keep);
      mlp = new ResidualMlp(p.in("mlp"), "mlp", WIDTH, 2 * WIDTH, form, init);
      score = new Linear(p.in("score"), WIDTH, 1, Activation.IDENTITY, init);
    }

    Variable tower(Tape tape, PatternPyramid pyramid) {
      List<Variable> pooled = new ArrayList<>();
      Level level = ones.forward(tape, pyramid, 0, null);
      pooled.add(level.pooled());
      for (SparseConv2d layer : block) {
        level = layer.forward(tape, pyramid, 0, level.features());
        pooled.add(level.pooled());
      }
      pooled.add(down.forward(tape, pyramid, 0, level.features()).pooled());
      return feature.forward(tape, DenseFunctions.concatColumns(tape, pooled));
    }

    Variable scores(Tape tape, PatternPyramid pyramid, Data data) {
      Variable perMatrix = tower(tape, pyramid);
      Variable tokens =
          DenseFunctions.add(
              tape,
              kinds.forward(tape, data.kinds),
              DenseFunctions.gather(tape, perMatrix, data.matrixOfToken));
      tokens = DenseFunctions.add(tape, tokens, Variable.constant(data.numbers));
      tokens = DenseFunctions.add(tape, tokens, attention.forward(tape, tokens, data.tokenOffsets));
      tokens = mlp.forward(tape, tokens);
      Variable candidates = DenseFunctions.segmentSum(tape, tokens, data.tokenOffsets);
      return DenseFunctions.reshape(
          tape, score.forward(tape, candidates), candidates.value().dim(0));
    }
  }

  /** Candidates of two matrices, of one to three tokens each, and a label that they decide. */
  private static final class Data {
    final Sites.Pattern[] patterns;
    final Tensor kinds;
    final Tensor matrixOfToken;
    final Tensor numbers;
    final Tensor tokenOffsets;
    final Tensor groupOffsets;
    final Tensor labels;

    Data(Fixture f) {
      patterns = new Sites.Pattern[] {f.pattern(20, 20, 0.15), f.pattern(12, 30, 0.3)};
      int all = CANDIDATES * MATRICES;
      long[] offsets = new long[all + 1];
      for (int c = 0; c < all; c++) {
        offsets[c + 1] = offsets[c] + 1 + c % 3;
      }
      int tokens = (int) offsets[all];
      int[] kind = new int[tokens];
      int[] matrix = new int[tokens];
      double[] number = f.normals(tokens * WIDTH);
      double[] label = new double[all];
      for (int c = 0; c < all; c++) {
        double speed = 0;
        for (int t = (int) offsets[c]; t < offsets[c + 1]; t++) {
          kind[t] = f.random.nextInt(3);
          matrix[t] = c / CANDIDATES;
          // The same number is good for one matrix and bad for the other.
          speed += number[t * WIDTH] * (matrix[t] == 0 ? 1 : -1) + 0.5 * kind[t];
        }
        label[c] = 1 / (1 + Math.exp(-speed));
      }
      kinds = f.scope.ints("kinds", MemoryTag.INPUT, kind);
      matrixOfToken = f.scope.ints("matrices", MemoryTag.INPUT, matrix);
      numbers = f.scope.reals("numbers", MemoryTag.INPUT, number, tokens, WIDTH);
      tokenOffsets = f.offsets(offsets);
      groupOffsets = f.offsets(0, CANDIDATES, all);
      labels = f.scope.reals("labels", MemoryTag.INPUT, label);
    }
  }

  /** Trains and returns the loss before each step. */
  private static List<Double> train(
      Fixture f, RankingLoss ranking, double keep, int steps, Runnable afterStep) {
    Network network = new Network(f.parameters, keep);
    Data data = new Data(f);
    List<Double> losses = new ArrayList<>();
    Adam.Settings settings = Adam.Settings.of(5e-3, 1e-4, true, 1);
    try (Adam adam = new Adam(f.scope, f.parameters, settings)) {
      for (int step = 0; step < steps; step++) {
        try (PatternPyramid pyramid = new PatternPyramid(f.scope, data.patterns);
            Tape tape = Tape.recording(f.scope, step)) {
          Variable scores = network.scores(tape, pyramid, data);
          Variable perGroup = ranking.forward(tape, scores, data.labels, data.groupOffsets);
          Variable loss = LossFunctions.scaledSum(tape, perGroup, 1.0 / MATRICES);
          losses.add(loss.value().item());
          tape.backward(loss);
        }
        adam.step(1);
        afterStep.run();
      }
    }
    return losses;
  }

  /** 200 steps bring the loss below a twentieth of where it began. */
  @ParameterizedTest
  @EnumSource(RankingLoss.class)
  void learnsToRank(RankingLoss ranking) {
    learnsToRank(Fixture.cpu(1), ranking);
    learnsToRank(Fixture.reference(1), ranking);
  }

  private static void learnsToRank(Fixture fixture, RankingLoss ranking) {
    try (Fixture f = fixture) {
      List<Double> losses = train(f, ranking, 1, 200, () -> {});
      double first = losses.get(0);
      double last = losses.get(losses.size() - 1);
      assertTrue(
          last < 0.05 * first, f.device.name() + " " + ranking + ": " + first + " to " + last);
    }
  }

  @ParameterizedTest
  @EnumSource(RankingLoss.class)
  void theCpuFollowsTheReference(RankingLoss ranking) {
    List<Double> expected = losses(() -> Fixture.reference(1), ranking);
    List<Double> actual = losses(() -> Fixture.cpu(1), ranking);
    for (int step = 0; step < expected.size(); step++) {
      double e = expected.get(step);
      assertEquals(e, actual.get(step), 1e-4 * e, ranking + " at step " + step);
    }
  }

  private static List<Double> losses(Supplier<Fixture> fixture, RankingLoss ranking) {
    try (Fixture f = fixture.get()) {
      return train(f, ranking, 0.9, 20, () -> {});
    }
  }

  @Test
  void twoRunsAreBitEqual() {
    double[] weights = weightsAfterTraining();
    assertArrayEquals(weights, weightsAfterTraining());
    assertTrue(java.util.Arrays.stream(weights).allMatch(Double::isFinite));
  }

  private static double[] weightsAfterTraining() {
    try (Fixture f = Fixture.cpu(3)) {
      train(f, RankingLoss.LAMBDARANK, 0.9, 10, () -> {});
      return f.parameters.values().stream()
          .flatMapToDouble(value -> java.util.Arrays.stream(value.toDoubles()))
          .toArray();
    }
  }

  @Test
  void fiftyStepsLeaveTheLiveBytesAsTheyWere() {
    fiftySteps(Fixture.cpu(1));
    fiftySteps(Fixture.reference(1));
  }

  private static void fiftySteps(Fixture fixture) {
    try (Fixture f = fixture) {
      List<Long> live = new ArrayList<>();
      train(f, RankingLoss.LAMBDARANK, 0.9, 50, () -> live.add(f.device.ledger().liveBytes()));
      assertEquals(50, live.size());
      assertEquals(1, live.stream().distinct().count(), f.device.name() + ": " + live);
    }
  }
}
