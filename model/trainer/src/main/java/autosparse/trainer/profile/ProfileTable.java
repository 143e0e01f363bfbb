package autosparse.trainer.profile;

import autosparse.costmodel.memory.MemoryPlan;
import autosparse.costmodel.memory.TowerStrategy;
import autosparse.trainer.profile.MatrixProfile.Within;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** A profile on the terminal: a line a matrix and way. */
public final class ProfileTable {
  private static final String FORMAT = "%-26s %12s %14s  %-12s %-45s %15s %15s %15s %6s %6s";

  /** Names of the columns. */
  public static final String HEAD =
      String.format(
          Locale.ROOT,
          FORMAT,
          "matrix",
          "nonzeros",
          "host bytes",
          "way",
          "the step",
          "budget needed",
          "planned peak",
          "measured peak",
          "equal",
          "time");

  private ProfileTable() {}

  /** A line for each strategy, for the smallest way and for each budget. */
  public static List<String> lines(MatrixProfile profile) {
    List<String> lines = new ArrayList<>();
    for (Within way : profile.table()) {
      boolean first = lines.isEmpty();
      String matrix = first ? profile.name() : "";
      String nonzeros = first ? count(profile.nnz()) : "";
      String host = first ? count(profile.hostBytes()) : "";
      lines.add(
          String.format(
                  Locale.ROOT,
                  FORMAT,
                  matrix,
                  nonzeros,
                  host,
                  way.text(),
                  way.plan().map(ProfileTable::word).orElse(way.absence()),
                  way.plan().map(plan -> count(profile.budgetFor(plan))).orElse(""),
                  way.plan().map(plan -> count(plan.peakBytes())).orElse(""),
                  way.measuredPeak().isPresent() ? count(way.measuredPeak().getAsLong()) : "",
                  way.agreement(),
                  way.plan()
                      .map(plan -> String.format(Locale.ROOT, "x%.2f", plan.relativeTime()))
                      .orElse(""))
              .stripTrailing());
    }
    return lines;
  }

  private static String count(long number) {
    return String.format(Locale.ROOT, "%,d", number);
  }

  private static String word(MemoryPlan plan) {
    if (plan.strategy() instanceof TowerStrategy.KeepAll) {
      return "everything kept";
    }
    return plan.strategy() instanceof TowerStrategy.Checkpoints
        ? "checkpoints"
        : plan.strategy().toString();
  }
}
