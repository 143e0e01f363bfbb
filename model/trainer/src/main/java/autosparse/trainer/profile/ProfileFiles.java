package autosparse.trainer.profile;

import autosparse.costmodel.checkpoint.AtomicFiles;
import autosparse.costmodel.memory.MemoryPlan;
import autosparse.trainer.profile.MatrixProfile.Within;
import autosparse.trainer.report.ProfilePage;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** The files of a profile, and its table. */
public final class ProfileFiles {
  private ProfileFiles() {}

  /** Writes everything into a folder that exists. */
  public static void write(Path folder, ProfilePage page, List<MatrixProfile> profiles) {
    for (MatrixProfile profile : profiles) {
      byte[] snapshot = MemoryViz.of(profile);
      AtomicFiles.write(folder.resolve(profile.name() + ".pickle"), out -> out.write(snapshot));
      AtomicFiles.writeText(
          folder.resolve(profile.name() + ".trace.json"), MemoryTrace.of(profile));
    }
    AtomicFiles.writeText(folder.resolve("profile.csv"), csv(profiles));
    AtomicFiles.writeText(folder.resolve("index.html"), page.render());
  }

  /** One line a matrix and strategy, smallest way or budget. */
  static String csv(List<MatrixProfile> profiles) {
    StringBuilder csv =
        new StringBuilder(
            "matrix,rows,cols,nnz,sites,way,budget_bytes,strategy,needed_budget_bytes,capacity_bytes,peak_bytes,measured_peak_bytes,planned_is_measured,relative_time,plain_framework_bytes,host_bytes\n");
    for (MatrixProfile profile : profiles) {
      profile.table().forEach(way -> row(csv, profile, way));
    }
    return csv.toString();
  }

  private static void row(StringBuilder csv, MatrixProfile profile, Within within) {
    Optional<MemoryPlan> plan = within.plan();
    List<String> cells =
        List.of(
            '"' + profile.name().replace("\"", "\"\"") + '"',
            String.valueOf(profile.rows()),
            String.valueOf(profile.cols()),
            String.valueOf(profile.nnz()),
            profile.sitesByLevel().toString().replaceAll("[\\[\\],]", ""),
            within.text(),
            within.bytes() == 0 ? "" : String.valueOf(within.bytes()),
            plan.map(p -> p.strategy().toString()).orElse(within.absence()),
            plan.map(p -> String.valueOf(profile.budgetFor(p))).orElse(""),
            plan.map(p -> String.valueOf(p.capacityBytes())).orElse(""),
            plan.map(p -> String.valueOf(p.peakBytes())).orElse(""),
            within.measuredPeak().isPresent()
                ? String.valueOf(within.measuredPeak().getAsLong())
                : "",
            within.agreement(),
            plan.map(p -> String.format(Locale.ROOT, "%.3f", p.relativeTime())).orElse(""),
            String.valueOf(Math.round(profile.plainBytes())),
            String.valueOf(profile.hostBytes()));
    csv.append(String.join(",", cells)).append('\n');
  }
}
