package autosparse.schedule;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A collected data set in one folder:
 *
 * <pre>
 * records/OP/MATRIX.jsonl.gz   measurements, see {@link Measurement}
 * matrices/                    the matrices they were made on
 * splits.json                  {"held_out": [base names]}: what to validate on; may be absent
 * machine.json                 where they were made
 * </pre>
 *
 * @param directory the folder
 */
public record DataSetFolder(Path directory) {
  private static final String RECORDS = "records";
  private static final String HELD_OUT = "held_out";
  private static final JsonFactory JSON = new JsonFactory();

  /** Whether a folder is laid out like this: it holds {@code records/}. */
  public static boolean isOne(Path directory) {
    return Files.isDirectory(directory.resolve(RECORDS));
  }

  /** Where the measurements are. */
  public Path records() {
    return directory.resolve(RECORDS);
  }

  /** Where the matrices are. */
  public Path matrices() {
    return directory.resolve("matrices");
  }

  /** Where the description of the machine is. */
  public Path machineFile() {
    return directory.resolve("machine.json");
  }

  /** Where the base matrices to hold out are named. */
  public Path splitsFile() {
    return directory.resolve("splits.json");
  }

  /**
   * The base matrices to hold out; empty if the data set names none.
   *
   * @throws InputException if {@code splits.json} cannot be read
   */
  public Optional<List<String>> heldOut() {
    Path file = splitsFile();
    if (!Files.exists(file)) {
      return Optional.empty();
    }
    try (JsonParser json = JSON.createParser(file.toFile())) {
      List<String> names = new ArrayList<>();
      boolean found = false;
      if (json.nextToken() == JsonToken.START_OBJECT) {
        while (json.nextToken() == JsonToken.FIELD_NAME) {
          boolean wanted = json.currentName().equals(HELD_OUT);
          JsonToken value = json.nextToken();
          if (wanted && value == JsonToken.START_ARRAY) {
            found = true;
            while (json.nextToken() == JsonToken.VALUE_STRING) {
              names.add(json.getText());
            }
            found &= json.currentToken() == JsonToken.END_ARRAY;
          } else {
            json.skipChildren();
          }
        }
      }
      if (!found || names.isEmpty()) {
        throw InputException.field(
            SourceLocation.of(file), HELD_OUT, names, "a list of base matrices' names");
      }
      return Optional.of(List.copyOf(names));
    } catch (JsonProcessingException malformed) {
      throw new InputException(
          file + ": no JSON (" + malformed.getOriginalMessage() + ")", malformed);
    } catch (IOException broken) {
      throw new InputException(file + ": cannot be read (" + broken + ")", broken);
    }
  }

  /** What {@code splits.json} holds for some base matrices. */
  public static String splitsText(List<String> heldOut) {
    StringWriter text = new StringWriter();
    try (JsonGenerator json = JSON.createGenerator(text)) {
      json.writeStartObject();
      json.writeArrayFieldStart(HELD_OUT);
      for (String name : heldOut) {
        json.writeString(name);
      }
      json.writeEndArray();
      json.writeEndObject();
    } catch (IOException impossible) {
      throw new UncheckedIOException(impossible);
    }
    return text + "\n";
  }
}
