package autosparse.tuner.collect;

import autosparse.schedule.InputException;
import autosparse.schedule.Measurement;
import autosparse.schedule.MeasurementFormat;
import autosparse.schedule.Op;
import autosparse.schedule.SourceLocation;
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;
import java.util.zip.GZIPOutputStream;

/**
 * One worker's finished rounds: {@code shards/WORKER/OP/MATRIX/round-0007.jsonl.gz}. A shard is
 * written once and never changed.
 *
 * @param directory {@code shards/WORKER}
 */
record Shards(Path directory) {
  /** The folder of all workers within a data set. */
  static final String FOLDER = "shards";

  private static final Pattern SHARD = Pattern.compile("round-[0-9]+\\.jsonl\\.gz");

  /** The folder of a task's rounds. */
  Path folder(Op op, String matrix) {
    return directory.resolve(op.id()).resolve(matrix);
  }

  /** The shard of a round. */
  Path file(CollectTask task, int round) {
    return folder(task.op(), task.matrix())
        .resolve(String.format(Locale.ROOT, "round-%04d.jsonl.gz", round));
  }

  /** Where the outcomes of the round in progress are. */
  Path journal(CollectTask task) {
    return folder(task.op(), task.matrix()).resolve("journal.jsonl");
  }

  /**
   * Number of finished rounds of a task.
   *
   * @throws InputException if one is missing before another
   */
  int rounds(CollectTask task) {
    Path folder = folder(task.op(), task.matrix());
    if (!Files.isDirectory(folder)) {
      return 0;
    }
    int round = 0;
    while (Files.exists(file(task, round))) {
      round++;
    }
    try (Stream<Path> files = Files.list(folder)) {
      long shards =
          files.filter(file -> SHARD.matcher(file.getFileName().toString()).matches()).count();
      if (shards != round) {
        throw new InputException(
            file(task, round) + ": missing, expected as later rounds are there");
      }
    } catch (IOException broken) {
      throw new InputException(folder + ": cannot be listed (" + broken + ")", broken);
    }
    return round;
  }

  /** The records of all finished rounds of a task, in order. */
  List<Measurement> read(CollectTask task) {
    List<Measurement> records = new ArrayList<>();
    int rounds = rounds(task);
    for (int round = 0; round < rounds; round++) {
      records.addAll(read(file(task, round)));
    }
    return records;
  }

  /**
   * The records of one shard.
   *
   * @throws InputException naming file and line, if it cannot be read
   */
  static List<Measurement> read(Path file) {
    MeasurementFormat format = new MeasurementFormat();
    List<Measurement> records = new ArrayList<>();
    try (BufferedReader lines =
        new BufferedReader(
            new InputStreamReader(
                new GZIPInputStream(Files.newInputStream(file)), StandardCharsets.UTF_8))) {
      String line;
      while ((line = lines.readLine()) != null) {
        records.add(format.parse(line, SourceLocation.of(file, records.size() + 1)));
      }
    } catch (IOException broken) {
      throw new InputException(file + ": cannot be read (" + broken + ")", broken);
    }
    return records;
  }

  /** What a shard, or a whole record file, of some records holds. */
  static byte[] encode(List<Measurement> records) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (GZIPOutputStream zipped = new GZIPOutputStream(bytes)) {
      for (Measurement record : records) {
        zipped.write((MeasurementFormat.encode(record) + "\n").getBytes(StandardCharsets.UTF_8));
      }
    } catch (IOException impossible) {
      throw new UncheckedIOException(impossible);
    }
    return bytes.toByteArray();
  }
}
