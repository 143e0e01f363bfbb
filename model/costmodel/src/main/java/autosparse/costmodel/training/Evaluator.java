package autosparse.costmodel.training;

import autosparse.autograd.Tape;
import autosparse.autograd.Variable;
import autosparse.costmodel.network.CostModel;
import autosparse.costmodel.network.CostModel.EncodedTask;
import autosparse.costmodel.training.ForwardPasses.Features;
import autosparse.engine.Device;
import autosparse.engine.Tensor;
import autosparse.engine.TensorScope;
import autosparse.engine.memory.MemoryTag;
import autosparse.layers.RankingLoss;
import autosparse.schedule.InputException;
import autosparse.schedule.NoiseStats;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Judges a model on the validation part of a data set. */
public final class Evaluator {
  private final Device device;
  private final CostModel model;
  private final TrainingData data;
  private final List<EncodedTask> encoded;
  private final ForwardPasses passes;
  private final RankingLoss loss;
  private final int lossBatch;

  /**
   * @param passes of the model over the data's matrices
   * @param lossBatch schedules over which a loss is formed, as in training
   */
  public Evaluator(
      Device device,
      CostModel model,
      TrainingData data,
      List<EncodedTask> encoded,
      ForwardPasses passes,
      RankingLoss loss,
      int lossBatch) {
    this.device = device;
    this.model = model;
    this.data = data;
    this.encoded = List.copyOf(encoded);
    this.passes = passes;
    this.loss = loss;
    this.lossBatch = lossBatch;
  }

  /**
   * Plans all passes of {@link #evaluate}.
   *
   * @param encoded every task of the data
   * @param blind whether the model is judged with another matrix's pattern too
   * @throws InputException when one does not fit, with the budget that would do
   */
  public static void plan(
      PlannedPasses passes,
      TrainingData data,
      List<EncodedTask> encoded,
      RankingLoss loss,
      int lossBatch,
      boolean blind) {
    int largest = 0;
    for (int t = 0; t < data.tasks().size(); t++) {
      TaskData task = data.tasks().get(t);
      if (task.validation().length > 0) {
        passes.planTower(task.matrix(), data.patterns().get(task.matrix()));
        if (blind && data.patterns().size() > 1) {
          int other = (task.matrix() + 1) % data.patterns().size();
          passes.planTower(other, data.patterns().get(other));
          passes.planScores(
              task.task().id(), blindTask(passes.model(), data, t, other), task.validation());
        }
        passes.planScores(task.task().id(), encoded.get(t), task.validation());
        largest = Math.max(largest, task.validation().length);
      }
    }
    if (largest > 0) {
      passes.planLoss(loss, Math.min(lossBatch, largest));
    }
  }

  /**
   * Judges the model on every task with validation schedules.
   *
   * @param blind whether to judge it with another matrix's pattern too
   */
  public Evaluation evaluate(boolean blind) {
    return judge(device, data, scores(blind), loss, lossBatch);
  }

  /**
   * The model's scores of every task with validation schedules, in the data's order.
   *
   * @param blind whether with another matrix's pattern too
   */
  public List<TaskScores> scores(boolean blind) {
    // The tower runs once a matrix, whatever the number of its operators and blind comparisons.
    Map<Integer, Features> patterns = new HashMap<>();
    List<TaskScores> results = new ArrayList<>();
    for (int t = 0; t < data.tasks().size(); t++) {
      TaskData task = data.tasks().get(t);
      int[] chosen = task.validation();
      if (chosen.length > 0) {
        double[] own = scores(patterns, encoded.get(t), task.matrix(), chosen);
        double[] others = null;
        if (blind && data.patterns().size() > 1) {
          int other = (task.matrix() + 1) % data.patterns().size();
          others = scores(patterns, blindTask(model, data, t, other), other, chosen);
        }
        results.add(new TaskScores(own, others));
      }
    }
    return results;
  }

  /**
   * Judges scores, of one network or of several together.
   *
   * @param device that losses are computed on; {@link #plan} says what that takes
   * @param scores of every task with validation schedules, see {@link #scores(boolean)}
   * @param lossBatch schedules over which a loss is formed
   */
  public static Evaluation judge(
      Device device, TrainingData data, List<TaskScores> scores, RankingLoss loss, int lossBatch) {
    List<TaskData> judged =
        data.tasks().stream().filter(task -> task.validation().length > 0).toList();
    List<Evaluation.TaskEvaluation> results = new ArrayList<>();
    double losses = 0;
    for (int t = 0; t < judged.size(); t++) {
      TaskData task = judged.get(t);
      double[] own = scores.get(t).own();
      double[] blind = scores.get(t).blind();
      double[] latencies = task.latencies(task.validation());
      losses += loss(device, loss, lossBatch, own, latencies);
      results.add(
          new Evaluation.TaskEvaluation(
              task.task().op().id(),
              task.task().matrix(),
              latencies.length,
              RankingMetrics.of(own, latencies),
              blind == null ? null : RankingMetrics.of(blind, latencies),
              RankingMetrics.randomPick(latencies)));
    }
    NoiseStats noise = NoiseStats.of(data.tasks().stream().map(TaskData::task).toList());
    return new Evaluation(results, losses / results.size(), noise);
  }

  /** What the encoding reads of a pattern, its name or its counts, is the other matrix's too. */
  private static EncodedTask blindTask(CostModel model, TrainingData data, int t, int other) {
    TaskData task = data.tasks().get(t);
    return model.encode(data.patterns().get(other), task.problem(), task.task().schedules());
  }

  /** Scores of some schedules of a task with the pattern of a matrix. */
  public double[] scores(EncodedTask task, int matrix, int[] indices) {
    return passes.scores(passes.features(matrix), task, indices);
  }

  private double[] scores(
      Map<Integer, Features> patterns, EncodedTask task, int matrix, int[] indices) {
    if (model.readsPattern() && !patterns.containsKey(matrix)) {
      patterns.put(matrix, passes.features(matrix));
    }
    return passes.scores(patterns.get(matrix), task, indices);
  }

  private static double loss(
      Device device, RankingLoss loss, int lossBatch, double[] scores, double[] latencies) {
    double best = Arrays.stream(latencies).min().orElse(Double.POSITIVE_INFINITY);
    double[] labels = Arrays.stream(latencies).map(latency -> best / latency).toArray();
    double sum = 0;
    int batches = 0;
    for (int from = 0; from < scores.length; from += lossBatch) {
      int to = Math.min(scores.length, from + lossBatch);
      sum +=
          loss(
              device.root(),
              loss,
              Arrays.copyOfRange(scores, from, to),
              Arrays.copyOfRange(labels, from, to));
      batches++;
    }
    return sum / batches;
  }

  /** The loss of some schedules of one task. */
  static double loss(TensorScope parent, RankingLoss loss, double[] scores, double[] labels) {
    try (Tape tape = Tape.inference(parent)) {
      TensorScope scope = tape.scope();
      Variable score = Variable.constant(scope.reals("scores", MemoryTag.INPUT, scores));
      Tensor label = scope.reals("labels", MemoryTag.INPUT, labels);
      Tensor offsets = scope.longs("tasks", MemoryTag.INPUT, new long[] {0, scores.length});
      return loss.forward(tape, score, label, offsets).value().item();
    }
  }
}
