package autosparse.costmodel.training;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import autosparse.costmodel.ModelKind;
import autosparse.engine.BFloat16;
import autosparse.engine.CudaDevice;
import autosparse.engine.Device;
import autosparse.engine.GpuTests;
import autosparse.engine.HostDevice;
import autosparse.engine.Precision;
import autosparse.layers.RankingLoss;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Whole training steps on a GPU: in single precision the CPU's losses within rounding, in the
 * others as near as they are meant to be, and the same bits twice.
 */
@Tag("gpu")
class CudaTrainingTest {
  private static final int STEPS = 20;
  private static final double LOSS_TOLERANCE = 1e-4;
  private static final double NORM_TOLERANCE = 1e-3;

  /**
   * Small enough that rounding stays rounding: Adam's first steps are the gradients' signs, and at
   * 3e-3 those of gradients near zero drive even the CPU (float) and the reference (double) 9 %
   * apart in 20 steps; at this rate they stay within 6e-6.
   */
  private static final double RATE = 1e-4;

  /** Part of the first steps' mean loss that the last steps' must have come to. */
  private static final double FALLS_TO = 0.5;

  /** Rate and length of a run that is to learn something. */
  private static final double LEARNING_RATE = 3e-3;

  private static final int LEARNING_STEPS = 60;

  /**
   * Layers of the network, each of which rounds its input and its weights: 13 of the tower and,
   * from the pools to the scores, two of the pattern, two of the encoder, two of attention, four of
   * the residual blocks and three of the decoder.
   */
  private static final int LAYERS = 26;

  private static final long CAPACITY = 1L << 30;

  @TempDir static Path folder;
  private TrainingData data;

  /**
   * Losses and gradient norms of the steps, and a hash of each tensor of weights and optimiser
   * after them.
   */
  private record Outcome(List<Double> losses, List<Double> norms, Map<String, Integer> bits) {}

  @BeforeEach
  void requireGpu() throws IOException {
    GpuTests.require();
    data = TinyTraining.data(folder);
  }

  private Outcome train(ModelKind kind, Device device) {
    return train(kind, device, RankingLoss.LAMBDARANK, RATE, STEPS);
  }

  private Outcome train(ModelKind kind, Device device, RankingLoss loss, double rate, int steps) {
    List<Double> losses = new ArrayList<>();
    List<Double> norms = new ArrayList<>();
    TrainingConfig config = TinyTraining.config(loss, steps, 2, rate);
    try (TinyTraining training = new TinyTraining(data, TinyTraining.model(kind), config, device)) {
      for (int step = 0; step < steps; step++) {
        StepResult result = training.trainer.next();
        losses.add(result.loss());
        norms.add(result.gradientNorm());
      }
      return new Outcome(losses, norms, training.bits());
    }
  }

  private static void requireNear(double cpu, double cuda, double tolerance, String what) {
    assertEquals(cpu, cuda, tolerance * Math.abs(cpu), what);
  }

  private static Device cuda() {
    return cuda(Precision.FP32);
  }

  private static Device cuda(Precision precision) {
    return CudaDevice.open(
        CudaDevice.Options.of(0).withCapacity(CAPACITY).withGuards().withPrecision(precision));
  }

  private static double mean(List<Double> values) {
    return values.stream().mapToDouble(Double::doubleValue).average().orElseThrow();
  }

  /** n independent roundings of a unit each move a loss by √n units. */
  private static double tolerance(Precision precision) {
    double unit = precision == Precision.BF16 ? BFloat16.EPSILON / 2 : 0x1p-10;
    return Math.sqrt(2 * LAYERS) * unit;
  }

  /**
   * By the margin loss, which moves as little as the scores do: LambdaRank's weights hang on ranks,
   * and a fresh network's scores lie so near each other that rounding exchanges them.
   */
  private Outcome trainByMargin(Precision precision) {
    return train(ModelKind.AUTOSPARSE, cuda(precision), RankingLoss.MARGIN, RATE, STEPS);
  }

  @ParameterizedTest
  @EnumSource(
      value = Precision.class,
      names = {"TF32", "BF16"})
  void lowerPrecisionsStayNearAndGiveTheSameBitsTwice(Precision precision) {
    Outcome single = trainByMargin(Precision.FP32);
    Outcome lower = trainByMargin(precision);
    for (int step = 0; step < STEPS; step++) {
      String what = precision + ": loss of step " + (step + 1);
      requireNear(single.losses.get(step), lower.losses.get(step), tolerance(precision), what);
    }
    assertNotEquals(single.bits, lower.bits, "computed in fp32");
    assertEquals(lower, trainByMargin(precision));
  }

  @ParameterizedTest
  @EnumSource(Precision.class)
  void theLossFalls(Precision precision) {
    List<Double> losses =
        train(
                ModelKind.AUTOSPARSE,
                cuda(precision),
                RankingLoss.LAMBDARANK,
                LEARNING_RATE,
                LEARNING_STEPS)
            .losses;
    double first = mean(losses.subList(0, 10));
    double last = mean(losses.subList(LEARNING_STEPS - 10, LEARNING_STEPS));
    assertTrue(last < FALLS_TO * first, precision + ": from " + first + " to " + last);
  }

  /** What evaluate and rank do: a tower and its scores, without gradients. */
  @ParameterizedTest
  @EnumSource(
      value = ModelKind.class,
      names = {"WACO"},
      mode = EnumSource.Mode.EXCLUDE)
  void scoresAreNearInEveryPrecision(ModelKind kind) {
    double[] single = scores(kind, cuda());
    for (Precision precision : List.of(Precision.TF32, Precision.BF16)) {
      double[] lower = scores(kind, cuda(precision));
      assertArrayEquals(lower, scores(kind, cuda(precision)), precision + " a second time");
      double squares = 0;
      double largest = 0;
      for (int i = 0; i < single.length; i++) {
        squares += single[i] * single[i];
        largest = Math.max(largest, Math.abs(single[i] - lower[i]));
      }
      double allowed = tolerance(precision) * Math.sqrt(squares);
      assertTrue(largest <= allowed, precision + " off by " + largest + ", allowed " + allowed);
    }
  }

  private double[] scores(ModelKind kind, Device device) {
    TrainingConfig config = TinyTraining.config(STEPS, 2, RATE);
    try (TinyTraining training = new TinyTraining(data, TinyTraining.model(kind), config, device)) {
      Evaluator evaluator =
          new Evaluator(
              device,
              training.model,
              data,
              training.encoded,
              training.passes(),
              config.loss(),
              config.batch());
      int[] all = IntStream.range(0, training.encoded.get(0).size()).toArray();
      return evaluator.scores(training.encoded.get(0), 0, all);
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = ModelKind.class,
      names = {"WACO"},
      mode = EnumSource.Mode.EXCLUDE)
  void lossesAreTheCpusAndTheBitsTheSameTwice(ModelKind kind) {
    Outcome cuda = train(kind, cuda());
    Outcome cpu = train(kind, HostDevice.cpu(HostDevice.Options.defaults().withCapacity(CAPACITY)));
    for (int step = 0; step < STEPS; step++) {
      String what = " of step " + (step + 1);
      requireNear(cpu.losses.get(step), cuda.losses.get(step), LOSS_TOLERANCE, "loss" + what);
      requireNear(cpu.norms.get(step), cuda.norms.get(step), NORM_TOLERANCE, "norm" + what);
    }
    assertEquals(cuda, train(kind, cuda()));
  }

  /** Heads as graphs, which sentinels around tensors rule out, against the same work uncaptured. */
  @ParameterizedTest
  @EnumSource(
      value = ModelKind.class,
      names = {"AUTOSPARSE", "WACO_WIDE"})
  void capturedHeadsChangeNoBit(ModelKind kind) {
    Outcome uncaptured = train(kind, cuda());
    Outcome captured =
        train(
            kind,
            CudaDevice.open(
                CudaDevice.Options.of(0).withCapacity(CAPACITY).withPrecision(Precision.FP32)));
    assertEquals(uncaptured, captured);
  }

  @Test
  void stepsDoNotWaitForTheDevice() {
    TrainingConfig config = TinyTraining.config(STEPS, 2, RATE);
    CudaDevice device = CudaDevice.open(CudaDevice.Options.of(0).withCapacity(CAPACITY));
    try (TinyTraining training =
        new TinyTraining(data, TinyTraining.model(ModelKind.AUTOSPARSE), config, device)) {
      int perEpoch = training.trainer.stepsPerEpoch();
      training.run(2L * perEpoch);
      training.trainer.results();
      long waits = device.context().waits();
      training.run(2L * perEpoch);
      assertEquals(waits, device.context().waits(), "maps are made, nobody asked for a loss");
      assertEquals(2 * perEpoch, training.trainer.results().size());
      assertEquals(waits + 1, device.context().waits(), "all losses in one copy");
    }
  }
}
