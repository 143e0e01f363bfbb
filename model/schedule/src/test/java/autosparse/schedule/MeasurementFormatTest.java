package autosparse.schedule;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MeasurementFormatTest {
  private static final SourceLocation HERE = new SourceLocation("r.jsonl", 3);

  @TempDir Path folder;

  private static Measurement timed(int chunk, Double... ms) {
    Schedule schedule = Schedule.parse(ScheduleTest.SPMM.replace("128 512", "128 " + chunk), HERE);
    Measurement.Origin origin = new Measurement.Origin("w", 2, 7, Measurement.Draw.MUTATION, 0.25);
    return new Measurement(Op.SPMM, "m", schedule, origin, List.of(ms), 1.5e-7, Optional.empty());
  }

  private static Measurement failed(int chunk) {
    Measurement other = timed(chunk, 1.0);
    return new Measurement(
        other.op(),
        other.matrix(),
        other.schedule(),
        other.origin(),
        List.of(),
        0,
        Optional.of(new Measurement.Reason("crash", "signal \"11\", \u00e9\\")));
  }

  private static Measurement parse(String line) {
    return new MeasurementFormat().parse(line, HERE);
  }

  @Test
  void aLineIsReadAsItWasWritten() {
    for (Measurement measurement : List.of(timed(8, 0.5, 0.1, 0.3, 0.2), failed(8))) {
      String line = MeasurementFormat.encode(measurement);
      assertEquals(1, line.lines().count());
      assertEquals(measurement, parse(line));
      assertEquals(line, MeasurementFormat.encode(parse(line)));
    }
    assertEquals(0.25, timed(8, 0.5, 0.1, 0.3, 0.2).medianMs());
    String later = MeasurementFormat.encode(timed(8, 1.0)).replace("{", "{\"new\":{\"a\":[1]},");
    assertEquals(timed(8, 1.0), parse(later), "fields of a later version are passed over");
  }

  @Test
  void refusalsNameLineAndField() {
    String line = MeasurementFormat.encode(timed(8, 1.0));
    refused("[1]", "no JSON object");
    refused(line + "{}", "more than one JSON object");
    refused(line.substring(0, line.length() - 4), "no JSON (");
    refused(line.replace("\"op\":\"spmm\"", "\"op\":\"spmx\""), "operator spmx");
    refused(line.replace("\"worker\":\"w\",", ""), "field 'worker': missing");
    refused(line.replace("\"round\":2", "\"round\":-2"), "round -2");
    refused(line.replace("\"round\":2", "\"round\":2.5"), "field 'round': 2.5");
    refused(line.replace("\"round\":2", "\"round\":2,\"round\":2"), "expected the field once");
    refused(line.replace("mutation\"", "guess\""), "field 'drawn': guess");
    refused(line.replace("\"ms\":[1.0]", "\"ms\":[]"), "expected one of the two");
    refused(line.replace("\"ms\":[1.0]", "\"ms\":[\"x\"]"), "field 'ms': x");
    refused(line.replace("\"ms\":[1.0]", "\"ms\":[-1.0]"), "time -1.0 ms");
    refused(line.replace("\"ms\":[1.0]", "\"ms\":1.0"), "a list of milliseconds");
    refused(line.replace("\"median_ms\":1.0", "\"median_ms\":2.0"), "field 'median_ms': 2.0");
    refused(line.replace("A 4 i0", "A 4 x0"), "field '");
    String failure = MeasurementFormat.encode(failed(8));
    refused(failure.replace("\"failure\"", "\"ms\":[1],\"failure\""), "missing");
  }

  private static void refused(String line, String part) {
    String message = assertThrows(InputException.class, () -> parse(line)).getMessage();
    assertTrue(message.startsWith("r.jsonl:3: "), message);
    assertTrue(message.contains(part), message);
    assertEquals(1, message.lines().count(), message);
  }

  private Path write(String name, List<Measurement> measurements) throws IOException {
    Path file = folder.resolve("records/spmm").resolve(name);
    Files.createDirectories(file.getParent());
    try (OutputStream out =
        name.endsWith(".gz")
            ? new GZIPOutputStream(Files.newOutputStream(file))
            : Files.newOutputStream(file)) {
      for (Measurement measurement : measurements) {
        out.write((MeasurementFormat.encode(measurement) + "\n").getBytes(StandardCharsets.UTF_8));
      }
    }
    return file;
  }

  @Test
  void runsAreOneMeasurementRepeatsAreSeveralAndFailuresAreCounted() throws IOException {
    write(
        "m.jsonl.gz",
        List.of(
            timed(1, 4.0, 2.0, 3.0), failed(2), timed(1, 6.0), timed(4, 1000.0), timed(8, 1.0)));
    Dataset data = Dataset.load(folder, List.of(Op.SPMM));
    assertEquals(new Counts(5, 1, 1, 1, 2), data.counts());
    Task task = data.tasks().get(0);
    assertEquals(RecordFile.Format.COLLECTED, task.format());
    assertArrayEquals(new double[] {3, 6}, task.measurementsMs(0));
    assertEquals(2, task.noise().medianRatio());
    assertEquals(data.counts(), Dataset.load(folder.resolve("records"), List.of(Op.SPMM)).counts());
  }

  @Test
  void aFileHoldsRecordsOfWhatItIsNamedAfter() throws IOException {
    Path file = write("other.jsonl", List.of(timed(1, 4.0)));
    String message =
        assertThrows(InputException.class, () -> Dataset.load(folder, List.of(Op.SPMM)))
            .getMessage();
    assertEquals(
        file + ":1: a record of spmm/m, expected spmm/other as the file is named", message);
  }

  @Test
  void splitsNameWhatIsHeldOut() throws IOException {
    DataSetFolder dataSet = new DataSetFolder(folder);
    assertEquals(Optional.empty(), dataSet.heldOut());
    Files.writeString(dataSet.splitsFile(), DataSetFolder.splitsText(List.of("a", "b\"")));
    assertEquals(Optional.of(List.of("a", "b\"")), dataSet.heldOut());
    for (String broken : List.of("{", "[]", "{\"held_out\":[]}", "{\"held_out\":[1]}", "{}")) {
      Files.writeString(dataSet.splitsFile(), broken);
      String message = assertThrows(InputException.class, dataSet::heldOut).getMessage();
      assertTrue(message.startsWith(dataSet.splitsFile().toString()), message);
      assertEquals(1, message.lines().count(), message);
    }
  }
}
