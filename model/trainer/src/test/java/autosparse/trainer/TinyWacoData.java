package autosparse.trainer;

import autosparse.schedule.Op;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.SplittableRandom;

/** Files as WACO collected them, {@code SpMM/m0.txt}, with made-up latencies. */
record TinyWacoData(Path records, Path matrices) {
  private static final int SCHEDULES = 60;

  static TinyWacoData write(Path folder) throws IOException {
    Path matrices = TinyDataSet.write(folder).matrices();
    Path records = folder.resolve("waco");
    SplittableRandom random = new SplittableRandom(11);
    for (Op op : Op.values()) {
      Path of = Files.createDirectories(records.resolve(op.wacoName()));
      for (int m = 0; m < 3; m++) {
        Files.write(of.resolve("m" + m + ".txt"), lines(op, random));
      }
    }
    return new TinyWacoData(records, matrices);
  }

  Path file(Op op, String matrix) {
    return records.resolve(op.wacoName()).resolve(matrix + ".txt");
  }

  /** The arguments that name the data. */
  List<String> arguments(Op op) {
    return List.of(
        "--data", records.toString(), "--matrices", matrices.toString(), "--op", op.id());
  }

  private static List<String> lines(Op op, SplittableRandom random) {
    List<String> axes =
        switch (op) {
          case SPMV -> List.of("i", "k");
          case SPMM -> List.of("i", "k", "j");
          case SDDMM -> List.of("i", "j", "k");
        };
    Set<String> schedules = new LinkedHashSet<>();
    List<String> lines = new ArrayList<>();
    while (lines.size() < SCHEDULES) {
      List<String> words = new ArrayList<>();
      int rowSplit = random.nextInt(5);
      for (int a = 0; a < axes.size(); a++) {
        words.add(String.valueOf(1 << (a == 0 ? rowSplit : random.nextInt(5))));
      }
      List<String> left = new ArrayList<>(axes.stream().map(axis -> axis + "1").toList());
      List<String> loops = new ArrayList<>();
      while (!left.isEmpty()) {
        String loop = left.remove(random.nextInt(left.size()));
        loops.add(loop);
        if (loop.endsWith("1")) {
          left.add(loop.replace('1', '0'));
        }
      }
      words.addAll(loops);
      int uncompressed = 0;
      for (int level = 0; level < 4; level++) {
        int flag = random.nextInt(2);
        uncompressed += flag;
        words.add(String.valueOf(flag));
      }
      int chunk = random.nextInt(6);
      words.addAll(List.of("i1", "48", String.valueOf(1 << chunk)));
      if (schedules.add(String.join(" ", words))) {
        double time =
            (1 + 0.6 * loops.indexOf("i1")) * (1 + 0.4 * uncompressed) * (1 + 0.2 * chunk);
        lines.add(String.join(" ", words) + String.format(Locale.ROOT, " = %.3f", time));
      }
    }
    return lines;
  }
}
