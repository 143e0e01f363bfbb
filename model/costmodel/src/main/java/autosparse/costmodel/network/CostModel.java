package autosparse.costmodel.network;

import autosparse.autograd.Tape;
import autosparse.autograd.Variable;
import autosparse.costmodel.ModelConfig;
import autosparse.layers.Parameters;
import autosparse.layers.PatternPyramid;
import autosparse.schedule.MatrixPattern;
import autosparse.schedule.Problem;
import autosparse.schedule.Schedule;
import java.util.List;
import java.util.Optional;

/** A network that scores schedules of matrices; a larger score means faster. */
public interface CostModel extends AutoCloseable {
  /** A task's schedules in the form that the model reads; made once, on the host. */
  interface EncodedTask {
    /** Number of schedules. */
    int size();

    /** Bytes of heap that it takes. */
    long hostBytes();
  }

  /** Bytes of heap that tasks take together. */
  static long hostBytes(List<EncodedTask> tasks) {
    return tasks.stream().mapToLong(EncodedTask::hostBytes).sum();
  }

  /**
   * Schedules of one task to be scored.
   *
   * @param task made by {@link CostModel#encode} of the same model
   * @param matrix row of the pattern features that belong to the task
   * @param indices schedules of the task
   */
  record Selection(EncodedTask task, int matrix, int[] indices) {}

  /** What decided the network's shape. */
  ModelConfig config();

  /** The weights, by name. */
  Parameters parameters();

  /** Whether scores depend on the pattern through {@link #pattern}. */
  boolean readsPattern();

  /**
   * Encodes the schedules of one task for {@link #scores}.
   *
   * @param pattern of the matrix
   * @param problem operator and extents
   */
  EncodedTask encode(MatrixPattern pattern, Problem problem, List<Schedule> schedules);

  /** The part that reads patterns; empty for a model that does not. */
  Optional<SparseTower> tower();

  /**
   * Features of each matrix of a batch, from the averages that the tower gives.
   *
   * @param pooled [B, C_l] of each layer of the tower
   * @return [B, F]
   * @throws IllegalStateException for a model that does not read patterns
   */
  Variable pattern(Tape tape, List<Variable> pooled);

  /**
   * Features of each matrix of a batch.
   *
   * @return [B, F], or null for a model that does not read patterns
   */
  default Variable pattern(Tape tape, PatternPyramid pyramid) {
    return tower().map(tower -> pattern(tape, tower.forward(tape, pyramid))).orElse(null);
  }

  /**
   * Scores of the selected schedules, in the order of the selections.
   *
   * @param pattern from {@link #pattern}; null for a model that does not read patterns
   * @return [N]
   */
  Variable scores(Tape tape, Variable pattern, List<Selection> selections);

  /** The part behind {@link #pattern}, if it does the same work for every batch of one shape. */
  default Optional<FixedHead> fixedHead() {
    return Optional.empty();
  }

  /**
   * Multiply-adds of one forward pass of the pattern tower; 0 without one.
   *
   * @param pyramid patterns of the batch
   */
  double towerMultiplyAdds(PatternPyramid pyramid);

  @Override
  void close();
}
