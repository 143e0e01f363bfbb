package autosparse.costmodel;

import autosparse.costmodel.tokens.Bins;
import autosparse.costmodel.tokens.DerivedFeatures;
import autosparse.costmodel.tokens.Scaling;
import autosparse.costmodel.tokens.Tokenizer;
import autosparse.costmodel.tokens.WorkFeatures;
import autosparse.schedule.MatrixPattern;
import autosparse.schedule.Problem;
import autosparse.schedule.Schedule;
import autosparse.schedule.ScheduleGeometry;
import autosparse.schedule.ScheduleWork;
import java.util.ArrayList;
import java.util.List;

/**
 * What a model learned of its training data besides weights; kept in its checkpoint.
 *
 * @param derived standardisation of {@link DerivedFeatures}
 * @param shape standardisation of rows, columns, nnz, density, see {@link Tokenizer#shape}
 * @param matrices names of the training matrices: the ids of {@code features-mlp}
 * @param work standardisation of {@link WorkFeatures}; null, as in files from before there were
 *     any, means the identity
 * @param derivedBins bins of the standardised derived features; null, as in files from before there
 *     were any, means none
 * @param workBins bins of the standardised work features; as above
 */
public record ModelStatistics(
    Scaling derived,
    Scaling shape,
    List<String> matrices,
    Scaling work,
    Bins derivedBins,
    Bins workBins) {
  public ModelStatistics {
    matrices = List.copyOf(matrices);
    work = work == null ? Scaling.identity(WorkFeatures.COUNT) : work;
    derivedBins = derivedBins == null ? Bins.none(DerivedFeatures.COUNT) : derivedBins;
    workBins = workBins == null ? Bins.none(WorkFeatures.COUNT) : workBins;
  }

  /** For a model without bins. */
  public ModelStatistics(Scaling derived, Scaling shape, List<String> matrices, Scaling work) {
    this(derived, shape, matrices, work, null, null);
  }

  /** For a model without work features. */
  public ModelStatistics(Scaling derived, Scaling shape, List<String> matrices) {
    this(derived, shape, matrices, null);
  }

  /** Statistics that change nothing; for tests and for models whose weights come from outside. */
  public static ModelStatistics none() {
    return new ModelStatistics(
        Scaling.identity(DerivedFeatures.COUNT), Scaling.identity(4), List.of());
  }

  /** Takes one task's training schedules. */
  public interface TaskConsumer {
    void accept(MatrixPattern pattern, Problem problem, List<Schedule> schedules);
  }

  /** A source of training data: calls back with each task. */
  public interface Source {
    void forEach(TaskConsumer task);
  }

  /**
   * Fits the statistics to training data.
   *
   * @param bins most bins of a feature, see {@link ModelConfig#featureBins}
   */
  public static ModelStatistics fit(Source source, List<String> matrices, int bins) {
    List<float[]> derived = new ArrayList<>();
    List<float[]> shapes = new ArrayList<>();
    List<float[]> work = new ArrayList<>();
    source.forEach(
        (pattern, problem, schedules) -> {
          shapes.add(Tokenizer.shape(problem));
          ScheduleWork.countAll(pattern.counts(), problem, schedules);
          for (Schedule schedule : schedules) {
            ScheduleGeometry geometry = ScheduleGeometry.of(schedule, problem);
            derived.add(DerivedFeatures.of(geometry));
            work.add(WorkFeatures.of(geometry, pattern.counts()));
          }
        });
    Scaling derivedScaling = Scaling.fit(derived, DerivedFeatures.COUNT);
    Scaling workScaling = Scaling.fit(work, WorkFeatures.COUNT);
    return new ModelStatistics(
        derivedScaling,
        Scaling.fit(shapes, 4),
        matrices,
        workScaling,
        fit(derived, derivedScaling, bins),
        fit(work, workScaling, bins));
  }

  /**
   * The same with {@link Bins#full}: no data give a network a wider first layer.
   *
   * @param bins most bins of a feature, see {@link ModelConfig#featureBins}
   */
  public ModelStatistics withFullBins(int bins) {
    return new ModelStatistics(
        derived,
        shape,
        matrices,
        work,
        Bins.full(DerivedFeatures.COUNT, bins),
        Bins.full(WorkFeatures.COUNT, bins));
  }

  /**
   * Bins of the features that a network reads one after the other; none for a network without bins.
   *
   * @param readsWork whether work features follow the derived ones
   */
  public Bins bins(ModelConfig config, boolean readsWork) {
    if (config.featureBins() == 0) {
      return Bins.none(0);
    }
    return readsWork ? derivedBins.and(workBins) : derivedBins;
  }

  /** Standardises the rows in place where they get bins, for these are of standardised features. */
  private static Bins fit(List<float[]> rows, Scaling scaling, int most) {
    if (most > 0) {
      rows.forEach(row -> scaling.apply(row, row, 0));
    }
    return Bins.fit(rows, scaling.mean().length, most);
  }
}
