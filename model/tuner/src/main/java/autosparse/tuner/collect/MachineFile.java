package autosparse.tuner.collect;

import autosparse.costmodel.checkpoint.AtomicFiles;
import autosparse.costmodel.checkpoint.FileWriteException;
import autosparse.schedule.InputException;
import autosparse.tuner.measure.Machine;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The machine of each worker: {@code shards/WORKER/machine.json}. */
public final class MachineFile {
  private static final String DATE = "date";
  private static final ObjectMapper MAPPER = new ObjectMapper();

  private MachineFile() {}

  /** Where a worker's machine is described. */
  static Path of(Path dataSet, String worker) {
    return dataSet.resolve(Shards.FOLDER).resolve(worker).resolve("machine.json");
  }

  /**
   * Writes down a worker's machine; a description that is there already stays, as the records until
   * now were made on it.
   *
   * @return what the user should know: other machines in the same data set, one a line
   */
  public static List<String> record(Path dataSet, String worker, Machine machine) {
    ObjectNode node = describe(machine);
    List<String> warnings = new ArrayList<>();
    for (String other : Merger.workers(dataSet)) {
      Path file = of(dataSet, other);
      if (Files.exists(file)) {
        JsonNode there = read(file);
        if (!withoutDate(there).equals(withoutDate(node))) {
          warnings.add(
              "worker "
                  + other
                  + (other.equals(worker) ? " began" : " measures")
                  + " on another machine, or with another compiler or flags: "
                  + difference(there, node)
                  + "; times of two machines do not compare");
        }
      }
    }
    Path own = of(dataSet, worker);
    if (!Files.exists(own)) {
      try {
        Files.createDirectories(own.toAbsolutePath().getParent());
      } catch (IOException e) {
        throw new FileWriteException(own, e);
      }
      AtomicFiles.writeText(own, node.toPrettyString() + "\n");
    }
    return warnings;
  }

  static JsonNode read(Path file) {
    try {
      return MAPPER.readTree(file.toFile());
    } catch (JsonProcessingException malformed) {
      throw new InputException(
          file + ": no JSON (" + malformed.getOriginalMessage() + ")", malformed);
    } catch (IOException broken) {
      throw new InputException(file + ": cannot be read (" + broken + ")", broken);
    }
  }

  private static ObjectNode describe(Machine machine) {
    ObjectNode node = MAPPER.createObjectNode();
    node.put("cpu", machine.cpu());
    node.put("processors", machine.processors());
    machine.caches().forEach(node.putArray("caches")::add);
    node.put("memory_bytes", machine.memoryBytes());
    machine.governor().ifPresent(governor -> node.put("governor", governor));
    machine.hugePages().ifPresent(pages -> node.put("huge_pages", pages));
    node.put("kernel", machine.kernel());
    node.put("compiler", machine.compiler());
    machine.flags().forEach(node.putArray("flags")::add);
    node.put(DATE, machine.date().toString());
    return node;
  }

  private static ObjectNode withoutDate(JsonNode machine) {
    ObjectNode copy = MAPPER.createObjectNode();
    machine
        .properties()
        .forEach(
            field -> {
              if (!field.getKey().equals(DATE)) {
                // Through text: a number read back has another class than the one put in.
                copy.put(field.getKey(), field.getValue().toString());
              }
            });
    return copy;
  }

  private static String difference(JsonNode there, JsonNode here) {
    List<String> fields = new ArrayList<>();
    withoutDate(here)
        .properties()
        .forEach(
            field -> {
              String other = there.path(field.getKey()).toString();
              if (!other.equals(field.getValue().asText())) {
                fields.add(field.getKey() + " " + other + ", here " + field.getValue().asText());
              }
            });
    return fields.isEmpty() ? "it says more than this one" : String.join("; ", fields);
  }
}
