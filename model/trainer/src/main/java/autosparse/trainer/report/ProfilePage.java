package autosparse.trainer.report;

import autosparse.costmodel.memory.MemoryPlan;
import autosparse.costmodel.memory.TowerStrategy;
import autosparse.engine.memory.MemoryTag;
import autosparse.kernels.Gpu;
import autosparse.trainer.profile.MatrixProfile;
import autosparse.trainer.profile.MatrixProfile.Within;
import autosparse.trainer.profile.PlainFramework;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** The page of {@code memory-profile}: one HTML file without anything from elsewhere. */
public final class ProfilePage {
  /** The card that plain frameworks are held to where none is profiled. */
  private static final Gpu LARGE_CARD = new Gpu(0, "NVIDIA H200", 9, 0, 132, 143_771L << 20);

  private static final String AT_PEAK = "at the peak";

  private final String title;
  private final Gpu card;
  private final List<MatrixProfile> profiles;
  private final StringBuilder html = new StringBuilder();

  /**
   * @param gpu what the steps were planned for, if it is a GPU
   */
  public ProfilePage(String title, Optional<Gpu> gpu, List<MatrixProfile> profiles) {
    this.title = title;
    this.card = gpu.orElse(LARGE_CARD);
    this.profiles = List.copyOf(profiles);
  }

  /** The whole file. */
  public String render() {
    html.append("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
    html.append("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
    html.append("<meta name=\"color-scheme\" content=\"light dark\">\n<title>");
    html.append(Html.escape(title)).append("</title>\n<style>\n").append(HtmlReport.style());
    html.append("</style>\n</head>\n<body>\n<main>\n<header>\n<h1>").append(Html.escape(title));
    html.append("</h1>\n<p class=\"lead\">What a step takes is known before it runs: the same code")
        .append(" runs on a device that places every tensor and holds none. The peak is what is")
        .append(" live at once; the budget that a step needs is the smallest range that it fits,")
        .append(" gaps included, and what of the device is not for tensors.</p>\n");
    tiles();
    html.append("</header>\n");
    matrices();
    budgets();
    for (int matrix = 0; matrix < profiles.size(); matrix++) {
      matrix(profiles.get(matrix), "m" + matrix);
    }
    html.append("</main>\n</body>\n</html>\n");
    return html.toString();
  }

  private void tiles() {
    long measured = 0;
    long equal = 0;
    for (MatrixProfile profile : profiles) {
      for (Within way : profile.all()) {
        measured += way.measuredPeak().isPresent() ? 1 : 0;
        equal += way.measuredPeak().isPresent() && !way.differs() ? 1 : 0;
      }
    }
    html.append("<dl class=\"tiles\">\n");
    tile("matrices", Html.count(profiles.size()));
    long most = profiles.stream().mapToLong(p -> p.budgetFor(p.smallest())).max().orElse(0);
    tile("budget under which all train", Html.bytes(most));
    tile(
        "too large for a plain framework on " + card.name(),
        Html.count(profiles.stream().filter(this::isTooLarge).count()));
    if (measured > 0) {
      tile("steps run, of which as planned to the byte", measured + " / " + equal);
    }
    html.append("</dl>\n");
  }

  private void tile(String name, String value) {
    html.append("<div><dt>").append(Html.escape(name)).append("</dt><dd>");
    html.append(Html.escape(value)).append("</dd></div>\n");
  }

  private boolean isTooLarge(MatrixProfile profile) {
    return profile.plainBytes() > card.totalBytes();
  }

  private void head(String... columns) {
    html.append("<div class=\"scroll\" tabindex=\"0\"><table>\n<thead><tr>");
    for (int column = 0; column < columns.length; column++) {
      boolean text = column == 0 || columns[column].equals(AT_PEAK);
      html.append("<th scope=\"col\"").append(text ? "" : " class=\"n\"").append('>');
      html.append(Html.escape(columns[column])).append("</th>");
    }
    html.append("</tr></thead>\n<tbody>\n");
  }

  private void endTable() {
    html.append("</tbody>\n</table></div>\n");
  }

  private void nameCell(int matrix) {
    html.append("<tr><th scope=\"row\"><a href=\"#m").append(matrix).append("\">");
    html.append(Html.escape(profiles.get(matrix).name())).append("</a></th>");
  }

  private void cell(String text) {
    html.append("<td class=\"n\">").append(Html.escape(text)).append("</td>");
  }

  private void matrices() {
    html.append("<section aria-labelledby=\"all\">\n<h2 id=\"all\">All matrices</h2>\n");
    head(
        "matrix",
        "rows",
        "columns",
        "nonzeros",
        "host memory",
        "everything kept",
        "smallest budget",
        "plain framework");
    for (int m = 0; m < profiles.size(); m++) {
      MatrixProfile profile = profiles.get(m);
      nameCell(m);
      cell(Html.count(profile.rows()));
      cell(Html.count(profile.cols()));
      cell(Html.count(profile.nnz()));
      cell(Html.bytes(profile.hostBytes()));
      cell(Html.bytes(profile.budgetFor(profile.keepAll())));
      cell(Html.bytes(profile.budgetFor(profile.smallest())));
      html.append("<td class=\"n").append(isTooLarge(profile) ? " bad" : "").append("\">");
      html.append(Html.escape(Html.bytes(Math.round(profile.plainBytes()))));
      html.append(isTooLarge(profile) ? "<small>cannot train</small></td>" : "</td>");
      html.append("</tr>\n");
    }
    endTable();
    html.append("<p class=\"note\">Host memory: the pattern's arrays. Plain framework: ")
        .append(Html.escape(PlainFramework.SOURCE));
    html.append(" It cannot train what takes more than the ");
    html.append(Html.escape(Html.bytes(card.totalBytes()))).append(" of one ");
    html.append(Html.escape(card.name())).append(".</p>\n</section>\n");
  }

  private void budgets() {
    if (profiles.isEmpty() || profiles.get(0).budgets().isEmpty()) {
      return;
    }
    html.append("<section aria-labelledby=\"budgets\">\n<h2 id=\"budgets\">Within a budget</h2>\n")
        .append("<p>The fastest way to run a step, and the tower's estimated time as a multiple of")
        .append(" keeping everything.</p>\n");
    List<String> columns = new ArrayList<>(List.of("matrix"));
    profiles.get(0).budgets().forEach(within -> columns.add(within.text()));
    head(columns.toArray(String[]::new));
    for (int m = 0; m < profiles.size(); m++) {
      nameCell(m);
      for (Within within : profiles.get(m).budgets()) {
        Optional<MemoryPlan> plan = within.plan();
        html.append("<td class=\"n").append(plan.isPresent() ? "" : " bad").append("\">");
        html.append(plan.map(p -> kind(p.strategy())).orElse("does not fit"));
        plan.ifPresent(p -> html.append("<small>").append(time(p)).append("</small>"));
        html.append("</td>");
      }
      html.append("</tr>\n");
    }
    endTable();
    html.append("</section>\n");
  }

  private static String kind(TowerStrategy strategy) {
    if (strategy instanceof TowerStrategy.KeepAll) {
      return "all kept";
    }
    return strategy instanceof TowerStrategy.Checkpoints ? "checkpoints" : "strips";
  }

  private static String time(MemoryPlan plan) {
    return String.format(Locale.ROOT, "×%.2f", plan.relativeTime());
  }

  private void matrix(MatrixProfile profile, String id) {
    html.append("<section aria-labelledby=\"").append(id).append("\">\n<h2 id=\"").append(id);
    html.append("\">").append(Html.escape(profile.name())).append("</h2>\n<p>");
    html.append(Html.count(profile.rows())).append(" rows, ").append(Html.count(profile.cols()));
    html.append(" columns, ").append(Html.count(profile.nnz())).append(" nonzeros. Sites by level");
    html.append(" of the tower: ");
    html.append(
        String.join(" · ", profile.sitesByLevel().stream().map(s -> Html.count(s)).toList()));
    html.append(".</p>\n");
    LiveBytes live = new LiveBytes(profile.events(), profile.keepAll().baseBytes());
    chart(
        id + "-tags",
        "Live bytes of a step with everything kept, by tag.",
        live.by(event -> tag(event.tag())));
    chart(
        id + "-layers",
        "Live bytes of a step with everything kept, by layer.",
        live.by(event -> event.part().isEmpty() ? "inputs" : event.part()));
    ways(profile);
    html.append("</section>\n");
  }

  private void chart(String id, String description, List<StackedChart.Layer> layers) {
    html.append("<figure>\n<figcaption>").append(description).append("</figcaption>\n");
    html.append(
        new StackedChart(id, description, "the step's allocations, in order", layers).toSvg());
    html.append("</figure>\n");
  }

  private void ways(MatrixProfile profile) {
    head("way", "budget needed", "planned peak", "measured peak", "equal", "time", AT_PEAK);
    profile.table().forEach(within -> way(profile, within));
    endTable();
  }

  private void way(MatrixProfile profile, Within within) {
    Optional<MemoryPlan> plan = within.plan();
    html.append("<tr><th scope=\"row\">").append(within.bytes() > 0 ? "within " : "");
    html.append(Html.escape(within.text())).append("<small>");
    html.append(Html.escape(plan.map(p -> p.strategy().toString()).orElse(within.absence())));
    html.append("</small></th>");
    cell(plan.map(p -> Html.count(profile.budgetFor(p))).orElse("–"));
    cell(plan.map(p -> Html.count(p.peakBytes())).orElse("–"));
    cell(within.measuredPeak().isPresent() ? Html.count(within.measuredPeak().getAsLong()) : "–");
    html.append("<td class=\"n").append(within.differs() ? " bad" : "").append("\">");
    html.append(within.agreement().isEmpty() ? "–" : within.agreement()).append("</td>");
    cell(plan.map(ProfilePage::time).orElse("–"));
    html.append("<td class=\"parts\">").append(plan.map(ProfilePage::tags).orElse("–"));
    html.append("</td></tr>\n");
  }

  private static String tags(MemoryPlan plan) {
    List<String> parts = new ArrayList<>();
    for (MemoryTag tag : MemoryTag.values()) {
      long bytes = plan.atPeak().getOrDefault(tag, 0L);
      if (bytes > 0) {
        parts.add(tag(tag) + " " + Html.bytes(bytes));
      }
    }
    return String.join(", ", parts);
  }

  private static String tag(MemoryTag tag) {
    return tag.name().toLowerCase(Locale.ROOT).replace('_', ' ');
  }
}
