package autosparse.schedule;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * A folder of record files: {@code DIR/spmm/MATRIX.jsonl.gz} is ours, {@code
 * DIR/spmm/MATRIX.txt.gz} AutoSparse's, {@code DIR/SpMM/MATRIX.txt} WACO's; each may be gzipped or
 * not. SDDMM's two spellings differ as well ({@code sddmm}, {@code SDDMM}).
 *
 * @param directory the folder
 */
public record RecordFolder(Path directory) {
  private static final List<String> TEXT = List.of(".txt.gz", ".txt");
  private static final List<String> JSON_LINES = List.of(".jsonl.gz", ".jsonl");

  /**
   * Opens a folder of records, or the records of a {@link DataSetFolder}.
   *
   * @throws InputException if it is none
   */
  public static RecordFolder open(Path directory) {
    if (!Files.isDirectory(directory)) {
      throw new InputException(directory + ": no such folder, expected one with records");
    }
    return new RecordFolder(
        DataSetFolder.isOne(directory) ? new DataSetFolder(directory).records() : directory);
  }

  /**
   * The record files of an operator, by matrix name.
   *
   * @throws InputException if there are none
   */
  public List<RecordFile> files(Op op) {
    List<RecordFile> files = new ArrayList<>();
    for (Path folder : list(directory)) {
      String name = folder.getFileName().toString();
      if (!Files.isDirectory(folder)) {
        continue;
      }
      if (name.equals(op.id())) {
        collect(files, folder, op, RecordFile.Format.AUTOSPARSE, TEXT);
        collect(files, folder, op, RecordFile.Format.COLLECTED, JSON_LINES);
      } else if (name.equals(op.wacoName())) {
        collect(files, folder, op, RecordFile.Format.WACO, TEXT);
      }
    }
    if (files.isEmpty()) {
      throw new InputException(
          directory
              + ": no records of "
              + op.id()
              + ", expected "
              + op.id()
              + "/MATRIX.jsonl.gz (ours), "
              + op.id()
              + "/MATRIX.txt.gz (AutoSparse) or "
              + op.wacoName()
              + "/MATRIX.txt (WACO)");
    }
    for (int f = 1; f < files.size(); f++) {
      if (files.get(f).matrix().equals(files.get(f - 1).matrix())) {
        throw new InputException(
            files.get(f).path()
                + ": records of "
                + op.id()
                + " on "
                + files.get(f).matrix()
                + " a second time, expected them once; also in "
                + files.get(f - 1).path());
      }
    }
    return List.copyOf(files);
  }

  private static void collect(
      List<RecordFile> files, Path folder, Op op, RecordFile.Format format, List<String> suffixes) {
    for (Path file : list(folder)) {
      String name = file.getFileName().toString();
      for (String suffix : suffixes) {
        if (name.endsWith(suffix)) {
          String matrix = name.substring(0, name.length() - suffix.length());
          files.add(new RecordFile(op, matrix, file, format));
          break;
        }
      }
    }
    files.sort((a, b) -> a.matrix().compareTo(b.matrix()));
  }

  /** Sorted, since the order of a file system's listing is its own affair. */
  private static List<Path> list(Path folder) {
    try (Stream<Path> paths = Files.list(folder)) {
      return paths.sorted().toList();
    } catch (IOException broken) {
      throw new InputException(folder + ": cannot be listed (" + broken + ")", broken);
    }
  }
}
