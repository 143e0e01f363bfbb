package autosparse.trainer.report;

import autosparse.costmodel.memory.MemoryPlan;
import autosparse.engine.memory.MemoryLedger;
import autosparse.engine.memory.MemoryLedger.Action;
import autosparse.engine.memory.MemoryTag;
import autosparse.trainer.profile.MatrixProfile;
import autosparse.trainer.profile.MatrixProfile.Within;
import autosparse.trainer.report.StackedChart.Layer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;

/** The page of {@code memory-profile}: one HTML file without anything from elsewhere. */
public final class ProfilePage {
  /** Places of a picture over a step's allocations. */
  private static final int PLACES = 300;

  /** Kinds of tensors drawn by name; the rest are one layer. */
  private static final int NAMES = 9;

  private final String title;
  private final List<MatrixProfile> profiles;
  private final StringBuilder html = new StringBuilder();

  public ProfilePage(String title, List<MatrixProfile> profiles) {
    this.title = title;
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
        .append(" runs on a device that places every tensor and holds none. Capacity is the")
        .append(" smallest range that the step fits, gaps included; the peak is what is live at")
        .append(" once.</p>\n</header>\n");
    overview();
    for (int matrix = 0; matrix < profiles.size(); matrix++) {
      matrix(profiles.get(matrix), "m" + matrix);
    }
    html.append("</main>\n</body>\n</html>\n");
    return html.toString();
  }

  private void overview() {
    html.append("<section aria-labelledby=\"all\">\n<h2 id=\"all\">All matrices</h2>\n");
    html.append("<p>Times are estimates for the tower, as multiples of keeping everything. A plain")
        .append(" framework's bytes are 116.8 GB scaled by nonzeros, channels and bytes of an")
        .append(" element: what plain PyTorch took for a band matrix of 10 million nonzeros at 128")
        .append(" channels in bf16.</p>\n");
    List<String> heads = new ArrayList<>(List.of("matrix", "rows", "columns", "nonzeros"));
    heads.addAll(List.of("all kept", "measured", "smallest", "plain framework"));
    if (!profiles.isEmpty()) {
      profiles.get(0).budgets().forEach(within -> heads.add("within " + within.text()));
    }
    html.append("<div class=\"scroll\" tabindex=\"0\"><table>\n<thead><tr>");
    heads.forEach(head -> html.append("<th scope=\"col\">").append(head).append("</th>"));
    html.append("</tr></thead>\n<tbody>\n");
    for (int m = 0; m < profiles.size(); m++) {
      MatrixProfile profile = profiles.get(m);
      html.append("<tr><th scope=\"row\"><a href=\"#m").append(m).append("\">");
      html.append(Html.escape(profile.name())).append("</a></th>");
      cell(Html.count(profile.rows()));
      cell(Html.count(profile.cols()));
      cell(Html.count(profile.nnz()));
      cell(Html.bytes(profile.keepAll().capacityBytes()));
      cell(
          profile.measuredPeak().isPresent()
              ? Html.bytes(profile.measuredPeak().getAsLong())
              : "–");
      cell(Html.bytes(profile.smallest().capacityBytes()));
      cell(Html.bytes(Math.round(profile.plainBytes())));
      for (Within within : profile.budgets()) {
        cell(within.plan().map(ProfilePage::way).orElse("does not fit"));
      }
      html.append("</tr>\n");
    }
    html.append("</tbody>\n</table></div>\n</section>\n");
  }

  private void cell(String text) {
    html.append("<td class=\"n\">").append(Html.escape(text)).append("</td>");
  }

  private static String way(MemoryPlan plan) {
    return String.format(Locale.ROOT, "%s ×%.2f", plan.strategy(), plan.relativeTime());
  }

  private void matrix(MatrixProfile profile, String id) {
    html.append("<section aria-labelledby=\"").append(id).append("\">\n<h2 id=\"").append(id);
    html.append("\">").append(Html.escape(profile.name())).append("</h2>\n<p>");
    html.append(Html.count(profile.nnz())).append(" nonzeros; sites by level: ");
    html.append(
        String.join(", ", profile.sitesByLevel().stream().map(s -> Html.count(s)).toList()));
    html.append(". Peak ").append(Html.count(profile.keepAll().peakBytes()));
    html.append(" bytes with everything kept");
    if (profile.measuredPeak().isPresent()) {
      html.append(", measured ").append(Html.count(profile.measuredPeak().getAsLong()));
    }
    html.append("; at the least ").append(Html.count(profile.smallest().capacityBytes()));
    html.append(" bytes (").append(Html.escape(way(profile.smallest()))).append(").</p>\n");
    html.append(
        new StackedChart(
                id + "-tags",
                "Live bytes by tag over the step's allocations.",
                "allocations of a step with everything kept, by tag",
                layers(profile, event -> tag(event.tag())))
            .toSvg());
    html.append(
        new StackedChart(
                id + "-names",
                "Live bytes by kind of tensor over the step's allocations.",
                "the same, by kind of tensor",
                layers(profile, MemoryLedger.Event::name))
            .toSvg());
    ways(profile);
    html.append("</section>\n");
  }

  private void ways(MatrixProfile profile) {
    html.append("<div class=\"scroll\" tabindex=\"0\"><table>\n<thead><tr><th scope=\"col\">budget")
        .append("</th><th scope=\"col\">the step</th><th scope=\"col\" class=\"n\">capacity</th>")
        .append("<th scope=\"col\" class=\"n\">peak</th><th scope=\"col\" class=\"n\">measured")
        .append("</th><th scope=\"col\">at the peak</th></tr></thead>\n<tbody>\n");
    for (Within within : profile.budgets()) {
      html.append("<tr><th scope=\"row\">").append(Html.escape(within.text())).append("</th><td>");
      html.append(Html.escape(within.plan().map(ProfilePage::way).orElse("does not fit")));
      html.append("</td>");
      cell(within.plan().map(plan -> Html.count(plan.capacityBytes())).orElse("–"));
      cell(within.plan().map(plan -> Html.count(plan.peakBytes())).orElse("–"));
      cell(within.measuredPeak().isPresent() ? Html.count(within.measuredPeak().getAsLong()) : "–");
      html.append("<td>").append(within.plan().map(ProfilePage::tags).orElse("–"));
      html.append("</td></tr>\n");
    }
    html.append("</tbody>\n</table></div>\n");
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

  /** Live bytes by some key at evenly spread allocations; the largest keys, then the rest. */
  private static List<Layer> layers(
      MatrixProfile profile, Function<MemoryLedger.Event, String> key) {
    List<MemoryLedger.Event> events = profile.events();
    int places = Math.max(1, Math.min(PLACES, events.size()));
    Map<String, long[]> series = new HashMap<>();
    Map<String, Long> live = new HashMap<>();
    int place = 0;
    for (int e = 0; e < events.size(); e++) {
      MemoryLedger.Event event = events.get(e);
      long change = event.action() == Action.ALLOCATE ? event.bytes() : -event.bytes();
      live.merge(key.apply(event), change, Long::sum);
      // A place shows the state after its last event.
      place = (int) ((long) e * places / events.size());
      for (Map.Entry<String, Long> entry : live.entrySet()) {
        series.computeIfAbsent(entry.getKey(), k -> new long[places])[place] =
            Math.max(0, entry.getValue());
      }
    }
    List<Layer> all = new ArrayList<>();
    series.entrySet().stream()
        .sorted(
            (a, b) -> {
              int bySize = Long.compare(most(b.getValue()), most(a.getValue()));
              return bySize != 0 ? bySize : a.getKey().compareTo(b.getKey());
            })
        .forEach(entry -> all.add(new Layer(entry.getKey(), entry.getValue())));
    if (all.size() <= NAMES) {
      return all;
    }
    long[] rest = new long[places];
    for (Layer layer : all.subList(NAMES, all.size())) {
      for (int p = 0; p < places; p++) {
        rest[p] += layer.values()[p];
      }
    }
    List<Layer> largest = new ArrayList<>(all.subList(0, NAMES));
    largest.add(new Layer("others", rest));
    return largest;
  }

  private static long most(long[] values) {
    long most = 0;
    for (long value : values) {
      most = Math.max(most, value);
    }
    return most;
  }
}
