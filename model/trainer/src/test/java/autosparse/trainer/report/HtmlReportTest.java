package autosparse.trainer.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import autosparse.trainer.report.ReportData.EvaluationPoint;
import autosparse.trainer.report.ReportData.HostRow;
import autosparse.trainer.report.ReportData.LossPoint;
import autosparse.trainer.report.ReportData.MeanRow;
import autosparse.trainer.report.ReportData.Memory;
import autosparse.trainer.report.ReportData.TaskRow;
import java.io.IOException;
import java.io.StringReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Random;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.xml.sax.InputSource;

class HtmlReportTest {
  private static final double NONE = Double.NaN;

  private static ReportData sample() {
    Map<String, String> config = new LinkedHashMap<>();
    config.put("model", "autosparse");
    config.put("op", "spmm");
    config.put("channels", "32");
    config.put("data", "/home/someone/a-long-path/that/does/not/end/records");
    Map<String, String> environment = new LinkedHashMap<>();
    environment.put("cpu", "Some Processor @ 2.00GHz");
    environment.put("commit", "0123456789abcdef0123456789abcdef01234567");
    List<LossPoint> losses = new ArrayList<>();
    Random random = new Random(7);
    for (int step = 1; step <= 3000; step++) {
      losses.add(
          new LossPoint(step, 0.8 * Math.exp(-step / 700.0) + 0.2 + random.nextGaussian() / 30));
    }
    List<EvaluationPoint> evaluations = new ArrayList<>();
    for (int epoch = 1; epoch <= 30; epoch++) {
      double rise = 1 - Math.exp(-epoch / 8.0);
      evaluations.add(
          new EvaluationPoint(epoch, .41 + .36 * rise, .66 + .15 * rise, .5 + .34 * rise));
    }
    return new ReportData(
        "autosparse on SpMM",
        "Trained for 30 epochs on 5 matrices; split random, seed 1; 14 min 03 s on the CPU.",
        config,
        environment,
        losses,
        evaluations,
        List.of(
            new TaskRow("nemspmm1_16x4_0", "spmm", 2931, .91, 1, .871, .802),
            new TaskRow("mhd4800a", "spmm", 2905, .17, .18, .662, NONE)),
        List.of(
            new MeanRow("this model", "", .768, .811, .838, .412, .455),
            new MeanRow("features-mlp", "derived features only", .781, .806, .851, .4, .44),
            new MeanRow("pattern-blind", "another matrix's features", .75, .79, .82, .39, .42),
            new MeanRow("random pick", "expected value", .408, .66, .5, .2, .3),
            new MeanRow("noise ceiling", "repeats only", .962, .998, NONE, NONE, NONE)),
        new Memory(
            memory(),
            4L << 30,
            List.of(
                new HostRow("matrices", 1_234_567_890L, OptionalLong.empty()),
                new HostRow("staging", 33L << 20, OptionalLong.of(22L << 20))),
            OptionalLong.of(2_345_678_901L)));
  }

  private static Map<String, Long> memory() {
    Map<String, Long> tags = new LinkedHashMap<>();
    tags.put("weights", 12_000_000L);
    tags.put("optimizer", 24_000_000L);
    tags.put("activation", 740_000_000L);
    tags.put("workspace", 160_000_000L);
    return tags;
  }

  private static ReportData with(String text, List<LossPoint> losses, List<MeanRow> means) {
    return new ReportData(
        text,
        text,
        Map.of(text, text),
        Map.of(text, text),
        losses,
        List.of(),
        List.of(new TaskRow(text, text, 1, NONE, NONE, NONE, NONE)),
        means,
        new Memory(
            Map.of(text, 1L),
            0,
            List.of(new HostRow(text, 1, OptionalLong.empty())),
            OptionalLong.empty()));
  }

  @Test
  void showsEveryFigureOnceAndNothingFromElsewhere() throws IOException {
    String html = HtmlReport.render(sample());
    Files.writeString(Path.of("target", "sample-report.html"), html);
    for (String text :
        List.of(
            "0.768",
            "features-mlp",
            "noise ceiling",
            "2,931",
            "705.7 MiB",
            "4.0 GiB",
            "2.2 GiB",
            "1.1 GiB",
            "33.0 MiB",
            "22.0 MiB")) {
      assertTrue(html.contains(text), text);
    }
    for (String text : List.of("http:", "https:", "src=", "url(", "@import", "<script", "<link")) {
      assertFalse(html.contains(text), text);
    }
    assertFalse(html.contains("NaN"));
  }

  @Test
  void sameDataGiveSameBytes() {
    assertEquals(HtmlReport.render(sample()), HtmlReport.render(sample()));
  }

  @Test
  void textIsEscapedEverywhere() {
    String bad = "<b>&\"'\u0000</b>";
    String html = HtmlReport.render(with(bad, List.of(), List.of(row(bad))));
    assertFalse(html.contains("<b>"), "raw markup");
    assertFalse(html.contains("\u0000"), "control character");
    assertTrue(html.contains("&lt;b&gt;&amp;&quot;&#39;\ufffd&lt;/b&gt;"));
  }

  private static MeanRow row(String text) {
    return new MeanRow(text, text, NONE, NONE, NONE, Double.POSITIVE_INFINITY, NONE);
  }

  @Test
  void whatIsNoNumberIsADashOrAGap() {
    List<LossPoint> losses =
        List.of(
            new LossPoint(1, NONE),
            new LossPoint(2, 0.5),
            new LossPoint(3, Double.POSITIVE_INFINITY),
            new LossPoint(4, 0.25));
    String html = HtmlReport.render(with("x", losses, List.of(row("x"))));
    assertFalse(html.contains("NaN"));
    assertFalse(html.contains("Infinity"));
    assertTrue(html.contains("<td class=\"n\">–</td>"));
    String nothing = HtmlReport.render(with("x", List.of(new LossPoint(1, NONE)), List.of()));
    assertTrue(nothing.contains("No figures were recorded."));
  }

  @Test
  void chartsAreWellFormed() throws Exception {
    String html = HtmlReport.render(sample());
    int charts = 0;
    for (int at = html.indexOf("<svg class=\"chart\""); at >= 0; charts++) {
      int end = html.indexOf("</svg>", at) + 6;
      DocumentBuilderFactory.newInstance()
          .newDocumentBuilder()
          .parse(new InputSource(new StringReader(html.substring(at, end))));
      at = html.indexOf("<svg class=\"chart\"", end);
    }
    assertEquals(2, charts);
  }

  @Test
  void ticksAreRoundAndCoverTheValues() {
    LineChart.Ticks ticks = LineChart.Ticks.covering(0.41, 0.83);
    assertEquals(0.1, ticks.step(), 1e-12);
    assertEquals(0.4, ticks.from(), 1e-12);
    assertEquals(0.9, ticks.to(), 1e-12);
    assertEquals(6, ticks.values().size());
    LineChart.Ticks flat = LineChart.Ticks.covering(3, 3);
    assertTrue(flat.from() < 3 && flat.to() > 3);
    LineChart.Ticks zero = LineChart.Ticks.covering(0, 0);
    assertTrue(zero.from() < 0 && zero.to() > 0);
  }
}
