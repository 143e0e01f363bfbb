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
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DatasetTest {
  @TempDir Path folder;

  private void records(String op, String matrix, String... lines) throws IOException {
    Path file = folder.resolve(op).resolve(matrix + ".txt.gz");
    Files.createDirectories(file.getParent());
    try (OutputStream out = new GZIPOutputStream(Files.newOutputStream(file))) {
      out.write((String.join("\n", lines) + "\n").getBytes(StandardCharsets.UTF_8));
    }
  }

  private static String chunk(int chunk, double ms) {
    return ScheduleTest.SPMM.replace("128 512", "128 " + chunk) + " " + ms;
  }

  private static String swapped(int chunk, double ms) {
    return chunk(chunk, ms)
        .replace("i 2 i0 256 i1 16 k 2 k0 4096 k1 16", "k 2 k0 4096 k1 16 i 2 i0 256 i1 16");
  }

  private Dataset load() {
    return Dataset.load(folder, List.of(Op.SPMM));
  }

  private String refusal() {
    return assertThrows(InputException.class, this::load).getMessage();
  }

  @Test
  void mergesRepeatsAndDropsWhatTookTooLong() throws IOException {
    records(
        "spmm",
        "m",
        chunk(1, 5),
        chunk(2, 3),
        swapped(1, 9),
        chunk(4, 1000),
        chunk(1, 6),
        chunk(8, 999.9));
    Dataset data = load();
    assertEquals(new Counts(6, 1, 2, 3), data.counts());
    Task task = data.tasks().get(0);
    assertEquals("spmm/m", task.id());
    assertEquals(3, task.size());
    assertEquals(6, task.latencyMs(0));
    assertArrayEquals(new double[] {5, 9, 6}, task.measurementsMs(0));
    assertEquals(3, task.repeats(0));
    assertEquals(3, task.bestLatencyMs());
    assertEquals(List.of(1, 2, 8), task.schedules().stream().map(Schedule::chunk).toList());
    assertEquals(
        new Counts(6, 0, 2, 4), Dataset.load(folder, List.of(Op.SPMM), 2000).counts(Op.SPMM));
  }

  @Test
  void medianOfAnEvenNumberIsTheMeanOfTheMiddle() throws IOException {
    records("spmm", "m", chunk(1, 5), chunk(1, 8), chunk(1, 100), chunk(1, 6));
    assertEquals(7, load().tasks().get(0).latencyMs(0));
  }

  @Test
  void noiseRanksByTheFirstMeasurementAndJudgesByTheSecond() throws IOException {
    records(
        "spmm",
        "m",
        chunk(1, 1),
        chunk(2, 2),
        chunk(4, 3),
        chunk(8, 7),
        chunk(1, 4),
        chunk(2, 2),
        chunk(4, 6),
        chunk(4, 3));
    NoiseStats noise = load().noise(Op.SPMM);
    assertEquals(3, noise.repeated());
    assertEquals(2, noise.medianRatio()); // of 4/1, 2/2, 6/3
    assertEquals(1, noise.tasks());
    assertEquals(0.5, noise.topOneCeiling()); // best by the second is 2, first ranked took 4
    assertEquals(1, noise.topFiveCeiling());
  }

  @Test
  void noRepeatsNoCeiling() throws IOException {
    records("spmm", "m", chunk(1, 1), chunk(2, 2));
    NoiseStats noise = load().tasks().get(0).noise();
    assertEquals(0, noise.repeated());
    assertTrue(Double.isNaN(noise.medianRatio()) && Double.isNaN(noise.topOneCeiling()));
  }

  @Test
  void wacoFoldersAreKnownByTheirSpelling() throws IOException {
    Files.createDirectories(folder.resolve("SpMM"));
    Files.writeString(
        folder.resolve("SpMM/w_1x1_0.txt"), "1 32 32 k1 i1 j1 k0 i0 j0 1 1 1 0 i1 48 64 = 15.5\n");
    Task task = load().tasks().get(0);
    assertEquals(RecordFile.Format.WACO, task.format());
    assertEquals("w", task.baseName());
    SparsityPattern pattern = SparsityPattern.of("w_1x1_0", 1, 1, new long[] {0, 1}, new int[] {0});
    assertEquals(256, task.problem(pattern).denseSize());
    records("spmm", "w_1x1_0", chunk(1, 1));
    assertTrue(refusal().contains("a second time"));
  }

  @Test
  void refusalsNameFileAndLine() throws IOException {
    assertTrue(refusal().contains("no records of spmm"));
    Path file = folder.resolve("spmm").resolve("m.txt.gz");
    records("spmm", "m", chunk(1, 1), chunk(2, 2).replace("k0 1 k1 1", "k0 9 k1 1"));
    assertTrue(refusal().startsWith(file + ":2: field 'mode of k0': 9"), refusal());
    records("spmm", "m", chunk(1, 1), "");
    assertTrue(refusal().startsWith(file + ":2: field 'number of format splits': missing"));
    records("spmm", "m", ScheduleTest.SPMV + " 1.0");
    assertTrue(refusal().startsWith(file + ":1: no schedule for spmm: SPLIT_KIND"), refusal());
    records("spmm", "m", chunk(1, 1), chunk(2, 2), chunk(4, 4));
    byte[] whole = Files.readAllBytes(file);
    Files.write(file, Arrays.copyOf(whole, whole.length - 9));
    assertTrue(refusal().startsWith(file + ":") && refusal().contains("cut short"), refusal());
    assertThrows(
        InputException.class, () -> Dataset.load(folder.resolve("absent"), List.of(Op.SPMM)));
  }

  @Test
  void missingMatrixNamesRecordFileAndFolder() throws IOException {
    records("spmm", "gone", chunk(1, 1));
    Dataset data = load();
    MatrixFolder matrices = MatrixFolder.open(folder);
    String message =
        assertThrows(InputException.class, () -> data.requireMatrices(matrices)).getMessage();
    assertTrue(message.startsWith(folder.resolve("spmm/gone.txt.gz").toString()), message);
    assertTrue(message.endsWith("in " + folder), message);
  }

  private Dataset sixBases() throws IOException {
    for (String matrix : List.of("a_1x1_0", "a_2x2_1", "b", "c", "d", "e", "f")) {
      String[] lines = new String[10];
      for (int i = 0; i < lines.length; i++) {
        lines[i] = chunk(1 << i, 1 + i);
      }
      records("spmm", matrix, lines);
    }
    return load();
  }

  @Test
  void randomSplitHoldsOutAFifthOfEachTask() throws IOException {
    Dataset data = sixBases();
    Split split = Split.random(data, 1);
    assertEquals(data.tasks(), split.parts().stream().map(Split.Part::task).toList());
    for (Split.Part part : split.parts()) {
      assertEquals(2, part.validation().size());
      Set<Integer> all = new HashSet<>(part.train());
      all.addAll(part.validation());
      assertEquals(10, all.size());
    }
    assertEquals(split.parts(), Split.random(data, 1).parts());
    assertTrue(
        !Split.random(data, 2).parts().equals(split.parts())
            && split.parts().stream().map(Split.Part::validation).distinct().count() > 1);
    assertEquals(56, split.trainSize());
    assertEquals(14, split.validationSize());
  }

  @Test
  void randomSplitDoesNotDependOnTheOrderOfLines() throws IOException {
    Split split = Split.random(sixBases(), 1);
    String[] reversed = new String[10];
    for (int i = 0; i < reversed.length; i++) {
      reversed[i] = chunk(1 << (9 - i), 10 - i);
    }
    records("spmm", "b", reversed);
    Split again = Split.random(load(), 1);
    Split.Part before = split.parts().get(2);
    Split.Part after = again.parts().get(2);
    assertEquals(
        before.validation().stream()
            .map(before.task()::schedule)
            .collect(java.util.stream.Collectors.toSet()),
        after.validation().stream()
            .map(after.task()::schedule)
            .collect(java.util.stream.Collectors.toSet()));
  }

  @Test
  void baseSplitKeepsSiblingsTogether() throws IOException {
    Dataset data = sixBases();
    Split split = Split.base(data, List.of("a", "e"));
    assertEquals(List.of("a", "e"), split.heldOut());
    for (Split.Part part : split.parts()) {
      boolean held = Set.of("a", "e").contains(part.task().baseName());
      assertEquals(held ? 10 : 0, part.validation().size());
      assertEquals(held ? 0 : 10, part.train().size());
    }
    assertEquals(2, Split.chooseHeldOut(data, 1).size());
    assertEquals(Split.chooseHeldOut(data, 1), Split.chooseHeldOut(data, 1));
    assertTrue(
        Stream.of(1, 2, 3, 4, 5).map(seed -> Split.chooseHeldOut(data, seed)).distinct().count()
            > 1);
    assertEquals(
        "held-out matrix a_1x1_0, expected base names of the data: a, b, c, d, e, f",
        assertThrows(InputException.class, () -> Split.base(data, List.of("a_1x1_0")))
            .getMessage());
    assertThrows(InputException.class, () -> Split.base(data, List.of()));
    assertThrows(InputException.class, () -> Split.base(data, data.baseNames()));
    assertThrows(InputException.class, () -> Split.random(data, 1, 1.5));
    assertThrows(InputException.class, () -> Split.Kind.parse("basic"));
    assertEquals(Split.Kind.BASE, Split.Kind.parse("base"));
  }

  @Test
  void noSplitHoldsOutEverything() throws IOException {
    Dataset data = sixBases();
    Split split = Split.none(data);
    assertEquals(Split.Kind.NONE, split.kind());
    assertEquals(0, split.trainSize());
    assertEquals(data.tasks().stream().mapToLong(Task::size).sum(), split.validationSize());
    assertEquals(data.tasks(), split.parts().stream().map(Split.Part::task).toList());
    assertEquals(Split.Kind.NONE, Split.Kind.parse("none"));
  }

  @Test
  void onlyKeepsToTheMatricesNamed() throws IOException {
    Dataset data = sixBases();
    String last = data.matrices().get(data.matrices().size() - 1);
    Dataset few = data.only(List.of(last, data.matrices().get(0)));
    assertEquals(List.of(data.matrices().get(0), last), few.matrices());
    assertEquals(data.tasks().size(), data.only(data.matrices()).tasks().size());
    String message =
        assertThrows(InputException.class, () -> data.only(List.of(last, "zz"))).getMessage();
    assertTrue(message.startsWith("matrix zz, expected matrices of the data: "), message);
  }

  @Test
  void aTaskOfOneScheduleStaysInTraining() throws IOException {
    records("spmm", "m", chunk(1, 1));
    Split split = Split.random(load(), 1);
    assertEquals(1, split.trainSize());
    assertThrows(InputException.class, () -> Split.chooseHeldOut(load(), 1));
  }

  @Test
  void publishedRecords() {
    Path records = SharedData.require("records");
    MatrixFolder matrices = MatrixFolder.open(SharedData.require("matrices"));
    Dataset data = Dataset.load(records, List.of(Op.SPMM, Op.SPMV, Op.SDDMM));
    data.requireMatrices(matrices);
    assertEquals(new Counts(77_050, 0, 10_298, 66_752), data.counts(Op.SPMM));
    assertEquals(new Counts(61_554, 0, 29_140, 32_414), data.counts(Op.SPMV));
    assertEquals(new Counts(7_880, 0, 2_596, 5_284), data.counts(Op.SDDMM));
    assertEquals(21, data.tasks().size());
    assertEquals(7, data.baseNames().size());
    assertNoise(1.059, .756, .916, data.noise(Op.SPMM));
    assertNoise(1.299, .678, .917, data.noise(Op.SPMV));
    assertNoise(1.099, .980, .990, data.noise(Op.SDDMM));
    Split split = Split.base(data, List.of("mhd4800a", "nemspmm1"));
    assertEquals(6, split.parts().stream().filter(part -> part.train().isEmpty()).count());
    assertEquals(20_892, Split.random(data, 1).validationSize());
  }

  private static void assertNoise(double ratio, double topOne, double topFive, NoiseStats noise) {
    assertEquals(ratio, noise.medianRatio(), 5e-4);
    assertEquals(topOne, noise.topOneCeiling(), 5e-4);
    assertEquals(topFive, noise.topFiveCeiling(), 5e-4);
  }
}
