package autosparse.trainer.run;

import autosparse.costmodel.checkpoint.AtomicFiles;
import autosparse.costmodel.checkpoint.FileWriteException;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * {@code metrics.jsonl}: one JSON object a line, {@code {"step": 12, "epoch": 1, "kind": "train",
 * "loss": 0.25}}. Each line reaches the system whole before {@link #append} returns.
 */
public final class MetricsLog implements AutoCloseable {
  /** What a line is about. */
  public enum Kind {
    TRAIN,
    EVALUATE;

    String id() {
      return this == TRAIN ? "train" : "evaluate";
    }
  }

  /** One line. */
  public record Entry(long step, int epoch, Kind kind, Map<String, Double> values) {
    /** Copies the values, keeping their order. */
    public Entry {
      values = Collections.unmodifiableMap(new LinkedHashMap<>(values));
    }
  }

  private final Path file;
  private final FileOutputStream out;

  private MetricsLog(Path file, FileOutputStream out) {
    this.file = file;
    this.out = out;
  }

  /**
   * Opens the log to append.
   *
   * @param lastStep entries of later steps are dropped first: the run goes on from this step
   */
  public static MetricsLog open(Path file, long lastStep) {
    try {
      if (Files.exists(file)) {
        StringBuilder kept = new StringBuilder();
        for (Entry entry : read(file)) {
          if (entry.step() <= lastStep) {
            kept.append(line(entry));
          }
        }
        AtomicFiles.writeText(file, kept.toString());
      }
      return new MetricsLog(file, new FileOutputStream(file.toFile(), true));
    } catch (IOException e) {
      throw new FileWriteException(file, e);
    }
  }

  /**
   * The entries of a log; a last line that a crash cut off, and lines of other kinds, are left out.
   */
  public static List<Entry> read(Path file) {
    List<Entry> entries = new ArrayList<>();
    try {
      for (String line : Files.readAllLines(file)) {
        Entry entry = parse(line);
        if (entry != null) {
          entries.add(entry);
        }
      }
    } catch (IOException e) {
      throw new FileWriteException(file, e);
    }
    return entries;
  }

  /** Appends a line. */
  public void append(Entry entry) {
    try {
      out.write(line(entry).getBytes(StandardCharsets.UTF_8));
    } catch (IOException e) {
      throw new FileWriteException(file, e);
    }
  }

  @Override
  public void close() {
    try {
      out.close();
    } catch (IOException e) {
      throw new FileWriteException(file, e);
    }
  }

  private static String line(Entry entry) {
    ObjectNode node = JsonLines.MAPPER.createObjectNode();
    node.put("step", entry.step()).put("epoch", entry.epoch()).put("kind", entry.kind().id());
    node.setAll(JsonLines.objectOf(entry.values()));
    return node + "\n";
  }

  private static Entry parse(String line) {
    JsonNode node;
    try {
      node = JsonLines.MAPPER.readTree(line);
    } catch (JsonProcessingException e) {
      return null;
    }
    Kind kind = kindOf(node.path("kind").asText());
    if (!node.path("step").isIntegralNumber() || kind == null) {
      return null;
    }
    Map<String, Double> values = new LinkedHashMap<>();
    node.properties()
        .forEach(
            field -> {
              boolean own = List.of("step", "epoch", "kind").contains(field.getKey());
              if (!own && (field.getValue().isNumber() || field.getValue().isNull())) {
                values.put(field.getKey(), field.getValue().asDouble(Double.NaN));
              }
            });
    return new Entry(node.path("step").asLong(), node.path("epoch").asInt(), kind, values);
  }

  private static Kind kindOf(String id) {
    for (Kind kind : Kind.values()) {
      if (kind.id().equals(id)) {
        return kind;
      }
    }
    return null;
  }
}
