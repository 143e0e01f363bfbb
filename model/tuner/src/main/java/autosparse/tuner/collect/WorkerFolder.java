package autosparse.tuner.collect;

import autosparse.costmodel.checkpoint.FileWriteException;
import autosparse.costmodel.checkpoint.FolderLock;
import autosparse.schedule.InputException;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

/**
 * One worker's part of a collection, {@code shards/WORKER}:
 *
 * <pre>
 * collection.json               what cannot change once it has begun
 * machine.json                  where it is measured
 * OP/MATRIX/round-0000.jsonl.gz finished rounds
 * OP/MATRIX/journal.jsonl       outcomes of the round in progress
 * </pre>
 *
 * <p>One process at a time: the open folder is locked. Other workers' folders are not looked at.
 */
final class WorkerFolder implements AutoCloseable {
  private static final String COLLECTION = "collection.json";
  private static final ObjectMapper MAPPER = new ObjectMapper();

  private final Path directory;
  private final FolderLock lock;

  private WorkerFolder(Path directory, FolderLock lock) {
    this.directory = directory;
    this.lock = lock;
  }

  /**
   * Opens a worker's folder, making it if need be.
   *
   * @param dataSet the folder of the data set
   * @param fixed what cannot change once a collection has begun, by option
   * @param resume whether to go on with what is there; a new collection must find nothing
   * @throws InputException if the folder cannot be used: in use, holds a collection already, holds
   *     none to resume, or one that was begun with other settings
   */
  static WorkerFolder open(
      Path dataSet, String worker, Map<String, String> fixed, boolean resume, Disk disk) {
    Path directory = dataSet.resolve(Shards.FOLDER).resolve(worker);
    Path collection = directory.resolve(COLLECTION);
    if (!resume && Files.exists(collection)) {
      throw new InputException(
          "--out: "
              + dataSet
              + " holds a collection of worker "
              + worker
              + "; --resume goes on with it, another --worker adds to it");
    }
    if (resume && !Files.exists(collection)) {
      throw new InputException(
          "--resume: "
              + dataSet
              + " holds no collection of worker "
              + worker
              + " (no "
              + dataSet.relativize(collection)
              + "); leave --resume off");
    }
    if (resume) {
      check(collection, fixed);
    }
    FolderLock lock = lock(directory, dataSet, worker);
    try {
      if (!resume) {
        ObjectNode node = MAPPER.createObjectNode();
        fixed.forEach(node::put);
        disk.write(collection, (node.toPrettyString() + "\n").getBytes(StandardCharsets.UTF_8));
      }
      return new WorkerFolder(directory, lock);
    } catch (IOException e) {
      lock.close();
      throw new FileWriteException(collection, e);
    } catch (RuntimeException | Error e) {
      lock.close();
      throw e;
    }
  }

  private static void check(Path collection, Map<String, String> fixed) {
    JsonNode then;
    try {
      then = MAPPER.readTree(collection.toFile());
    } catch (JsonProcessingException malformed) {
      throw new InputException(
          collection + ": no JSON (" + malformed.getOriginalMessage() + ")", malformed);
    } catch (IOException broken) {
      throw new InputException(collection + ": cannot be read (" + broken + ")", broken);
    }
    fixed.forEach(
        (option, now) -> {
          String before = then.path(option).asText("none");
          if (!before.equals(now)) {
            throw new InputException(
                "--"
                    + option
                    + " "
                    + InputException.quote(now)
                    + ": the collection was begun with "
                    + InputException.quote(before)
                    + " ("
                    + collection
                    + "), expected the same");
          }
        });
  }

  private static FolderLock lock(Path directory, Path dataSet, String worker) {
    Optional<FolderLock> lock;
    try {
      Files.createDirectories(directory);
      lock = FolderLock.acquire(directory);
    } catch (IOException e) {
      throw new InputException(
          "--out: cannot write to " + directory + ": " + FileWriteException.reason(e), e);
    }
    return lock.orElseThrow(
        () ->
            new InputException(
                "--out: "
                    + dataSet
                    + " is in use by another process of worker "
                    + worker
                    + "; give this one another --worker"));
  }

  Shards shards() {
    return new Shards(directory);
  }

  @Override
  public void close() {
    lock.close();
  }
}
