package autosparse.trainer;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;

/** A data set of SpMM and SpMV on three small matrices, with made-up latencies. */
record TinyDataSet(Path records, Path matrices) {
  private static final int SCHEDULES = 60;
  private static final List<String> SPMM_LOOPS =
      List.of("i0 j0 i1 k0 k1 j1", "i0 i1 j0 k0 k1 j1", "j0 i0 k0 i1 k1 j1", "k0 i0 i1 k1 j0 j1");
  private static final List<String> SPMV_LOOPS = List.of("i0 i1 j0 j1", "i0 j0 i1 j1");

  static TinyDataSet write(Path folder) throws IOException {
    Path matrices = Files.createDirectories(folder.resolve("matrices"));
    Path records = folder.resolve("records");
    SplittableRandom random = new SplittableRandom(3);
    for (int m = 0; m < 3; m++) {
      int rows = 30 + 10 * m;
      writeBand(matrices.resolve("m" + m + ".csr"), rows, 2 + m);
      for (String op : List.of("spmm", "spmv")) {
        Files.write(
            Files.createDirectories(records.resolve(op)).resolve("m" + m + ".txt"),
            lines(op.equals("spmm"), rows, random));
      }
    }
    return new TinyDataSet(records, matrices);
  }

  /** The arguments that name the data. */
  List<String> arguments(String ops) {
    return List.of("--data", records.toString(), "--matrices", matrices.toString(), "--op", ops);
  }

  private static void writeBand(Path file, int rows, int width) throws IOException {
    List<Integer> columns = new ArrayList<>();
    int[] pointers = new int[rows + 1];
    for (int row = 0; row < rows; row++) {
      for (int column = row; column < Math.min(rows, row + width); column++) {
        columns.add(column);
      }
      pointers[row + 1] = columns.size();
    }
    ByteBuffer bytes =
        ByteBuffer.allocate(4 * (4 + rows + columns.size())).order(ByteOrder.LITTLE_ENDIAN);
    bytes.putInt(rows).putInt(rows).putInt(columns.size());
    for (int pointer : pointers) {
      bytes.putInt(pointer);
    }
    columns.forEach(bytes::putInt);
    Files.write(file, bytes.array());
  }

  /** Lines in AutoSparse's encoding, format splits by powers of two, no axis unrolled. */
  private static List<String> lines(boolean spmm, int rows, SplittableRandom random) {
    String column = spmm ? "k" : "j";
    List<String> loops = spmm ? SPMM_LOOPS : SPMV_LOOPS;
    List<String> lines = new ArrayList<>();
    for (int n = 0; n < SCHEDULES; n++) {
      int rowSplit = 1 << random.nextInt(5);
      int columnSplit = 1 << random.nextInt(5);
      int denseSplit = 1 << random.nextInt(7);
      int chunk = 1 << random.nextInt(6);
      int packed = random.nextInt(2);
      String order = loops.get(random.nextInt(loops.size()));
      String levels =
          String.join(" ", order.replaceAll(spmm ? "j[01]" : "$", "").trim().split(" +"));
      boolean parallel = random.nextInt(4) > 0;
      double blocks = Math.ceil((double) rows / rowSplit);
      double time = rows * (parallel ? Math.max(0.125, Math.min(1, chunk / blocks)) : 1);
      time *= (1 + packed * 0.3) * (1 + 0.1 * loops.indexOf(order));
      lines.add(
          String.format(
              Locale.ROOT,
              "2 i 2 i0 %d i1 %d %s 2 %s0 %d %s1 %d 1 A 4 %s A 4 i0 0 i1 %d %s0 1 %s1 %d %s %s"
                  + " %s None None 0 8 %d %.6f",
              Math.max(1, 32 / rowSplit),
              rowSplit,
              column,
              column,
              Math.max(1, 32 / columnSplit),
              column,
              columnSplit,
              levels,
              packed,
              column,
              column,
              packed,
              spmm
                  ? "1 j 2 j0 " + Math.max(1, 128 / denseSplit) + " j1 " + denseSplit + " 6"
                  : "0 4",
              order,
              parallel ? "i0" : "None",
              chunk,
              time / 10));
    }
    return lines;
  }
}
