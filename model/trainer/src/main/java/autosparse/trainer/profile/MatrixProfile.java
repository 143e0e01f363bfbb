package autosparse.trainer.profile;

import autosparse.costmodel.memory.MemoryPlan;
import autosparse.engine.memory.MemoryLedger;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.Stream;

/**
 * What a training step on one matrix takes.
 *
 * @param sitesByLevel sites of each level of the tower, the nonzeros first
 * @param takenBytes of the device that no tensor gets: part of every budget
 * @param hostBytes of the host's memory that the whole pattern takes where it is held
 * @param keepAll the step with everything kept
 * @param smallest the way with the fewest bytes
 * @param ways the step by each strategy asked for
 * @param budgets the fastest way within each budget
 * @param plainBytes estimate of a plain framework's peak
 * @param events every allocation of the step with everything kept
 */
public record MatrixProfile(
    String name,
    long rows,
    long cols,
    long nnz,
    List<Long> sitesByLevel,
    long takenBytes,
    long hostBytes,
    MemoryPlan keepAll,
    MemoryPlan smallest,
    List<Within> ways,
    List<Within> budgets,
    double plainBytes,
    List<MemoryLedger.Event> events) {
  /**
   * A budget or a strategy, and what came of it.
   *
   * @param text as the user wrote it
   * @param bytes of the budget; 0 for a strategy
   * @param plan empty when nothing fits, or the network has no way of that kind
   * @param measuredPeak where the step was run in a range of the plan's capacity
   */
  public record Within(
      String text, long bytes, Optional<MemoryPlan> plan, OptionalLong measuredPeak) {
    /** Whether the step was run, and its peak was another than planned. */
    public boolean differs() {
      return plan.isPresent()
          && measuredPeak.isPresent()
          && plan.get().peakBytes() != measuredPeak.getAsLong();
    }

    /** Why there is no plan. */
    public String absence() {
      return bytes == 0 ? "none saves memory" : "does not fit";
    }

    /** {@code yes}, {@code NO}, or nothing where the step was not run. */
    public String agreement() {
      return measuredPeak.isEmpty() ? "" : differs() ? "NO" : "yes";
    }
  }

  public MatrixProfile {
    sitesByLevel = List.copyOf(sitesByLevel);
    ways = List.copyOf(ways);
    budgets = List.copyOf(budgets);
    events = List.copyOf(events);
  }

  /** Strategies, then budgets. */
  public List<Within> all() {
    return Stream.concat(ways.stream(), budgets.stream()).toList();
  }

  /** A line each of a table: strategies, the smallest way, budgets. */
  public List<Within> table() {
    Within least = new Within("smallest", 0, Optional.of(smallest), OptionalLong.empty());
    return Stream.of(ways.stream(), Stream.of(least), budgets.stream())
        .flatMap(lines -> lines)
        .toList();
  }

  /** The smallest budget within which a plan runs, in bytes. */
  public long budgetFor(MemoryPlan plan) {
    return plan.capacityBytes() + takenBytes;
  }
}
