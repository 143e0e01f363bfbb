package autosparse.engine.opcase;

import autosparse.engine.HostDevice;
import autosparse.engine.Precision;
import autosparse.engine.TensorScope;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The registry: every operator of the engine. */
public final class OpCases {
  private static final long TABLE_BYTES = 1L << 28;

  private OpCases() {}

  /** All cases, in a fixed order. */
  public static List<OpCase> all() {
    return Stream.of(
            GemmCases.all(),
            ElementwiseCases.all(),
            ReductionCases.all(),
            EmbeddingCases.all(),
            NormalizationCases.all(),
            AttentionCases.all(),
            SparseCases.all(),
            RankingLossCases.all(),
            OptimizerCases.all())
        .flatMap(List::stream)
        .toList();
  }

  /** The supported operators as a Markdown table. */
  public static String table() {
    StringBuilder table = new StringBuilder();
    table.append(
        "| case | family | tolerance (relative, absolute) | precisions | gradient |\n|---|---|---|---|---|\n");
    HostDevice.Options options =
        HostDevice.Options.defaults().withCapacity(TABLE_BYTES).withThreads(1);
    try (HostDevice device = HostDevice.reference(options)) {
      for (OpCase operator : all()) {
        long size = operator.testSizes().stream().filter(s -> s > 0).findFirst().orElse(1L);
        try (TensorScope scope = device.root().child(operator.name())) {
          boolean gradient = operator.prepare(scope, size, 1).gradient() != null;
          table
              .append("| ")
              .append(operator.name())
              .append(" | ")
              .append(operator.family())
              .append(" | ")
              .append(operator.tolerance().relative())
              .append(", ")
              .append(operator.tolerance().absolute())
              .append(" | ")
              .append(
                  operator.precisions().stream()
                      .map(Precision::toString)
                      .collect(Collectors.joining(", ")))
              .append(" | ")
              .append(gradient ? "yes" : "no")
              .append(" |\n");
        }
      }
    }
    return table.toString();
  }
}
