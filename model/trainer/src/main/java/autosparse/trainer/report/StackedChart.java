package autosparse.trainer.report;

import java.util.List;
import java.util.Locale;

/** Layers on top of each other over a common axis, as inline SVG, with a legend. */
final class StackedChart {
  private static final int WIDTH = 760;
  private static final int HEIGHT = 260;
  private static final int LEFT = 74;
  private static final int RIGHT = 14;
  private static final int TOP = 14;
  private static final int BOTTOM = 34;
  private static final int TICKS = 4;

  /**
   * One layer.
   *
   * @param values its height at each place
   */
  record Layer(String name, long[] values) {}

  private final String id;
  private final String description;
  private final String xLabel;
  private final List<Layer> layers;
  private final int places;
  private final long most;

  /**
   * A chart.
   *
   * @param id unique in the page
   * @param layers the lowest first, of equal lengths
   */
  StackedChart(String id, String description, String xLabel, List<Layer> layers) {
    this.id = id;
    this.description = description;
    this.xLabel = xLabel;
    this.layers = List.copyOf(layers);
    this.places = layers.isEmpty() ? 0 : layers.get(0).values().length;
    long highest = 1;
    for (int place = 0; place < places; place++) {
      highest = Math.max(highest, top(layers.size(), place));
    }
    this.most = highest;
  }

  /** Sum of the layers below one, at a place. */
  private long top(int below, int place) {
    long sum = 0;
    for (int layer = 0; layer < below; layer++) {
      sum += layers.get(layer).values()[place];
    }
    return sum;
  }

  String toSvg() {
    StringBuilder svg = new StringBuilder("<ul class=\"legend\">");
    for (int layer = 0; layer < layers.size(); layer++) {
      svg.append("<li><span class=\"block\" style=\"background:").append(color(layer));
      svg.append("\"></span>").append(Html.escape(layers.get(layer).name())).append("</li>");
    }
    svg.append(
            "</ul>\n<div class=\"stacked\" tabindex=\"0\"><svg class=\"chart\" role=\"img\" viewBox=\"0 0 ")
        .append(WIDTH);
    svg.append(' ').append(HEIGHT).append("\" aria-labelledby=\"").append(id).append("-d\">\n");
    svg.append("<desc id=\"").append(id).append("-d\">").append(Html.escape(description));
    svg.append("</desc>\n");
    for (int tick = 0; tick <= TICKS; tick++) {
      double y = y(most * (double) tick / TICKS);
      svg.append("<line class=\"grid\" x1=\"").append(LEFT).append("\" x2=\"");
      svg.append(WIDTH - RIGHT).append("\" y1=\"").append(Html.at(y)).append("\" y2=\"");
      svg.append(Html.at(y)).append("\"/><text x=\"").append(LEFT - 8).append("\" y=\"");
      svg.append(Html.at(y + 4)).append("\" text-anchor=\"end\">");
      svg.append(Html.bytes(most / TICKS * tick)).append("</text>\n");
    }
    for (int layer = 0; layer < layers.size(); layer++) {
      area(svg, layer);
    }
    svg.append("<text x=\"").append(WIDTH / 2).append("\" y=\"").append(HEIGHT - 10);
    svg.append("\" text-anchor=\"middle\">").append(Html.escape(xLabel)).append("</text>\n");
    return svg.append("</svg></div>\n").toString();
  }

  private void area(StringBuilder svg, int layer) {
    svg.append("<polygon style=\"fill:").append(color(layer)).append("\" points=\"");
    for (int place = 0; place < places; place++) {
      svg.append(Html.at(x(place))).append(',').append(Html.at(y((double) top(layer + 1, place))));
      svg.append(' ');
    }
    for (int place = places - 1; place >= 0; place--) {
      svg.append(Html.at(x(place))).append(',').append(Html.at(y((double) top(layer, place))));
      svg.append(place == 0 ? "" : " ");
    }
    svg.append("\"><title>").append(Html.escape(layers.get(layer).name()));
    svg.append("</title></polygon>\n");
  }

  /** Hues around the circle, every other one lighter: many layers have neighbours of close hues. */
  private String color(int layer) {
    int hue = 210 + layer * 360 / Math.max(1, layers.size());
    return String.format(Locale.ROOT, "hsl(%d 55%% %d%%)", hue % 360, layer % 2 == 0 ? 46 : 64);
  }

  private double x(int place) {
    return LEFT + (double) place / Math.max(1, places - 1) * (WIDTH - LEFT - RIGHT);
  }

  private double y(double bytes) {
    return HEIGHT - BOTTOM - bytes / most * (HEIGHT - TOP - BOTTOM);
  }
}
