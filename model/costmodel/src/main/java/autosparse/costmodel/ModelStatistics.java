package autosparse.costmodel;

import autosparse.costmodel.tokens.DerivedFeatures;
import autosparse.costmodel.tokens.Scaling;
import autosparse.costmodel.tokens.Tokenizer;
import autosparse.schedule.Problem;
import autosparse.schedule.Schedule;
import autosparse.schedule.ScheduleGeometry;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiConsumer;

/**
 * What a model learned of its training data besides weights; kept in its checkpoint.
 *
 * @param derived standardisation of {@link DerivedFeatures}
 * @param shape standardisation of rows, columns, nnz, density, see {@link Tokenizer#shape}
 * @param matrices names of the training matrices: the ids of {@code features-mlp}
 */
public record ModelStatistics(Scaling derived, Scaling shape, List<String> matrices) {
  public ModelStatistics {
    matrices = List.copyOf(matrices);
  }

  /** Statistics that change nothing; for tests and for models whose weights come from outside. */
  public static ModelStatistics none() {
    return new ModelStatistics(
        Scaling.identity(DerivedFeatures.COUNT), Scaling.identity(4), List.of());
  }

  /** A source of training data: calls back with each problem and its training schedules. */
  public interface Source {
    void forEach(BiConsumer<Problem, List<Schedule>> task);
  }

  /** Fits the statistics to training data. */
  public static ModelStatistics fit(Source source, List<String> matrices) {
    List<float[]> derived = new ArrayList<>();
    List<float[]> shapes = new ArrayList<>();
    source.forEach(
        (problem, schedules) -> {
          shapes.add(Tokenizer.shape(problem));
          for (Schedule schedule : schedules) {
            derived.add(DerivedFeatures.of(ScheduleGeometry.of(schedule, problem)));
          }
        });
    return new ModelStatistics(
        Scaling.fit(derived, DerivedFeatures.COUNT), Scaling.fit(shapes, 4), matrices);
  }
}
