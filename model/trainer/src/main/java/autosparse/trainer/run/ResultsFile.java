package autosparse.trainer.run;

import autosparse.costmodel.checkpoint.AtomicFiles;
import autosparse.schedule.InputException;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;

/** {@code results.json}: how a run's model, and what it is compared with, judged each task. */
public final class ResultsFile {
  /**
   * One who judged one task.
   *
   * @param who the model's name, {@code features-mlp}, {@code pattern-blind}, {@code random pick}
   * @param schedules held-out schedules of the task
   */
  public record Result(
      String who,
      String op,
      String matrix,
      int schedules,
      double topOne,
      double topFive,
      double pairAccuracy) {
    /** Throws {@link NullPointerException} for a missing name. */
    public Result {
      Objects.requireNonNull(who, "who");
      Objects.requireNonNull(op, "op");
      Objects.requireNonNull(matrix, "matrix");
    }
  }

  private ResultsFile() {}

  /** Writes the results; the file appears whole or not at all. */
  public static void write(Path file, List<Result> results) {
    try {
      AtomicFiles.writeText(
          file,
          JsonLines.MAPPER.writerWithDefaultPrettyPrinter().writeValueAsString(results) + "\n");
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("results: " + e.getOriginalMessage(), e);
    }
  }

  /**
   * Reads the results of a run.
   *
   * @throws InputException if there are none, or the file is broken
   */
  public static List<Result> read(Path file) {
    if (!Files.isRegularFile(file)) {
      throw new InputException(
          file
              + " is missing, expected the results of a run that has ended; train --resume ends it");
    }
    try {
      return JsonLines.MAPPER.readValue(file.toFile(), new TypeReference<List<Result>>() {});
    } catch (JsonProcessingException e) {
      throw new InputException(
          file + ": expected results of a run: " + InputException.quote(e.getOriginalMessage()), e);
    } catch (IOException e) {
      throw new InputException(file + ": cannot be read (" + e.getMessage() + ")", e);
    }
  }
}
