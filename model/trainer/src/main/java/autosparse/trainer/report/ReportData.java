package autosparse.trainer.report;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;

/**
 * Everything that a report shows. Shares are from 0 to 1; NaN stands for a figure that there is
 * none of.
 *
 * @param title what was trained
 * @param summary one sentence under the title
 * @param config options by name
 * @param environment facts by name
 * @param losses training loss by step
 * @param evaluations held-out accuracy by epoch
 * @param tasks the model's final figures per task
 * @param means final figures over all tasks: first this model, then what to hold it against
 * @param memory what the run took
 */
public record ReportData(
    String title,
    String summary,
    Map<String, String> config,
    Map<String, String> environment,
    List<LossPoint> losses,
    List<EvaluationPoint> evaluations,
    List<TaskRow> tasks,
    List<MeanRow> means,
    Memory memory) {
  /** Training loss after a step. */
  public record LossPoint(long step, double loss) {}

  /** Held-out accuracy after an epoch, mean over tasks. */
  public record EvaluationPoint(int epoch, double topOne, double topFive, double pairAccuracy) {}

  /**
   * The model on one task.
   *
   * @param schedules unique held-out schedules that were ranked
   * @param topOne fastest latency / latency of the best predicted
   * @param topFive fastest latency / fastest of the five best predicted
   * @param pairAccuracy share of pairs of different latency in the right order
   * @param blindPairAccuracy the same of the network that was shown another matrix's pattern
   */
  public record TaskRow(
      String matrix,
      String op,
      int schedules,
      double topOne,
      double topFive,
      double pairAccuracy,
      double blindPairAccuracy) {}

  /**
   * A model or a baseline over all tasks.
   *
   * @param name such as {@code this model}, {@code random pick}, {@code pattern-blind}
   * @param note what it is, in a few words; may be empty
   * @param topOne mean over tasks
   * @param topFive mean over tasks
   * @param pairAccuracy mean over tasks
   * @param sumTopOne sum of fastest latencies / sum of those picked
   * @param sumTopFive the same for the five best
   */
  public record MeanRow(
      String name,
      String note,
      double topOne,
      double topFive,
      double pairAccuracy,
      double sumTopOne,
      double sumTopFive) {}

  /**
   * Memory of the host that is taken for one thing.
   *
   * @param planned bytes that were expected, counted or allowed for
   * @param measured bytes at their highest, where that can be told apart
   */
  public record HostRow(String what, long planned, OptionalLong measured) {}

  /**
   * Memory at its highest.
   *
   * @param peakByTag bytes of each kind of tensor at the moment when all together were most
   * @param budgetBytes what tensors were allowed to take; 0 if there was no limit
   * @param host memory of the host by what it is for
   * @param peakResidentBytes most memory of the process, if the system counts it
   */
  public record Memory(
      Map<String, Long> peakByTag,
      long budgetBytes,
      List<HostRow> host,
      OptionalLong peakResidentBytes) {
    /** Copies map and list, keeping their order. */
    public Memory {
      host = List.copyOf(host);
      peakByTag = Collections.unmodifiableMap(new LinkedHashMap<>(peakByTag));
    }

    /** Bytes of all tensors at their peak. */
    public long peakBytes() {
      return peakByTag.values().stream().mapToLong(Long::longValue).sum();
    }
  }

  /** Copies everything, keeping its order. */
  public ReportData {
    config = Collections.unmodifiableMap(new LinkedHashMap<>(config));
    environment = Collections.unmodifiableMap(new LinkedHashMap<>(environment));
    losses = List.copyOf(losses);
    evaluations = List.copyOf(evaluations);
    tasks = List.copyOf(tasks);
    means = List.copyOf(means);
  }
}
