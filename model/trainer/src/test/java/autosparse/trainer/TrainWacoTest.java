package autosparse.trainer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import autosparse.schedule.Op;
import autosparse.trainer.run.MetricsLog;
import autosparse.trainer.run.RunFolder;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** WACO's network trained from nothing as published, from files as WACO collected them. */
class TrainWacoTest {
  private static final int EPOCHS = 80;
  private static final int MATRICES = 3;

  /** WACO's recipe: 32 schedules of one matrix a step, one such step a matrix and epoch. */
  private static final List<String> AS_PUBLISHED =
      List.of(
          "--model=waco",
          "--loss=margin",
          "--batch=32",
          "--batches-per-epoch=1",
          "--epochs=" + EPOCHS,
          "--lr=1e-4",
          "--rate-schedule=constant",
          "--weight-decay=0",
          "--clip=0");

  @TempDir Path folder;
  private final Program program = new Program();

  @ParameterizedTest
  @EnumSource(Op.class)
  void aRunAsPublishedLearnsToRank(Op op) throws IOException {
    TinyWacoData data = TinyWacoData.write(folder.resolve("data"));
    Path run = folder.resolve("run");
    List<String> train =
        Program.join(
            Program.join(List.of("train"), data.arguments(op).toArray(String[]::new)),
            AS_PUBLISHED.toArray(String[]::new));
    program.succeed(
        Program.join(
            train,
            "--baseline-epochs=0",
            "--evaluate-every=" + EPOCHS,
            "--checkpoint-every=" + EPOCHS,
            "--seed=3",
            "--out=" + run));
    List<MetricsLog.Entry> entries = MetricsLog.read(run.resolve("metrics.jsonl"));
    double[] losses =
        entries.stream()
            .filter(entry -> entry.kind() == MetricsLog.Kind.TRAIN)
            .mapToDouble(entry -> entry.values().get("loss"))
            .toArray();
    assertEquals(EPOCHS * MATRICES, losses.length, "one step a matrix and epoch");
    double pairs =
        entries.stream()
            .filter(entry -> entry.kind() == MetricsLog.Kind.EVALUATE)
            .mapToDouble(entry -> entry.values().get("pair_accuracy"))
            .sum();
    double first = mean(losses, 0, 5 * MATRICES);
    double last = mean(losses, losses.length - 5 * MATRICES, losses.length);
    // The margin loss of a network that knows nothing is 1.
    assertTrue(first > 0.8 && last < 0.4, "loss " + first + " at first, " + last + " at last");
    assertTrue(pairs > 0.75, "held-out pair accuracy " + pairs);
    assertEquals(List.of((long) losses.length), RunFolder.checkpointsOf(run).steps());
  }

  private static double mean(double[] values, int from, int to) {
    double sum = 0;
    for (int i = from; i < to; i++) {
      sum += values[i];
    }
    assertTrue(to > from);
    return sum / (to - from);
  }
}
