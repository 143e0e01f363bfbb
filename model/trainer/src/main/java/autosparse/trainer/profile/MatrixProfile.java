package autosparse.trainer.profile;

import autosparse.costmodel.memory.MemoryPlan;
import autosparse.engine.memory.MemoryLedger;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * What a training step on one matrix takes.
 *
 * @param sitesByLevel sites of each level of the tower, the nonzeros first
 * @param keepAll the step with everything kept
 * @param smallest the way with the fewest bytes
 * @param budgets the fastest way within each budget
 * @param measuredPeak peak of the step with everything kept, where it was run
 * @param plainBytes estimate of a plain framework's peak
 * @param events every allocation of the step with everything kept
 */
public record MatrixProfile(
    String name,
    long rows,
    long cols,
    long nnz,
    List<Long> sitesByLevel,
    MemoryPlan keepAll,
    MemoryPlan smallest,
    List<Within> budgets,
    OptionalLong measuredPeak,
    double plainBytes,
    List<MemoryLedger.Event> events) {
  /**
   * A budget and what fits it.
   *
   * @param text the budget as the user wrote it
   * @param plan empty when nothing fits
   * @param measuredPeak where the step was run in a range of the budget's size
   */
  public record Within(
      String text, long bytes, Optional<MemoryPlan> plan, OptionalLong measuredPeak) {}

  public MatrixProfile {
    sitesByLevel = List.copyOf(sitesByLevel);
    budgets = List.copyOf(budgets);
    events = List.copyOf(events);
  }
}
