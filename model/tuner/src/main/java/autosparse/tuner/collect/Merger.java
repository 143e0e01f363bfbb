package autosparse.tuner.collect;

import autosparse.costmodel.checkpoint.FileWriteException;
import autosparse.schedule.DataSetFolder;
import autosparse.schedule.Dataset;
import autosparse.schedule.InputException;
import autosparse.schedule.MatrixNames;
import autosparse.schedule.Measurement;
import autosparse.schedule.Op;
import autosparse.schedule.Split;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * Joins all workers' shards into a data set that training reads: {@code
 * records/OP/MATRIX.jsonl.gz}, {@code machine.json}, and, where there is none yet, {@code
 * splits.json}. The same shards give the same bytes. Shards stay, so that collecting can go on; a
 * schedule that several workers measured, or one of them twice, has a line for each time.
 *
 * <p>Holds one record file at a time in memory.
 */
public final class Merger {
  private static final ObjectMapper MAPPER = new ObjectMapper();

  /** Of the draw of held-out matrices; fixed, so that a merge is a function of the shards. */
  private static final long SPLIT_SEED = 1;

  /**
   * What was joined.
   *
   * @param workers their names, sorted
   * @param files record files written
   * @param records lines in them
   * @param heldOut base matrices that {@code splits.json} names; empty where there are too few
   */
  public record Result(List<String> workers, int files, long records, List<String> heldOut) {
    /** Copies the lists. */
    public Result {
      workers = List.copyOf(workers);
      heldOut = List.copyOf(heldOut);
    }
  }

  private final DataSetFolder dataSet;

  private Merger(DataSetFolder dataSet) {
    this.dataSet = dataSet;
  }

  /** Names of the workers that have collected into a data set, sorted. */
  public static List<String> workers(Path dataSet) {
    Path shards = dataSet.resolve(Shards.FOLDER);
    return Files.isDirectory(shards) ? names(shards) : List.of();
  }

  /**
   * Joins the shards of a data set.
   *
   * @throws InputException if there are none, or one cannot be read
   */
  public static Result merge(Path dataSet) {
    return new Merger(new DataSetFolder(dataSet)).merge();
  }

  private Result merge() {
    List<String> workers = workers(dataSet.directory());
    int files = 0;
    long records = 0;
    List<Op> ops = new ArrayList<>();
    TreeSet<String> bases = new TreeSet<>();
    for (Op op : Op.values()) {
      Map<String, List<Path>> shards = shards(workers, op);
      for (Map.Entry<String, List<Path>> matrix : shards.entrySet()) {
        List<Measurement> joined = new ArrayList<>();
        matrix.getValue().forEach(shard -> joined.addAll(Shards.read(shard)));
        write(
            dataSet.records().resolve(op.id()).resolve(matrix.getKey() + ".jsonl.gz"),
            Shards.encode(joined));
        files++;
        records += joined.size();
        bases.add(MatrixNames.base(matrix.getKey()));
      }
      if (!shards.isEmpty()) {
        ops.add(op);
      }
    }
    if (files == 0) {
      throw new InputException(
          dataSet.directory() + ": no shards to merge, expected " + Shards.FOLDER + "/WORKER/OP/…");
    }
    write(dataSet.machineFile(), machines(workers));
    return new Result(workers, files, records, split(ops, bases.size()));
  }

  /** Shards of an operator by matrix; a matrix's in the order of workers, then of rounds. */
  private Map<String, List<Path>> shards(List<String> workers, Op op) {
    Map<String, List<Path>> shards = new TreeMap<>();
    for (String worker : workers) {
      Path folder = dataSet.directory().resolve(Shards.FOLDER).resolve(worker).resolve(op.id());
      if (Files.isDirectory(folder)) {
        for (String matrix : names(folder)) {
          Shards own = new Shards(dataSet.directory().resolve(Shards.FOLDER).resolve(worker));
          CollectTask task = new CollectTask(op, matrix, folder);
          for (int round = 0; round < own.rounds(task); round++) {
            shards.computeIfAbsent(matrix, m -> new ArrayList<>()).add(own.file(task, round));
          }
        }
      }
    }
    return shards;
  }

  private byte[] machines(List<String> workers) {
    ObjectNode machines = MAPPER.createObjectNode();
    for (String worker : workers) {
      Path file = MachineFile.of(dataSet.directory(), worker);
      if (Files.exists(file)) {
        JsonNode machine = MachineFile.read(file);
        machines.set(worker, machine);
      }
    }
    return (machines.toPrettyString() + "\n").getBytes(StandardCharsets.UTF_8);
  }

  private List<String> split(List<Op> ops, int bases) {
    if (Files.exists(dataSet.splitsFile())) {
      return dataSet.heldOut().orElseThrow();
    }
    if (bases < 2) {
      return List.of();
    }
    List<String> heldOut = Split.chooseHeldOut(Dataset.load(dataSet.directory(), ops), SPLIT_SEED);
    write(dataSet.splitsFile(), DataSetFolder.splitsText(heldOut).getBytes(StandardCharsets.UTF_8));
    return heldOut;
  }

  private static void write(Path file, byte[] content) {
    try {
      Files.createDirectories(file.toAbsolutePath().getParent());
      Disk.REAL.write(file, content);
    } catch (IOException e) {
      throw new FileWriteException(file, e);
    }
  }

  /** Names of a folder's folders, sorted. */
  private static List<String> names(Path folder) {
    try (Stream<Path> paths = Files.list(folder)) {
      return paths
          .filter(Files::isDirectory)
          .map(path -> path.getFileName().toString())
          .sorted()
          .toList();
    } catch (IOException broken) {
      throw new InputException(folder + ": cannot be listed (" + broken + ")", broken);
    }
  }
}
