package autosparse.costmodel.training;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import autosparse.costmodel.ModelConfig;
import autosparse.costmodel.ModelKind;
import autosparse.costmodel.SyntheticData;
import autosparse.costmodel.memory.MemoryPlan;
import autosparse.costmodel.memory.TowerStrategy;
import autosparse.engine.Device;
import autosparse.engine.HostDevice;
import autosparse.engine.PlanningDevice;
import autosparse.schedule.CsrFile;
import autosparse.schedule.Dataset;
import autosparse.schedule.InputException;
import autosparse.schedule.MatrixFolder;
import autosparse.schedule.Op;
import autosparse.schedule.PatternMemory;
import autosparse.schedule.SparsityPattern;
import autosparse.schedule.Split;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Training and scoring on matrices that stay on disk. */
class PatternsOnDiskTest {
  private static final int STEPS = 6;

  /** Leaves every matrix on disk, of which less than a kilobyte may be read at a time. */
  private static final long BUDGET = 1000;

  @TempDir static Path folder;
  private static Split split;
  private static MatrixFolder matrices;

  @BeforeAll
  static void write() throws IOException {
    SyntheticData data = SyntheticData.write(folder, 3, TinyTraining.OPS, 60, 40, 50);
    split = Split.random(Dataset.load(data.records(), TinyTraining.OPS), 1);
    matrices = MatrixFolder.open(data.matrices());
    for (int m = 0; m < 3; m++) { // rows enough for several strips
      SyntheticData.writeCsr(
          data.matrices().resolve("m" + m + ".csr"),
          SyntheticData.pattern("m" + m, 500 + 200 * m, 40, 3, 17L + m));
    }
  }

  private static TrainingData onDisk() {
    TrainingData data = TrainingData.load(split, matrices, new PatternMemory(BUDGET));
    data.patterns().forEach(pattern -> assertEquals(CsrFile.class, pattern.getClass()));
    return data;
  }

  private static TrainingData inMemory() {
    TrainingData data = TrainingData.load(split, matrices);
    data.patterns().forEach(pattern -> assertEquals(SparsityPattern.class, pattern.getClass()));
    return data;
  }

  private static TrainingData of(TrainingData data, List<Op> ops) {
    return new TrainingData(
        data.tasks().stream().filter(task -> ops.contains(task.task().op())).toList(),
        data.patterns(),
        data.split());
  }

  private static Device cpu(long capacity) {
    return HostDevice.cpu(HostDevice.Options.defaults().withCapacity(capacity).withThreads(2));
  }

  /** What training comes to: weights and optimiser, and scores of each task's schedules. */
  private record Outcome(Map<String, Integer> bits, List<List<Double>> scores) {}

  private static Outcome train(ModelKind kind, TrainingData all, TowerStrategy strategy) {
    ModelConfig config = TinyTraining.model(kind);
    try (all;
        TinyTraining training =
            new TinyTraining(
                of(all, config.ops()), config, TinyTraining.config(STEPS, 2), cpu(1L << 30))) {
      training.trainer.plan(step -> strategy);
      training.run(STEPS);
      List<List<Double>> scores = new ArrayList<>();
      for (int t = 0; t < training.encoded.size(); t++) {
        int matrix = training.data.tasks().get(t).matrix();
        int[] every = IntStream.range(0, training.encoded.get(t).size()).toArray();
        double[] of =
            training
                .passes()
                .scores(training.passes().features(matrix), training.encoded.get(t), every);
        scores.add(Arrays.stream(of).boxed().toList());
      }
      return new Outcome(training.bits(), scores);
    }
  }

  static Stream<Arguments> ways() {
    return Stream.of(ModelKind.values())
        .flatMap(
            kind ->
                Stream.of(TowerStrategy.KEEP_ALL, new TowerStrategy.Strips(1))
                    .map(way -> Arguments.of(kind, way)));
  }

  /** The fewest rows that a strip can own: no limit of the source makes them fewer. */
  @ParameterizedTest
  @MethodSource("ways")
  void sameBitsAsInMemory(ModelKind kind, TowerStrategy strategy) {
    assertEquals(train(kind, inMemory(), strategy), train(kind, onDisk(), strategy));
  }

  /** What a plan says of files is what it says of the same matrices in memory. */
  @ParameterizedTest
  @EnumSource(
      value = ModelKind.class,
      names = {"AUTOSPARSE", "WACO_WIDE"})
  void plansAreThoseInMemory(ModelKind kind) {
    TrainingConfig training = TinyTraining.config(STEPS, 2);
    List<List<MemoryPlan>> plans = new ArrayList<>();
    for (TrainingData data : List.of(inMemory(), onDisk())) {
      try (data;
          StepPlanner planner =
              new StepPlanner(
                  PlanningDevice.cpu(StepPlanner.UNLIMITED),
                  TinyTraining.model(kind),
                  data.statistics(),
                  data,
                  training)) {
        StepPlan.Step step = new StepPlan(data, training).epoch(0).get(0);
        plans.add(
            List.of(
                planner.search(step).plan(TowerStrategy.KEEP_ALL),
                planner.search(step).plan(new TowerStrategy.Strips(1))));
      }
    }
    assertEquals(plans.get(0), plans.get(1));
  }

  /** A read that fails ends the step with a line that names the file; the next one can be run. */
  @Test
  void aFileThatFailsEndsTheStepAndNoMore() throws IOException {
    TowerStrategy strips = new TowerStrategy.Strips(1);
    Outcome expected = train(ModelKind.AUTOSPARSE, onDisk(), strips);
    Path file = folder.resolve("matrices/m2.csr");
    byte[] bytes = Files.readAllBytes(file);
    FileTime modified = Files.getLastModifiedTime(file);
    try (TrainingData data = onDisk();
        TinyTraining training =
            new TinyTraining(
                data,
                TinyTraining.model(ModelKind.AUTOSPARSE),
                TinyTraining.config(STEPS, 2),
                cpu(1L << 30))) {
      training.trainer.plan(step -> strips);
      training.run(2);
      try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
        channel.truncate(bytes.length - 8);
      }
      String message = "";
      int steps = 2;
      while (message.isEmpty()) { // until the matrix has its turn
        try {
          training.trainer.advance();
          steps++;
        } catch (InputException e) {
          message = e.getMessage();
        }
      }
      assertTrue(message.startsWith(file + ": "), message);
      assertThrows(InputException.class, () -> training.trainer.advance());
      Files.write(file, bytes);
      Files.setLastModifiedTime(file, modified);
      training.run(STEPS - steps);
      assertEquals(expected.bits, training.bits());
    }
  }
}
