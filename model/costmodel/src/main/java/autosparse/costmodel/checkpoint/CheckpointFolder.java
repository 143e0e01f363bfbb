package autosparse.costmodel.checkpoint;

import autosparse.schedule.InputException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Collection;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import java.util.zip.CRC32C;

/**
 * The checkpoints of one run: {@code step-00000120.safetensors} with the tensors and {@code
 * step-00000120.json} with the rest.
 *
 * <p>The JSON file is written last and holds the other's length and CRC-32C, so a checkpoint counts
 * only when both are there and agree; one that a crash or a full disk interrupted is passed over.
 */
public final class CheckpointFolder {
  private static final int FORMAT = 1;
  private static final Pattern TENSORS = Pattern.compile("step-(\\d{8,18})\\.safetensors");
  private static final Pattern STATE = Pattern.compile("step-(\\d{8,18})\\.json");
  private static final ObjectMapper JSON = new ObjectMapper();

  private final Path directory;

  /** A folder that exists. */
  public CheckpointFolder(Path directory) {
    this.directory = directory;
  }

  public Path directory() {
    return directory;
  }

  /**
   * Writes a checkpoint. Older ones stay as they are, whatever happens.
   *
   * @param metadata goes into the safetensors file, so that the file alone says what model it is
   * @throws FileWriteException if it cannot be written
   */
  public Checkpoint save(
      long step, Map<String, String> metadata, List<StoredTensor> tensors, JsonNode state) {
    Path file = tensorsOf(step);
    long checksum = Safetensors.write(file, metadata, tensors);
    ObjectNode root = JSON.createObjectNode();
    root.put("format", FORMAT).put("step", step).put("file", String.valueOf(file.getFileName()));
    root.put("crc32c", hex(checksum));
    root.set("state", state);
    AtomicFiles.write(
        stateOf(step),
        out -> {
          root.put("bytes", Files.size(file));
          out.write(JSON.writerWithDefaultPrettyPrinter().writeValueAsBytes(root));
          out.write('\n');
        });
    return new Checkpoint(step, file, state);
  }

  /** Steps that have a checkpoint, oldest first; whether it is whole is not looked at. */
  public List<Long> steps() {
    return steps(STATE);
  }

  /**
   * Reads a checkpoint's state and checks that its tensors are the ones that were written.
   *
   * @throws InputException if it is not whole
   */
  public Checkpoint read(long step) {
    Path stateFile = stateOf(step);
    JsonNode root;
    try {
      root = JSON.readTree(Files.readAllBytes(stateFile));
    } catch (NoSuchFileException e) {
      throw new InputException(directory + ": no checkpoint of step " + step, e);
    } catch (IOException e) {
      throw new InputException(stateFile + ": not valid JSON: " + FileWriteException.reason(e), e);
    }
    if (root.path("format").asInt() != FORMAT
        || root.path("step").asLong(-1) != step
        || !root.path("state").isObject()) {
      throw new InputException(stateFile + ": not a checkpoint's state of format " + FORMAT);
    }
    Path file = tensorsOf(step);
    long bytes = root.path("bytes").asLong(-1);
    try {
      if (Files.size(file) != bytes) {
        throw new InputException(
            file + ": " + Files.size(file) + " bytes, " + bytes + " were written: cut short");
      }
      String checksum = hex(checksumOf(file));
      if (!checksum.equals(root.path("crc32c").asText())) {
        throw new InputException(
            file + ": CRC-32C " + checksum + ", written was " + root.path("crc32c").asText());
      }
    } catch (IOException e) {
      throw new InputException("cannot read " + file + ": " + FileWriteException.reason(e), e);
    }
    return new Checkpoint(step, file, root.path("state"));
  }

  /**
   * The newest whole checkpoint.
   *
   * @param warnings told, in a line each, of newer ones that are damaged
   */
  public Optional<Checkpoint> newestValid(Consumer<String> warnings) {
    List<Long> steps = steps();
    for (int i = steps.size() - 1; i >= 0; i--) {
      try {
        return Optional.of(read(steps.get(i)));
      } catch (InputException e) {
        warnings.accept("passing over a damaged checkpoint: " + e.getMessage());
      }
    }
    return Optional.empty();
  }

  /**
   * Deletes all but the newest checkpoints, and what interrupted ones left behind.
   *
   * @param newest how many to keep, at least 1
   * @param also steps to keep besides, such as that of the best evaluation
   */
  public void keep(int newest, Collection<Long> also) {
    List<Long> steps = steps();
    if (newest < 1) {
      throw new IllegalArgumentException("keep the newest " + newest);
    }
    if (steps.isEmpty()) {
      return;
    }
    List<Long> kept = steps.subList(Math.max(0, steps.size() - newest), steps.size());
    long last = kept.get(kept.size() - 1);
    for (long step : steps(TENSORS)) {
      boolean whole = steps.contains(step);
      if (!kept.contains(step) && !also.contains(step) && (whole || step < last)) {
        delete(stateOf(step));
        delete(tensorsOf(step));
      }
    }
  }

  /** Deletes every checkpoint. */
  public void clear() {
    steps(STATE).forEach(step -> delete(stateOf(step)));
    steps(TENSORS).forEach(step -> delete(tensorsOf(step)));
  }

  private Path tensorsOf(long step) {
    return directory.resolve(String.format("step-%08d.safetensors", step));
  }

  private Path stateOf(long step) {
    return directory.resolve(String.format("step-%08d.json", step));
  }

  private List<Long> steps(Pattern pattern) {
    try (Stream<Path> files = Files.list(directory)) {
      return files
          .map(file -> pattern.matcher(file.getFileName().toString()))
          .filter(Matcher::matches)
          .map(match -> Long.parseLong(match.group(1)))
          .sorted(Comparator.naturalOrder())
          .toList();
    } catch (IOException e) {
      throw new InputException("cannot read " + directory + ": " + FileWriteException.reason(e), e);
    }
  }

  private static void delete(Path file) {
    try {
      Files.deleteIfExists(file);
    } catch (IOException e) {
      throw new FileWriteException(file, e);
    }
  }

  private static long checksumOf(Path file) throws IOException {
    CRC32C checksum = new CRC32C();
    byte[] buffer = new byte[Safetensors.CHUNK_BYTES];
    try (InputStream in = Files.newInputStream(file)) {
      for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
        checksum.update(buffer, 0, read);
      }
    }
    return checksum.getValue();
  }

  private static String hex(long checksum) {
    return HexFormat.of().toHexDigits(checksum, 8);
  }
}
