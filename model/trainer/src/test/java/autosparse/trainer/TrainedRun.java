package autosparse.trainer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import autosparse.costmodel.checkpoint.CheckpointFolder;
import autosparse.trainer.run.MetricsLog;
import autosparse.trainer.run.RunFolder;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;

/**
 * A run on the tiny data set to its end, by nothing interrupted; tests must leave both as they are.
 */
record TrainedRun(TinyDataSet data, Path folder) {
  static final int EPOCHS = 12;

  /** Trains when the first test class asks, and gives the same run to all of them. */
  static final class Once implements ParameterResolver {
    @Override
    public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
      return parameter.getParameter().getType() == TrainedRun.class;
    }

    @Override
    public TrainedRun resolveParameter(ParameterContext parameter, ExtensionContext context) {
      return context
          .getRoot()
          .getStore(ExtensionContext.Namespace.create(TrainedRun.class))
          .getOrComputeIfAbsent(Kept.class, key -> Kept.train(), Kept.class)
          .run();
    }
  }

  /** The run in a folder that goes when the tests have ended. */
  private record Kept(Path root, TrainedRun run) implements AutoCloseable {
    static Kept train() {
      try {
        Path root = Files.createTempDirectory("trained-run");
        TrainedRun run = new TrainedRun(TinyDataSet.write(root), root.resolve("runs/whole"));
        Program program = new Program();
        program.succeed(run.train(run.folder()));
        assertTrue(program.out().contains("features-mlp"), program.out());
        assertTrue(program.out().contains("report: " + run.folder()), program.out());
        return new Kept(root, run);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    @Override
    public void close() throws IOException {
      try (Stream<Path> files = Files.walk(root)) {
        for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
          Files.delete(file);
        }
      }
    }
  }

  /** The command that made this run, for another folder, with more options. */
  List<String> train(Path run, String... more) {
    List<String> arguments =
        Program.join(
            Program.join(List.of("train"), data.arguments("spmm,spmv").toArray(String[]::new)),
            "--channels",
            "8",
            "--epochs",
            String.valueOf(EPOCHS),
            "--batch",
            "16",
            "--baseline-epochs",
            "1",
            "--evaluate-every",
            "1",
            "--checkpoint-every",
            "1",
            "--threads",
            "1",
            "--seed",
            "3",
            "--out",
            run.toString());
    return Program.join(arguments, more);
  }

  /** As {@link #train}, of one epoch. */
  List<String> once(Path run, int baselineEpochs) {
    List<String> arguments = train(run);
    arguments.set(arguments.indexOf("--epochs") + 1, "1");
    arguments.set(arguments.indexOf("--baseline-epochs") + 1, String.valueOf(baselineEpochs));
    return arguments;
  }

  /** A copy that a test may damage. */
  Path copyTo(Path copy) throws IOException {
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.toList()) {
        Files.copy(file, copy.resolve(folder.relativize(file).toString()));
      }
    }
    return copy;
  }

  /** The run ended where this one did, with the same bits. */
  void assertSameEnd(Path run) throws IOException {
    assertEquals(lastOf(folder).getFileName(), lastOf(run).getFileName());
    assertArrayEquals(Files.readAllBytes(lastOf(folder)), Files.readAllBytes(lastOf(run)));
    assertEquals(stepsOf(folder), stepsOf(run));
    assertTrue(Files.exists(run.resolve("report.html")));
  }

  /** The tensors of a run's newest checkpoint. */
  static Path lastOf(Path run) {
    CheckpointFolder checkpoints = RunFolder.checkpointsOf(run);
    List<Long> steps = checkpoints.steps();
    return checkpoints.read(steps.get(steps.size() - 1)).tensors();
  }

  /** The steps that a run has trained, as its metrics tell. */
  static List<Long> stepsOf(Path run) {
    return MetricsLog.read(run.resolve("metrics.jsonl")).stream()
        .filter(entry -> entry.kind() == MetricsLog.Kind.TRAIN)
        .map(MetricsLog.Entry::step)
        .toList();
  }
}
