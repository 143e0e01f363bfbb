package autosparse.trainer.report;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * A line chart as inline SVG: axes with round ticks, a legend, the last value beside each line's
 * end, and a title on every point that a browser shows on hovering.
 */
final class LineChart {
  private static final int WIDTH = 760;
  private static final int HEIGHT = 300;
  private static final int LEFT = 62;
  private static final int RIGHT = 74;
  private static final int TOP = 14;
  private static final int BOTTOM = 44;

  /** More points than this are drawn as means of neighbours: a screen shows no more. */
  private static final int MAX_POINTS = 400;

  /** Up to so many points, each is marked. */
  private static final int MARKED_POINTS = 40;

  /** A point; drawn only where both are finite. */
  record Point(double x, double y) {
    boolean drawable() {
      return Double.isFinite(x) && Double.isFinite(y);
    }
  }

  /**
   * One line.
   *
   * @param faint whether it is background to another line
   */
  record Series(String name, List<Point> points, boolean faint) {
    Series {
      points = points.stream().filter(Point::drawable).toList();
    }
  }

  private final String id;
  private final String description;
  private final String xLabel;
  private final String yLabel;
  private final List<Series> series;
  private final double xFrom;
  private final double xTo;
  private final Ticks yTicks;

  /**
   * A chart.
   *
   * @param id unique in the page
   * @param description what a screen reader says
   */
  LineChart(String id, String description, String xLabel, String yLabel, List<Series> series) {
    this.id = id;
    this.description = description;
    this.xLabel = xLabel;
    this.yLabel = yLabel;
    this.series = List.copyOf(series);
    List<Point> all = series.stream().flatMap(line -> line.points().stream()).toList();
    double first = all.stream().mapToDouble(Point::x).min().orElse(0);
    double last = all.stream().mapToDouble(Point::x).max().orElse(1);
    xFrom = first == last ? first - 0.5 : first;
    xTo = first == last ? last + 0.5 : last;
    yTicks =
        Ticks.covering(
            all.stream().mapToDouble(Point::y).min().orElse(0),
            all.stream().mapToDouble(Point::y).max().orElse(1));
  }

  /** Round numbers along an axis. */
  record Ticks(double from, double to, double step) {
    static Ticks covering(double low, double high) {
      double span = high - low;
      if (!(span > Math.max(Math.abs(low), Math.abs(high)) * 1e-9)) {
        double margin = low == 0 ? 1 : Math.abs(low) * 0.1;
        return covering(low - margin, low + margin);
      }
      double step = roundStep(span / 5);
      return new Ticks(Math.floor(low / step) * step, Math.ceil(high / step) * step, step);
    }

    static double roundStep(double rough) {
      double power = Math.pow(10, Math.floor(Math.log10(rough)));
      double lead = rough / power;
      return power * (lead <= 1 ? 1 : lead <= 2 ? 2 : lead <= 5 ? 5 : 10);
    }

    List<Double> values() {
      List<Double> values = new ArrayList<>();
      long count = Math.round((to - from) / step);
      for (long i = 0; i <= count; i++) {
        values.add(from + i * step);
      }
      return values;
    }
  }

  /** The drawing, or a sentence where there is nothing to draw. */
  String toSvg() {
    if (series.stream().allMatch(line -> line.points().isEmpty())) {
      return "<p class=\"none\">No figures were recorded.</p>\n";
    }
    StringBuilder svg = new StringBuilder();
    svg.append("<svg class=\"chart\" role=\"img\" viewBox=\"0 0 ")
        .append(WIDTH)
        .append(' ')
        .append(HEIGHT)
        .append("\" aria-labelledby=\"")
        .append(id)
        .append("-d\">\n<desc id=\"")
        .append(id)
        .append("-d\">")
        .append(Html.escape(description))
        .append("</desc>\n");
    axes(svg);
    List<Double> labels = new ArrayList<>();
    for (int i = 0; i < series.size(); i++) {
      line(svg, series.get(i), i, labels);
    }
    return legend() + svg.append("</svg>\n");
  }

  private void axes(StringBuilder svg) {
    for (double tick : yTicks.values()) {
      String y = Html.at(y(tick));
      svg.append("<line class=\"grid\" x1=\"").append(LEFT).append("\" x2=\"");
      svg.append(WIDTH - RIGHT).append("\" y1=\"").append(y).append("\" y2=\"").append(y);
      svg.append("\"/>");
      text(svg, "tick", LEFT - 8, y(tick) + 4, "end", label(tick, yTicks.step()));
    }
    double step = Math.max(1, Ticks.roundStep((xTo - xFrom) / 8));
    for (double x = Math.ceil(xFrom / step) * step; x <= xTo; x += step) {
      text(svg, "tick", x(x), HEIGHT - BOTTOM + 18, "middle", Html.count(Math.round(x)));
    }
    svg.append("<line class=\"axis\" x1=\"").append(LEFT).append("\" x2=\"").append(WIDTH - RIGHT);
    svg.append("\" y1=\"").append(HEIGHT - BOTTOM).append("\" y2=\"").append(HEIGHT - BOTTOM);
    svg.append("\"/>\n");
    text(svg, "name", (LEFT + WIDTH - RIGHT) / 2.0, HEIGHT - 6, "middle", xLabel);
    double middle = (TOP + HEIGHT - BOTTOM) / 2.0;
    svg.append("<text class=\"name\" text-anchor=\"middle\" transform=\"translate(14 ")
        .append(Html.at(middle))
        .append(") rotate(-90)\">")
        .append(Html.escape(yLabel))
        .append("</text>\n");
  }

  private void line(StringBuilder svg, Series line, int index, List<Double> labels) {
    List<Point> points = thinned(line.points());
    if (points.isEmpty()) {
      return;
    }
    String style = "s" + index + (line.faint() ? " faint" : "");
    svg.append("<polyline class=\"line ").append(style).append("\" points=\"");
    for (int i = 0; i < points.size(); i++) {
      svg.append(i == 0 ? "" : " ").append(Html.at(x(points.get(i).x()))).append(',');
      svg.append(Html.at(y(points.get(i).y())));
    }
    svg.append("\"/>\n");
    if (line.faint()) {
      return;
    }
    for (Point point : points) {
      boolean marked = points.size() <= MARKED_POINTS;
      svg.append("<circle class=\"dot ").append(style).append(marked ? "" : " hidden");
      svg.append("\" cx=\"").append(Html.at(x(point.x()))).append("\" cy=\"");
      svg.append(Html.at(y(point.y()))).append("\" r=\"").append(marked ? 3 : 5);
      svg.append("\"><title>").append(Html.escape(line.name())).append(": ");
      svg.append(Html.number(point.y())).append(" at ").append(Html.escape(xLabel)).append(' ');
      svg.append(Html.count(Math.round(point.x()))).append("</title></circle>");
    }
    Point last = points.get(points.size() - 1);
    double labelY = freeOf(labels, y(last.y()));
    labels.add(labelY);
    svg.append('\n');
    text(svg, "end " + style, x(last.x()) + 8, labelY + 4, "start", Html.number(last.y()));
  }

  /** The nearest height at which a label covers none of those set already. */
  private static double freeOf(List<Double> taken, double wanted) {
    double lineHeight = 14;
    for (int step = 0; ; step++) {
      for (int sign = -1; sign <= 1; sign += 2) {
        double y = wanted + sign * step * 2;
        if (taken.stream().allMatch(other -> Math.abs(other - y) >= lineHeight)) {
          return y;
        }
      }
    }
  }

  private String legend() {
    StringBuilder html = new StringBuilder("<ul class=\"legend\">");
    for (int i = 0; i < series.size(); i++) {
      html.append("<li><span class=\"key s").append(i);
      html.append(series.get(i).faint() ? " faint" : "").append("\"></span>");
      html.append(Html.escape(series.get(i).name())).append("</li>");
    }
    return html.append("</ul>\n").toString();
  }

  private static List<Point> thinned(List<Point> points) {
    int group = (points.size() + MAX_POINTS - 1) / MAX_POINTS;
    if (group <= 1) {
      return points;
    }
    List<Point> means = new ArrayList<>();
    for (int from = 0; from < points.size(); from += group) {
      List<Point> part = points.subList(from, Math.min(points.size(), from + group));
      means.add(
          new Point(
              part.get(part.size() - 1).x(),
              part.stream().mapToDouble(Point::y).average().orElse(Double.NaN)));
    }
    return means;
  }

  private static void text(
      StringBuilder svg, String style, double x, double y, String anchor, String text) {
    svg.append("<text class=\"").append(style).append("\" x=\"").append(Html.at(x));
    svg.append("\" y=\"").append(Html.at(y)).append("\" text-anchor=\"").append(anchor);
    svg.append("\">").append(Html.escape(text)).append("</text>\n");
  }

  private static String label(double value, double step) {
    int decimals = (int) Math.max(0, Math.ceil(-Math.log10(step) - 1e-9));
    return decimals > 6
        ? Html.number(value)
        : String.format(Locale.ROOT, "%." + decimals + "f", value + 0.0);
  }

  private double x(double value) {
    return LEFT + (value - xFrom) / (xTo - xFrom) * (WIDTH - LEFT - RIGHT);
  }

  private double y(double value) {
    double share = (value - yTicks.from()) / (yTicks.to() - yTicks.from());
    return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM);
  }
}
