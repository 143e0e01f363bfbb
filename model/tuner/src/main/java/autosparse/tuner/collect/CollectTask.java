package autosparse.tuner.collect;

import autosparse.schedule.InputException;
import autosparse.schedule.MatrixReader;
import autosparse.schedule.Op;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * One operator on one matrix.
 *
 * @param op the operator
 * @param matrix the matrix's name
 * @param file where it is
 */
public record CollectTask(Op op, String matrix, Path file) {
  /** {@code op/matrix}. */
  public String id() {
    return op.id() + "/" + matrix;
  }

  /**
   * Every operator on every matrix of a folder: by matrix, and within it in the order of the
   * operators.
   *
   * @throws InputException if the folder holds no matrix, or one name twice
   */
  public static List<CollectTask> of(Path matrices, List<Op> ops) {
    Map<String, Path> files = new TreeMap<>();
    for (Path file : list(matrices)) {
      String name = file.getFileName().toString();
      for (String suffix : MatrixReader.SUFFIXES) {
        if (name.endsWith(suffix)) {
          String matrix = name.substring(0, name.length() - suffix.length());
          Path other = files.put(matrix, file);
          if (other != null) {
            throw new InputException(
                file + ": matrix " + matrix + " a second time, expected it once; also in " + other);
          }
        }
      }
    }
    if (files.isEmpty()) {
      throw new InputException(
          matrices + ": no matrices, expected files " + String.join(", ", MatrixReader.SUFFIXES));
    }
    List<CollectTask> tasks = new ArrayList<>();
    files.forEach(
        (matrix, file) ->
            ops.stream().distinct().forEach(op -> tasks.add(new CollectTask(op, matrix, file))));
    return tasks;
  }

  private static List<Path> list(Path folder) {
    if (!Files.isDirectory(folder)) {
      throw new InputException(folder + ": no such folder, expected one with matrices");
    }
    try (Stream<Path> paths = Files.list(folder)) {
      return paths.filter(Files::isRegularFile).sorted().toList();
    } catch (IOException broken) {
      throw new InputException(folder + ": cannot be listed (" + broken + ")", broken);
    }
  }
}
