package autosparse.trainer.profile;

import autosparse.costmodel.checkpoint.AtomicFiles;
import autosparse.trainer.profile.MatrixProfile.Within;
import autosparse.trainer.report.ProfilePage;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/** The files of a profile, and its table. */
public final class ProfileFiles {
  private ProfileFiles() {}

  /** Writes everything into a folder that exists. */
  public static void write(Path folder, String title, List<MatrixProfile> profiles) {
    for (MatrixProfile profile : profiles) {
      byte[] snapshot = MemoryViz.of(profile);
      AtomicFiles.write(folder.resolve(profile.name() + ".pickle"), out -> out.write(snapshot));
      AtomicFiles.writeText(
          folder.resolve(profile.name() + ".trace.json"), MemoryTrace.of(profile));
    }
    AtomicFiles.writeText(folder.resolve("profile.csv"), csv(profiles));
    AtomicFiles.writeText(folder.resolve("index.html"), new ProfilePage(title, profiles).render());
  }

  /** One line a matrix and budget; the first of a matrix is with everything kept. */
  static String csv(List<MatrixProfile> profiles) {
    StringBuilder csv =
        new StringBuilder(
            "matrix,rows,cols,nnz,sites,budget,budget_bytes,strategy,capacity_bytes,"
                + "peak_bytes,measured_peak_bytes,relative_time,plain_framework_bytes\n");
    for (MatrixProfile profile : profiles) {
      row(
          csv,
          profile,
          new Within("none", 0, java.util.Optional.of(profile.keepAll()), profile.measuredPeak()));
      row(
          csv,
          profile,
          new Within(
              "smallest",
              profile.smallest().capacityBytes(),
              java.util.Optional.of(profile.smallest()),
              java.util.OptionalLong.empty()));
      profile.budgets().forEach(within -> row(csv, profile, within));
    }
    return csv.toString();
  }

  private static void row(StringBuilder csv, MatrixProfile profile, Within within) {
    csv.append('"').append(profile.name().replace("\"", "\"\"")).append('"');
    csv.append(',').append(profile.rows()).append(',').append(profile.cols());
    csv.append(',').append(profile.nnz()).append(',');
    csv.append(profile.sitesByLevel().toString().replaceAll("[\\[\\],]", "")).append(',');
    csv.append(within.text()).append(',').append(within.bytes()).append(',');
    csv.append(within.plan().map(plan -> plan.strategy().toString()).orElse("does not fit"));
    csv.append(',').append(within.plan().map(plan -> "" + plan.capacityBytes()).orElse(""));
    csv.append(',').append(within.plan().map(plan -> "" + plan.peakBytes()).orElse(""));
    csv.append(',');
    within.measuredPeak().ifPresent(csv::append);
    csv.append(',');
    within
        .plan()
        .ifPresent(plan -> csv.append(String.format(Locale.ROOT, "%.3f", plan.relativeTime())));
    csv.append(',').append(Math.round(profile.plainBytes())).append('\n');
  }
}
